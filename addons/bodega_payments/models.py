"""The tables of payments; amounts are minor units of the row's currency."""

from typing import Any

import peewee

from bodega_sdk import Entity, Model, UTCDateTimeField, now, uuid7

#: How the money is taken.
CAPTURE_METHODS = ("automatic", "manual")
#: What a line of the ledger can say. The last of each pair takes the first one back.
KINDS = (
    "authorization", "void", "capture", "refund", "refund_failed", "dispute", "dispute_won",
)  # fmt: skip
#: What a provider is asked to do.
ACTS = ("create", "confirm", "capture", "cancel", "refund")


class Payment(Entity):
    """An attempt to pay for an order.

    ``authorized`` is what is held now, ``captured`` and ``refunded`` are all that ever was;
    ``refunded`` counts refunds that are under way. ``reserved`` is what refunds will take that
    the provider has not been told of yet.
    """

    # Not a foreign key: what was paid stays when orders go.
    order: Any = peewee.UUIDField(index=True)
    order_number: Any = peewee.CharField(max_length=40)
    account: Any = peewee.UUIDField(null=True, index=True)
    provider: Any = peewee.CharField(max_length=40)
    # Null until the provider has answered.
    provider_id: Any = peewee.CharField(max_length=255, null=True)
    status: Any = peewee.CharField(max_length=30, default="requires_payment_method")
    currency: Any = peewee.CharField(max_length=3)
    amount: Any = peewee.BigIntegerField()
    authorized: Any = peewee.BigIntegerField(default=0)
    captured: Any = peewee.BigIntegerField(default=0)
    refunded: Any = peewee.BigIntegerField(default=0)
    reserved: Any = peewee.BigIntegerField(default=0)
    # What disputes hold or have taken for good; and the latter alone.
    disputed: Any = peewee.BigIntegerField(default=0)
    lost: Any = peewee.BigIntegerField(default=0)
    capture_method: Any = peewee.CharField(max_length=10, default="automatic")
    save_method: Any = peewee.BooleanField(default=False)
    # The provider's id of the method to pay with, or paid with.
    method: Any = peewee.CharField(max_length=255, default="")
    method_label: Any = peewee.CharField(max_length=60, default="")
    # Sealed: whoever has it may pay.
    client_secret: Any = peewee.TextField(default="")
    action_url: Any = peewee.CharField(max_length=2000, default="")
    return_url: Any = peewee.CharField(max_length=2000, default="")
    # Of the request that made it: the client's, or derived. Once for each order.
    idempotency_key: Any = peewee.CharField(max_length=255)
    # Hash of what was asked for with it.
    fingerprint: Any = peewee.CharField(max_length=64)
    error_code: Any = peewee.CharField(max_length=100, default="")
    error: Any = peewee.CharField(max_length=500, default="")
    # Why a person should look at it; empty when nobody need.
    flag: Any = peewee.CharField(max_length=200, default="")
    # Raised whenever the provider's state is written; a state asked for before is stale.
    revision: Any = peewee.IntegerField(default=0)
    checked_at: Any = UTCDateTimeField(default=now)

    class Meta:
        table_name = "payments_payment"
        indexes = (
            (("provider", "provider_id"), True),
            (("order", "idempotency_key"), True),
            (("status", "checked_at"), False),
        )


class Call(Entity):
    """Something that a provider is to be asked for, written before it is.

    A process that dies leaves it open; whoever finds it asks again, with the same key.
    """

    payment: Any = peewee.ForeignKeyField(Payment, on_delete="CASCADE", index=False)
    act: Any = peewee.CharField(max_length=10)
    key: Any = peewee.CharField(max_length=255, unique=True)
    amount: Any = peewee.BigIntegerField(default=0)
    method: Any = peewee.CharField(max_length=255, default="")
    refund: Any = peewee.UUIDField(null=True)
    attempts: Any = peewee.IntegerField(default=0)
    ended_at: Any = UTCDateTimeField(null=True)
    error: Any = peewee.CharField(max_length=500, default="")

    class Meta:
        table_name = "payments_call"
        indexes = ((("payment", "act"), False),)
        versioned = False


class Refund(Entity):
    """Money that goes back.

    ``reserved`` until the provider has answered, then one of the provider's statuses.
    """

    payment: Any = peewee.ForeignKeyField(Payment, on_delete="CASCADE")
    provider_id: Any = peewee.CharField(max_length=255, null=True)
    amount: Any = peewee.BigIntegerField()
    currency: Any = peewee.CharField(max_length=3)
    status: Any = peewee.CharField(max_length=12, default="reserved")
    reason: Any = peewee.CharField(max_length=30)
    note: Any = peewee.CharField(max_length=500, default="")
    error: Any = peewee.CharField(max_length=500, default="")
    # The account that gave it; null when the shop did, or somebody in the provider's dashboard.
    account: Any = peewee.UUIDField(null=True)
    idempotency_key: Any = peewee.CharField(max_length=255)

    class Meta:
        table_name = "payments_refund"
        indexes = (
            (("payment", "provider_id"), True),
            (("payment", "idempotency_key"), True),
        )


