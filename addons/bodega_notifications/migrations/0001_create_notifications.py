"""The tables of notifications."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create them; an account takes what it was told along."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Entity(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()

    class Account(Base):
        id = peewee.UUIDField(primary_key=True)

        class Meta:
            table_name = "accounts_account"

    def of_account(**options):
        return peewee.ForeignKeyField(
            Account, on_delete="CASCADE", column_name="account", **options
        )

    class Inbox(Base):
        account = of_account(primary_key=True)
        choices = peewee.JSONField()
        quiet_begins = peewee.CharField(max_length=5)
        quiet_ends = peewee.CharField(max_length=5)
        time_zone = peewee.CharField(max_length=64)

        class Meta:
            table_name = "notifications_inbox"

    class Notification(Entity):
        key = peewee.CharField(max_length=64, unique=True)
        account = of_account(null=True, index=False)
        type = peewee.CharField(max_length=100)
        title = peewee.CharField(max_length=300)
        text = peewee.TextField()
        link = peewee.CharField(max_length=1000)
        data = peewee.JSONField()
        in_app = peewee.BooleanField()
        read_at = UTCDateTimeField(null=True)
        deleted_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "notifications_notification"
            indexes = ((("account", "read_at"), False), (("account", "id"), False))

    class Delivery(Entity):
        notification = peewee.ForeignKeyField(Notification, on_delete="CASCADE")
        account = peewee.UUIDField(null=True)
        channel = peewee.CharField(max_length=20)
        target = peewee.CharField(max_length=40)
        status = peewee.CharField(max_length=10)
        digest = peewee.BooleanField()
        due_at = UTCDateTimeField()
        attempts = peewee.IntegerField()
        error = peewee.TextField()
        sent_at = UTCDateTimeField(null=True)
        mail = peewee.UUIDField(null=True)

        class Meta:
            table_name = "notifications_delivery"
            indexes = (
                (("notification", "channel", "target"), True),
                (("status", "due_at"), False),
            )

    class Target(Entity):
        account = of_account(index=True)
        name = peewee.CharField(max_length=200)
        service = peewee.CharField(max_length=50)
        url = peewee.TextField()

        class Meta:
            table_name = "notifications_target"

    db.create_tables([Inbox, Notification, Delivery, Target])


def down(migrator, db):
    """Drop them."""
    for table in ("target", "delivery", "notification", "inbox"):
        db.execute_sql(f"DROP TABLE notifications_{table}")
