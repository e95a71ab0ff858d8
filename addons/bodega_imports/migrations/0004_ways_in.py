"""Where a file came from and since when it is there; uploads that are sent in pieces."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Add the column and the table; what is there was sent."""
    column = peewee.CharField(max_length=500, default="")
    migrator.migrate(
        migrator.add_column("imports_import", "source", column),
        migrator.add_column("imports_import", "ready_at", UTCDateTimeField(null=True)),
    )
    db.execute_sql("UPDATE imports_import SET ready_at = created_at")

    class Upload(peewee.Model):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        account = peewee.UUIDField(index=True)
        length = peewee.BigIntegerField()
        metadata = peewee.TextField()
        expires_at = UTCDateTimeField(index=True)
        finished_at = UTCDateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "imports_upload"

    db.create_tables([Upload])


def down(migrator, db):
    """Drop them."""
    db.execute_sql("DROP TABLE imports_upload")
    migrator.migrate(
        migrator.drop_column("imports_import", "ready_at"),
        migrator.drop_column("imports_import", "source"),
    )
