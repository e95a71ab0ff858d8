"""The tables of imports."""

from typing import Any

import peewee

from bodega_sdk import Entity, UTCDateTimeField, now


class Import(Entity):
    """One file; its id is that of the job that imports it.

    The counts add up: ``created + updated + unchanged + superseded + errors`` is
    ``total_rows`` when it is completed.
    """

    filename: Any = peewee.CharField(max_length=255)
    size: Any = peewee.BigIntegerField()
    status: Any = peewee.CharField(max_length=20, default="queued")
    phase: Any = peewee.CharField(max_length=20, default="")
    format: Any = peewee.CharField(max_length=20, default="")
    # How the file is read, as a profile says; null when all is found out.
    how: Any = peewee.JSONField(null=True)
    # Whether only to say what would happen; whether all rows or none.
    dry_run: Any = peewee.BooleanField(default=False)
    atomic: Any = peewee.BooleanField(default=False)
    sha256: Any = peewee.CharField(max_length=64, default="")
    # Of how far reading is; the bytes are those of what was unpacked.
    read_rows: Any = peewee.BigIntegerField(default=0)
    read_bytes: Any = peewee.BigIntegerField(default=0)
    whole_bytes: Any = peewee.BigIntegerField(null=True)
    ignored_columns: Any = peewee.JSONField(default=list)
    total_rows: Any = peewee.BigIntegerField(null=True)
    processed_rows: Any = peewee.BigIntegerField(default=0)
    created: Any = peewee.BigIntegerField(default=0)
    updated: Any = peewee.BigIntegerField(default=0)
    unchanged: Any = peewee.BigIntegerField(default=0)
    superseded: Any = peewee.BigIntegerField(default=0)
    errors: Any = peewee.BigIntegerField(default=0)
    # Of undoing it: queued, running, completed; how many products, and how many it could not.
    undo: Any = peewee.CharField(max_length=20, default="")
    undone: Any = peewee.BigIntegerField(default=0)
    conflicts: Any = peewee.BigIntegerField(default=0)
    message: Any = peewee.TextField(default="")
    started_by: Any = peewee.CharField(max_length=100, default="")
    # Where the file came from, when it was not sent: a URL without what is secret in it.
    source: Any = peewee.CharField(max_length=500, default="")
    # Since when its file is there; imports have their turns in this order. Null before.
    ready_at: Any = UTCDateTimeField(null=True, default=now)
    started_at: Any = UTCDateTimeField(null=True)
    finished_at: Any = UTCDateTimeField(null=True)
    # For which it is done; null for the whole shop.
    organization: Any = peewee.UUIDField(null=True, index=True)

    class Meta:
        table_name = "imports_import"


class BadRow(Entity):
    """A row that was not imported: where, what was found, and why not."""

    run: Any = peewee.ForeignKeyField(Import, on_delete="CASCADE", index=False)
    line: Any = peewee.BigIntegerField()
    column: Any = peewee.CharField(max_length=200)
    value: Any = peewee.CharField(max_length=250)
    reason: Any = peewee.TextField()

    class Meta:
        table_name = "imports_bad_row"
        indexes = ((("run", "line"), False),)
