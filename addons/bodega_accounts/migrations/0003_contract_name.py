"""The name is parted into a first and a last one; nothing puts them together again."""

_TABLE = "accounts_account"


def up(migrator, db):
    """Drop what no code writes any more."""
    migrator.migrate(migrator.drop_column(_TABLE, "name"))
