"""The account table."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create it."""

    class Account(peewee.Model):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()
        email = peewee.CharField(max_length=254, unique=True)
        name = peewee.CharField(max_length=200)
        role = peewee.CharField(max_length=20)
        password = peewee.CharField(max_length=255)
        is_active = peewee.BooleanField()
        last_login_at = UTCDateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "accounts_account"

    db.create_tables([Account])


def down(migrator, db):
    """Drop it."""
    db.execute_sql("DROP TABLE accounts_account")
