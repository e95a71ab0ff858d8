"""The table of exports."""

from typing import Any

import peewee

from bodega_sdk import Entity, UTCDateTimeField


class Export(Entity):
    """Products written into a file; its id is that of the job that writes it.

    ``stored`` is the file's name in the folder of exports, empty where there is none (yet, or
    any more); ``filename`` is what whoever downloads it sees.
    """

    filename: Any = peewee.CharField(max_length=255)
    format: Any = peewee.CharField(max_length=10)
    compression: Any = peewee.CharField(max_length=10)
    columns: Any = peewee.JSONField(default=list)
    filters: Any = peewee.JSONField(default=dict)
    delimiter: Any = peewee.CharField(max_length=1)
    encoding: Any = peewee.CharField(max_length=20)
    escape_formulas: Any = peewee.BooleanField(default=True)
    status: Any = peewee.CharField(max_length=20, default="queued")
    total_rows: Any = peewee.BigIntegerField(null=True)
    processed_rows: Any = peewee.BigIntegerField(default=0)
    size: Any = peewee.BigIntegerField(null=True)
    sha256: Any = peewee.CharField(max_length=64, default="")
    stored: Any = peewee.CharField(max_length=100, default="")
    message: Any = peewee.TextField(default="")
    started_by: Any = peewee.CharField(max_length=100, default="")
    finished_at: Any = UTCDateTimeField(null=True)
    expires_at: Any = UTCDateTimeField(null=True)
    # Whose products; null for everybody's.
    organization: Any = peewee.UUIDField(null=True, index=True)

    class Meta:
        """Peewee's options."""

        table_name = "imports_export"
