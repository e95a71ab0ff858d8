"""Alter a table that is not there, which does not work."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    """Fail."""
    db.execute_sql("INSERT INTO failing_migration_sheets (id) VALUES ('1')")
