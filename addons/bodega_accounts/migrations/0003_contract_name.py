"""The name is parted into a first and a last one."""

import peewee

_TABLE = "accounts_account"


def up(migrator, db):
    """Drop what no code writes any more."""
    migrator.migrate(migrator.drop_column(_TABLE, "name"))


def down(migrator, db):
    """Bring it back."""
    column = peewee.CharField(max_length=200, null=True)
    migrator.migrate(migrator.add_column(_TABLE, "name", column))
    db.execute_sql(f"UPDATE {_TABLE} SET name = trim(first_name || ' ' || last_name)")
