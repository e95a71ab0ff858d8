"""Mails, with a sealed body."""

import peewee

from bodega_sdk.models import UTCDateTimeField


def up(migrator, db):
    """Create the table."""

    class MailRow(peewee.Model):
        id = peewee.UUIDField(primary_key=True)
        to = peewee.CharField(max_length=254)
        subject = peewee.CharField(max_length=500)
        body = peewee.TextField(null=True)
        message_id = peewee.CharField(max_length=320)
        status = peewee.CharField(max_length=10)
        attempts = peewee.IntegerField()
        error = peewee.TextField(null=True)
        created_at = UTCDateTimeField(index=True)
        sent_at = UTCDateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "bodega_mail"
            indexes = ((("to", "id"), False), (("status", "id"), False))

    db.create_tables([MailRow])


def down(migrator, db):
    """Drop it."""
    db.execute_sql("DROP TABLE bodega_mail")
