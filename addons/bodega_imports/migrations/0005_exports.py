"""The table of exports."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create it."""

    class Export(peewee.Model):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        filename = peewee.CharField(max_length=255)
        format = peewee.CharField(max_length=10)
        compression = peewee.CharField(max_length=10)
        columns = peewee.JSONField()
        filters = peewee.JSONField()
        delimiter = peewee.CharField(max_length=1)
        encoding = peewee.CharField(max_length=20)
        escape_formulas = peewee.BooleanField()
        status = peewee.CharField(max_length=20)
        total_rows = peewee.BigIntegerField(null=True)
        processed_rows = peewee.BigIntegerField()
        size = peewee.BigIntegerField(null=True)
        sha256 = peewee.CharField(max_length=64)
        stored = peewee.CharField(max_length=100)
        message = peewee.TextField()
        started_by = peewee.CharField(max_length=100)
        finished_at = UTCDateTimeField(null=True)
        expires_at = UTCDateTimeField(null=True)
        organization = peewee.UUIDField(null=True, index=True)

        class Meta:
            database = db
            table_name = "imports_export"
            legacy_table_names = False

    db.create_tables([Export])


def down(migrator, db):
    """Drop it."""
    db.execute_sql("DROP TABLE imports_export")
