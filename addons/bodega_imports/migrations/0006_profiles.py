"""Profiles: what the columns of files mean that come again; how an import's file is read."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create the table and add the column."""

    class Profile(peewee.Model):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        name = peewee.CharField(max_length=100)
        columns = peewee.JSONField()
        delimiter = peewee.CharField(max_length=10)
        encoding = peewee.CharField(max_length=40)
        sheet = peewee.CharField(max_length=100)
        organization = peewee.UUIDField(null=True, index=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "imports_profile"

    db.create_tables([Profile])
    how = peewee.JSONField(null=True)
    migrator.migrate(migrator.add_column("imports_import", "how", how))


def down(migrator, db):
    """Drop them."""
    migrator.migrate(migrator.drop_column("imports_import", "how"))
    db.execute_sql("DROP TABLE imports_profile")
