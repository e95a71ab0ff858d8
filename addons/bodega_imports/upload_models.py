"""The table of uploads that are sent in pieces."""

from typing import Any

import peewee

from bodega_sdk import Entity, UTCDateTimeField


class Upload(Entity):
    """A file that is sent in pieces; the import that follows has the same id.

    How much of it is there, the file itself says; see :mod:`bodega_imports.uploads`.
    """

    account: Any = peewee.UUIDField(index=True)
    length: Any = peewee.BigIntegerField()
    # The header Upload-Metadata as it was sent, to be given back.
    metadata: Any = peewee.TextField(default="")
    expires_at: Any = UTCDateTimeField(index=True)
    # When its import began.
    finished_at: Any = UTCDateTimeField(null=True)

    class Meta:
        """Peewee's options."""

        table_name = "imports_upload"
        # Nothing is counted over and over, and every piece would make a version.
        versioned = False
