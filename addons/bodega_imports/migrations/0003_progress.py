"""How an import is to be done, how far reading is, of which file, since when."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Add the columns; what is there was done row by row."""
    columns = {
        "dry_run": peewee.BooleanField(default=False),
        "atomic": peewee.BooleanField(default=False),
        "sha256": peewee.CharField(max_length=64, default=""),
        "read_rows": peewee.BigIntegerField(default=0),
        "read_bytes": peewee.BigIntegerField(default=0),
        "whole_bytes": peewee.BigIntegerField(null=True),
        "started_at": UTCDateTimeField(null=True),
    }
    migrator.migrate(
        *(migrator.add_column("imports_import", name, kind) for name, kind in columns.items())
    )


def down(migrator, db):
    """Drop them."""
    names = ("dry_run", "atomic", "sha256", "read_rows", "read_bytes", "whole_bytes")
    names += ("started_at",)
    migrator.migrate(*(migrator.drop_column("imports_import", name) for name in names))
