"""For whom a file was imported."""

import peewee


def up(migrator, db):
    """Add the column; what is there was imported for the whole shop."""
    column = peewee.UUIDField(null=True, index=True)
    migrator.migrate(migrator.add_column("imports_import", "organization", column))


def down(migrator, db):
    """Drop it."""
    migrator.migrate(
        migrator.drop_index("imports_import", "imports_import_organization"),
        migrator.drop_column("imports_import", "organization"),
    )
