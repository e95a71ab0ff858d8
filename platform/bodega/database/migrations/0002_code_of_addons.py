"""Which code of an addon the shop was last upgraded to."""

import peewee


def up(migrator, db):
    """Add the column; an empty fingerprint is that of no code."""
    column = peewee.CharField(max_length=100, default="")
    migrator.migrate(migrator.add_column("bodega_addon", "code", column))


def down(migrator, db):
    """Drop it."""
    migrator.migrate(migrator.drop_column("bodega_addon", "code"))
