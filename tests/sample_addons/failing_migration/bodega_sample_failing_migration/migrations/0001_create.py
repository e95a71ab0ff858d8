"""Create the table, which works."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    """Create it."""
    db.execute_sql("CREATE TABLE failing_migration_sheet (id VARCHAR(40) PRIMARY KEY)")
