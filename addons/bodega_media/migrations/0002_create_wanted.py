"""Pictures that lie elsewhere and are wanted here."""

import peewee

from bodega_sdk import UTCDateTimeField

_PRODUCT = 'REFERENCES "products_product" ("id") ON DELETE CASCADE'


def up(migrator, db):
    """Create the table; a product takes its rows along."""

    class Wanted(peewee.Model):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        product = peewee.UUIDField(constraints=[peewee.SQL(_PRODUCT)])
        organization = peewee.UUIDField(null=True, index=True)
        digest = peewee.CharField(max_length=64)
        url = peewee.CharField(max_length=2000)
        alt = peewee.CharField(max_length=500)
        status = peewee.CharField(max_length=10)
        reason = peewee.CharField(max_length=500)
        attempts = peewee.IntegerField()
        due_at = UTCDateTimeField()
        image = peewee.UUIDField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "media_wanted"
            indexes = ((("product", "digest"), True), (("status", "due_at"), False))

    db.create_tables([Wanted])


def down(migrator, db):
    """Drop it."""
    db.execute_sql("DROP TABLE media_wanted")
