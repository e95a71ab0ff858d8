"""Keys that rotate, and the list of what is revoked."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Add the columns and the table; a key without an instant signs from when it was made."""
    table = "bodega_signing_key"
    migrator.migrate(
        migrator.add_column(table, "algorithm", peewee.CharField(max_length=20, default="EdDSA")),
        migrator.add_column(table, "signs_from", UTCDateTimeField(null=True)),
        migrator.add_column(table, "retired_at", UTCDateTimeField(null=True)),
    )

    class Revocation(peewee.Model):
        id = peewee.BigAutoField()
        session = peewee.CharField(max_length=100)
        version = peewee.BigIntegerField(null=True)
        until = UTCDateTimeField(index=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "bodega_revocation"

    db.create_tables([Revocation])


def down(migrator, db):
    """Drop them."""
    db.execute_sql("DROP TABLE bodega_revocation")
    for column in ("algorithm", "signs_from", "retired_at"):
        migrator.migrate(migrator.drop_column("bodega_signing_key", column))
