"""Which capabilities of an addon an operator approved."""

import peewee


def up(migrator, db):
    """Add the column; null means that the addon was installed before there was approval."""
    migrator.migrate(migrator.add_column("bodega_addon", "approved", peewee.JSONField(null=True)))


def down(migrator, db):
    """Drop it."""
    migrator.migrate(migrator.drop_column("bodega_addon", "approved"))
