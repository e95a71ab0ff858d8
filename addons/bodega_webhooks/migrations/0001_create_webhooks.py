"""The tables of webhooks."""

import peewee

from bodega_sdk import UTCDateTimeField

_TABLES = ("attempt", "delivery", "payload", "endpoint", "secret", "webhook")
# Only what waits is looked for by when it is due, and it is little.
_WAITING = (
    "CREATE INDEX webhooks_delivery_due ON webhooks_delivery (webhook_id, due_at) "
    "WHERE status = 'waiting'",
    "CREATE INDEX webhooks_delivery_order ON webhooks_delivery "
    "(webhook_id, ordering_key, event_offset) "
    "WHERE status = 'waiting' AND ordering_key IS NOT NULL",
)


def up(migrator, db):
    """Create them."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Entity(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()

    class Webhook(Entity):
        url = peewee.CharField(max_length=2000)
        description = peewee.CharField(max_length=500)
        event_types = peewee.JSONField()
        payload_filter = peewee.JSONField(null=True)
        enabled = peewee.BooleanField()
        disabled_reason = peewee.CharField(max_length=300)
        disabled_at = UTCDateTimeField(null=True)
        headers = peewee.TextField()
        format = peewee.CharField(max_length=20)
        signing = peewee.CharField(max_length=10)
        payload_versions = peewee.JSONField()
        ordered = peewee.BooleanField()
        concurrency = peewee.IntegerField()
        rate = peewee.IntegerField(null=True)
        timeout = peewee.IntegerField()
        contact_email = peewee.CharField(max_length=254)
        created_by = peewee.CharField(max_length=100)

        class Meta:
            table_name = "webhooks_webhook"

    class Secret(Entity):
        webhook = peewee.ForeignKeyField(Webhook, on_delete="CASCADE")
        scheme = peewee.CharField(max_length=10)
        sealed = peewee.TextField()
        public = peewee.CharField(max_length=100)
        expires_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "webhooks_secret"

    class Endpoint(Base):
        webhook = peewee.ForeignKeyField(Webhook, on_delete="CASCADE", primary_key=True)
        sender = peewee.CharField(max_length=100)
        lease_until = UTCDateTimeField()
        paused_until = UTCDateTimeField()
        failures = peewee.IntegerField()
        failing_since = UTCDateTimeField(null=True)

        class Meta:
            table_name = "webhooks_endpoint"

    class Payload(Base):
        id = peewee.CharField(max_length=80, primary_key=True)
        body = peewee.TextField()
        created_at = UTCDateTimeField(index=True)

        class Meta:
            table_name = "webhooks_payload"

    class Delivery(Entity):
        webhook = peewee.ForeignKeyField(Webhook, on_delete="CASCADE", index=False)
        message_id = peewee.CharField(max_length=60, unique=True)
        payload = peewee.CharField(max_length=80)
        event_offset = peewee.BigIntegerField(null=True)
        event_type = peewee.CharField(max_length=200)
        event_key = peewee.CharField(max_length=200)
        ordering_key = peewee.CharField(max_length=200, null=True)
        status = peewee.CharField(max_length=12)
        due_at = UTCDateTimeField()
        tries = peewee.IntegerField()
        attempts = peewee.IntegerField()
        response_status = peewee.IntegerField(null=True)
        error = peewee.CharField(max_length=300)
        delivered_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "webhooks_delivery"
            indexes = ((("webhook", "created_at"), False),)

    class Attempt(Base):
        id = peewee.UUIDField(primary_key=True)
        delivery = peewee.UUIDField(index=True)
        number = peewee.IntegerField()
        started_at = UTCDateTimeField()
        milliseconds = peewee.IntegerField()
        status = peewee.IntegerField(null=True)
        error = peewee.CharField(max_length=300)
        request = peewee.TextField()
        response_headers = peewee.TextField()
        response_body = peewee.TextField()

        class Meta:
            table_name = "webhooks_attempt"

    db.create_tables([Webhook, Secret, Endpoint, Payload, Delivery, Attempt])
    for statement in _WAITING:
        db.execute_sql(statement)


def down(migrator, db):
    """Drop them."""
    for table in _TABLES:
        db.execute_sql(f"DROP TABLE webhooks_{table}")
