"""The tables of imports."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create them."""

    class Base(peewee.Model):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()

        class Meta:
            database = db
            legacy_table_names = False

    class Import(Base):
        filename = peewee.CharField(max_length=255)
        size = peewee.BigIntegerField()
        status = peewee.CharField(max_length=20)
        phase = peewee.CharField(max_length=20)
        format = peewee.CharField(max_length=20)
        ignored_columns = peewee.JSONField()
        total_rows = peewee.BigIntegerField(null=True)
        processed_rows = peewee.BigIntegerField()
        created = peewee.BigIntegerField()
        updated = peewee.BigIntegerField()
        unchanged = peewee.BigIntegerField()
        superseded = peewee.BigIntegerField()
        errors = peewee.BigIntegerField()
        message = peewee.TextField()
        started_by = peewee.CharField(max_length=100)
        finished_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "imports_import"

    class BadRow(Base):
        run = peewee.ForeignKeyField(Import, on_delete="CASCADE", index=False)
        line = peewee.BigIntegerField()
        column = peewee.CharField(max_length=200)
        value = peewee.CharField(max_length=250)
        reason = peewee.TextField()

        class Meta:
            table_name = "imports_bad_row"
            indexes = ((("run", "line"), False),)

    db.create_tables([Import, BadRow])


def down(migrator, db):
    """Drop them."""
    for table in ("bad_row", "import"):
        db.execute_sql(f"DROP TABLE imports_{table}")
