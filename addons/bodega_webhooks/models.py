"""The tables of webhooks."""

from typing import Any

import peewee

from bodega_sdk import Entity, Model, UTCDateTimeField

#: Whether a delivery is still to be made, was made, or was given up.
WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"
STATUSES = (WAITING, DELIVERED, FAILED)


class Webhook(Entity):
    """A subscription: where to send which events, and how."""

    url: Any = peewee.CharField(max_length=2000)
    description: Any = peewee.CharField(max_length=500, default="")
    # Patterns such as "order.*".
    event_types: Any = peewee.JSONField()
    payload_filter: Any = peewee.JSONField(null=True)
    enabled: Any = peewee.BooleanField(default=True)
    # Why it was disabled, when nobody did so by hand.
    disabled_reason: Any = peewee.CharField(max_length=300, default="")
    disabled_at: Any = UTCDateTimeField(null=True)
    # Headers to send, as sealed JSON: they may hold credentials.
    headers: Any = peewee.TextField(default="")
    # standard or compatible.
    format: Any = peewee.CharField(max_length=20, default="standard")
    # v1, v1a or both.
    signing: Any = peewee.CharField(max_length=10, default="v1")
    # Event type → the version of its data that the receiver understands.
    payload_versions: Any = peewee.JSONField(default=dict)
    ordered: Any = peewee.BooleanField(default=False)
    concurrency: Any = peewee.IntegerField(default=20)
    # Requests in any second; null for no limit.
    rate: Any = peewee.IntegerField(null=True)
    timeout: Any = peewee.IntegerField(default=15)
    contact_email: Any = peewee.CharField(max_length=254, default="")
    created_by: Any = peewee.CharField(max_length=100, default="")

    class Meta:
        table_name = "webhooks_webhook"


class Secret(Entity):
    """A key that a webhook's requests are signed with, sealed; old ones end after a while."""

    webhook: Any = peewee.ForeignKeyField(Webhook, on_delete="CASCADE", backref="secrets")
    # v1 (HMAC) or v1a (ed25519).
    scheme: Any = peewee.CharField(max_length=10)
    sealed: Any = peewee.TextField()
    # Of ed25519: what receivers verify with.
    public: Any = peewee.CharField(max_length=100, default="")
    # Set once another has taken its place.
    expires_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "webhooks_secret"


class Endpoint(Model):
    """Who sends to a webhook now, and how the endpoint behind it is.

    Apart from the webhook, because it changes all the time.
    """

    webhook: Any = peewee.ForeignKeyField(Webhook, on_delete="CASCADE", primary_key=True)
    # The sender that holds it, until then; empty when nobody does.
    sender: Any = peewee.CharField(max_length=100, default="")
    lease_until: Any = UTCDateTimeField()
    # Nothing is sent before then: the breaker is open, or the receiver asked for a rest.
    paused_until: Any = UTCDateTimeField()
    # One after the other, without a success.
    failures: Any = peewee.IntegerField(default=0)
    failing_since: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "webhooks_endpoint"


class Payload(Model):
    """The body of an event in one format and version, for all webhooks that get it."""

    # Event offset, version and format.
    id: Any = peewee.CharField(max_length=80, primary_key=True)
    body: Any = peewee.TextField()
    created_at: Any = UTCDateTimeField(index=True)

    class Meta:
        table_name = "webhooks_payload"


class Delivery(Entity):
    """An event that is, or was, to be told to a webhook."""

    webhook: Any = peewee.ForeignKeyField(Webhook, on_delete="CASCADE", index=False)
    # The header webhook-id: the same for every attempt and every replay.
    message_id: Any = peewee.CharField(max_length=60, unique=True)
    # Not a foreign key: bodies are pruned by age, without looking for who refers to each.
    payload: Any = peewee.CharField(max_length=80)
    # Null for a test.
    event_offset: Any = peewee.BigIntegerField(null=True)
    event_type: Any = peewee.CharField(max_length=200)
    event_key: Any = peewee.CharField(max_length=200)
    # The event's key where the webhook is ordered, else null.
    ordering_key: Any = peewee.CharField(max_length=200, null=True)
    status: Any = peewee.CharField(max_length=12, default=WAITING)
    # When it is to be sent, while it waits.
    due_at: Any = UTCDateTimeField()
    # Attempts of the present schedule, which a replay begins anew; and all of them.
    tries: Any = peewee.IntegerField(default=0)
    attempts: Any = peewee.IntegerField(default=0)
    response_status: Any = peewee.IntegerField(null=True)
    error: Any = peewee.CharField(max_length=300, default="")
    delivered_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "webhooks_delivery"
        indexes = ((("webhook", "created_at"), False),)
        # Counted each time: it changes too often for a count to be worth keeping.
        versioned = False


class Attempt(Model):
    """One request of a delivery, and what came back."""

    id: Any = peewee.UUIDField(primary_key=True)
    # Not a foreign key: to check it costs more than the row, thousands of times a second.
    delivery: Any = peewee.UUIDField(index=True)
    number: Any = peewee.IntegerField()
    started_at: Any = UTCDateTimeField()
    milliseconds: Any = peewee.IntegerField()
    status: Any = peewee.IntegerField(null=True)
    error: Any = peewee.CharField(max_length=300, default="")
    # JSON: url and headers, secrets masked. The body is the payload's.
    request: Any = peewee.TextField()
    response_headers: Any = peewee.TextField(default="")
    response_body: Any = peewee.TextField(default="")

    class Meta:
        table_name = "webhooks_attempt"


#: All of them.
MODELS = (Webhook, Secret, Endpoint, Payload, Delivery, Attempt)
