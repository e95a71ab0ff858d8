"""What imports changed, so that it can be undone."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create the table and add the columns; what is there cannot be undone."""

    class Import(peewee.Model):
        id = peewee.UUIDField(primary_key=True)

        class Meta:
            database = db
            table_name = "imports_import"

    class Change(peewee.Model):
        id = peewee.BigAutoField()
        run = peewee.ForeignKeyField(Import, on_delete="CASCADE", index=False)
        product = peewee.UUIDField()
        stamp = UTCDateTimeField()
        before = peewee.TextField()
        conflict = peewee.TextField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "imports_change"
            indexes = ((("run", "id"), False),)

    db.create_tables([Change])
    columns = {
        "undo": peewee.CharField(max_length=20, default=""),
        "undone": peewee.BigIntegerField(default=0),
        "conflicts": peewee.BigIntegerField(default=0),
    }
    migrator.migrate(
        *(migrator.add_column("imports_import", name, kind) for name, kind in columns.items())
    )


def down(migrator, db):
    """Drop them."""
    names = ("undo", "undone", "conflicts")
    migrator.migrate(*(migrator.drop_column("imports_import", name) for name in names))
    db.execute_sql("DROP TABLE imports_change")