class LedgerEntry(Entity):
    """One thing that happened to money; written once, never changed.

    ``fact`` names it as the provider knows it: what was written is not written again.
    """

    payment: Any = peewee.ForeignKeyField(Payment, on_delete="CASCADE", index=False)
    order: Any = peewee.UUIDField(index=True)
    kind: Any = peewee.CharField(max_length=20)
    amount: Any = peewee.BigIntegerField()
    currency: Any = peewee.CharField(max_length=3)
    fact: Any = peewee.CharField(max_length=300)

    class Meta:
        table_name = "payments_ledger_entry"
        indexes = (
            (("payment", "fact"), True),
            (("kind", "created_at"), False),
        )


class Dispute(Entity):
    """A customer's bank took the money back, at least for a while."""

    payment: Any = peewee.ForeignKeyField(Payment, on_delete="CASCADE", index=False)
    provider_id: Any = peewee.CharField(max_length=255)
    amount: Any = peewee.BigIntegerField()
    currency: Any = peewee.CharField(max_length=3)
    status: Any = peewee.CharField(max_length=10)
    reason: Any = peewee.CharField(max_length=100, default="")

    class Meta:
        table_name = "payments_dispute"
        indexes = ((("payment", "provider_id"), True),)


class ReceivedEvent(Entity):
    """What a provider told, once however often it did."""

    provider: Any = peewee.CharField(max_length=40)
    event_id: Any = peewee.CharField(max_length=255)
    type: Any = peewee.CharField(max_length=100)
    intent: Any = peewee.CharField(max_length=255, default="")
    body: Any = peewee.TextField()
    told_at: Any = UTCDateTimeField()
    handled_at: Any = UTCDateTimeField(null=True)
    outcome: Any = peewee.CharField(max_length=300, default="")

    class Meta:
        table_name = "payments_event"
        indexes = (
            (("provider", "event_id"), True),
            (("handled_at", "created_at"), False),
        )
        versioned = False


class Customer(Entity):
    """An account as a provider knows it."""

    account: Any = peewee.UUIDField()
    provider: Any = peewee.CharField(max_length=40)
    # Null until the provider has answered.
    provider_id: Any = peewee.CharField(max_length=255, null=True)

    class Meta:
        table_name = "payments_customer"
        indexes = ((("account", "provider"), True),)
        versioned = False


class PaymentMethod(Entity):
    """A way to pay that an account keeps; never a card's number."""

    account: Any = peewee.UUIDField(index=True)
    provider: Any = peewee.CharField(max_length=40)
    provider_id: Any = peewee.CharField(max_length=255)
    kind: Any = peewee.CharField(max_length=40)
    brand: Any = peewee.CharField(max_length=40, default="")
    last4: Any = peewee.CharField(max_length=4, default="")
    exp_month: Any = peewee.IntegerField(default=0)
    exp_year: Any = peewee.IntegerField(default=0)
    is_default: Any = peewee.BooleanField(default=False)

    class Meta:
        table_name = "payments_method"
        indexes = ((("provider", "provider_id"), True),)


class Mark(Model):
    """Until when reconciling has asked a provider what changed."""

    provider: Any = peewee.CharField(max_length=40, primary_key=True)
    asked_until: Any = UTCDateTimeField()

    class Meta:
        table_name = "payments_mark"


class SandboxObject(Model):
    """An intent, a refund, a method … of the provider ``sandbox``."""

    id: Any = peewee.CharField(max_length=100, primary_key=True)
    kind: Any = peewee.CharField(max_length=30)
    # The id of what it belongs to, e.g. a refund's intent; empty for none.
    parent: Any = peewee.CharField(max_length=100, default="")
    data: Any = peewee.JSONField()
    changed_at: Any = UTCDateTimeField()

    class Meta:
        table_name = "payments_sandbox_object"
        indexes = (
            (("kind", "parent"), False),
            (("kind", "changed_at"), False),
        )


class SandboxAnswer(Model):
    """What the sandbox answered to a key, to answer the same again."""

    key: Any = peewee.CharField(max_length=300, primary_key=True)
    fingerprint: Any = peewee.CharField(max_length=64)
    answer: Any = peewee.JSONField()
    created_at: Any = UTCDateTimeField(index=True)

    class Meta:
        table_name = "payments_sandbox_answer"


class SandboxEvent(Model):
    """What the sandbox will tell by a webhook."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    type: Any = peewee.CharField(max_length=100)
    intent: Any = peewee.CharField(max_length=100, default="")
    data: Any = peewee.JSONField()
    created_at: Any = UTCDateTimeField()
    due_at: Any = UTCDateTimeField()
    delivered_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "payments_sandbox_event"
        indexes = ((("delivered_at", "due_at"), False),)


#: All of them.
MODELS = (
    Payment, Call, Refund, LedgerEntry, Dispute, ReceivedEvent, Customer, PaymentMethod, Mark,
    SandboxObject, SandboxAnswer, SandboxEvent,
)  # fmt: skip
