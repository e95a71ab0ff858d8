"""The tables of payments."""

import peewee

from bodega_sdk import UTCDateTimeField

_TABLES = (
    "sandbox_event", "sandbox_answer", "sandbox_object", "mark", "method", "customer", "event",
    "dispute", "ledger_entry", "refund", "call", "payment",
)  # fmt: skip


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

    class Account(Base):
        id = peewee.UUIDField(primary_key=True)

        class Meta:
            table_name = "accounts_account"

    class Payment(Entity):
        order = peewee.UUIDField(index=True)
        order_number = peewee.CharField(max_length=40)
        account = peewee.ForeignKeyField(
            Account, null=True, on_delete="SET NULL", column_name="account"
        )
        provider = peewee.CharField(max_length=40)
        provider_id = peewee.CharField(max_length=255, null=True)
        status = peewee.CharField(max_length=30)
        currency = peewee.CharField(max_length=3)
        amount = peewee.BigIntegerField()
        authorized = peewee.BigIntegerField()
        captured = peewee.BigIntegerField()
        refunded = peewee.BigIntegerField()
        reserved = peewee.BigIntegerField()
        disputed = peewee.BigIntegerField()
        lost = peewee.BigIntegerField()
        capture_method = peewee.CharField(max_length=10)
        save_method = peewee.BooleanField()
        method = peewee.CharField(max_length=255)
        method_label = peewee.CharField(max_length=60)
        client_secret = peewee.TextField()
        action_url = peewee.CharField(max_length=2000)
        return_url = peewee.CharField(max_length=2000)
        idempotency_key = peewee.CharField(max_length=255)
        fingerprint = peewee.CharField(max_length=64)
        error_code = peewee.CharField(max_length=100)
        error = peewee.CharField(max_length=500)
        flag = peewee.CharField(max_length=200)
        revision = peewee.IntegerField()
        checked_at = UTCDateTimeField()

        class Meta:
            table_name = "payments_payment"
            indexes = (
                (("provider", "provider_id"), True),
                (("order", "idempotency_key"), True),
                (("status", "checked_at"), False),
            )
            constraints = (
                peewee.Check("amount > 0 AND authorized >= 0 AND reserved >= 0 AND disputed >= 0"),
                peewee.Check("refunded >= 0 AND refunded <= captured"),
            )

    class Call(Entity):
        payment = peewee.ForeignKeyField(Payment, on_delete="CASCADE", index=False)
        act = peewee.CharField(max_length=10)
        key = peewee.CharField(max_length=255, unique=True)
        amount = peewee.BigIntegerField()
        method = peewee.CharField(max_length=255)
        refund = peewee.UUIDField(null=True)
        attempts = peewee.IntegerField()
        ended_at = UTCDateTimeField(null=True)
        error = peewee.CharField(max_length=500)

        class Meta:
            table_name = "payments_call"
            indexes = ((("payment", "act"), False),)

    class Refund(Entity):
        payment = peewee.ForeignKeyField(Payment, on_delete="CASCADE")
        provider_id = peewee.CharField(max_length=255, null=True)
        amount = peewee.BigIntegerField()
        currency = peewee.CharField(max_length=3)
        status = peewee.CharField(max_length=12)
        reason = peewee.CharField(max_length=30)
        note = peewee.CharField(max_length=500)
        error = peewee.CharField(max_length=500)
        account = peewee.UUIDField(null=True)
        idempotency_key = peewee.CharField(max_length=255)

        class Meta:
            table_name = "payments_refund"
            indexes = (
                (("payment", "provider_id"), True),
                (("payment", "idempotency_key"), True),
            )
            constraints = (peewee.Check("amount > 0"),)

    class LedgerEntry(Entity):
        payment = peewee.ForeignKeyField(Payment, on_delete="CASCADE", index=False)
        order = peewee.UUIDField(index=True)
        kind = peewee.CharField(max_length=20)
        amount = peewee.BigIntegerField()
        currency = peewee.CharField(max_length=3)
        fact = peewee.CharField(max_length=300)

        class Meta:
            table_name = "payments_ledger_entry"
            indexes = (
                (("payment", "fact"), True),
                (("kind", "created_at"), False),
            )
            constraints = (peewee.Check("amount > 0"),)

    class Dispute(Entity):
        payment = peewee.ForeignKeyField(Payment, on_delete="CASCADE", index=False)
        provider_id = peewee.CharField(max_length=255)
        amount = peewee.BigIntegerField()
        currency = peewee.CharField(max_length=3)
        status = peewee.CharField(max_length=10)
        reason = peewee.CharField(max_length=100)

        class Meta:
            table_name = "payments_dispute"
            indexes = ((("payment", "provider_id"), True),)

    class ReceivedEvent(Entity):
        provider = peewee.CharField(max_length=40)
        event_id = peewee.CharField(max_length=255)
        type = peewee.CharField(max_length=100)
        intent = peewee.CharField(max_length=255)
        body = peewee.TextField()
        told_at = UTCDateTimeField()
        handled_at = UTCDateTimeField(null=True)
        outcome = peewee.CharField(max_length=300)

        class Meta:
            table_name = "payments_event"
            indexes = (
                (("provider", "event_id"), True),
                (("handled_at", "created_at"), False),
            )

    class Customer(Entity):
        account = peewee.UUIDField()
        provider = peewee.CharField(max_length=40)
        provider_id = peewee.CharField(max_length=255, null=True)

        class Meta:
            table_name = "payments_customer"
            indexes = ((("account", "provider"), True),)

    class PaymentMethod(Entity):
        account = peewee.UUIDField(index=True)
        provider = peewee.CharField(max_length=40)
        provider_id = peewee.CharField(max_length=255)
        kind = peewee.CharField(max_length=40)
        brand = peewee.CharField(max_length=40)
        last4 = peewee.CharField(max_length=4)
        exp_month = peewee.IntegerField()
        exp_year = peewee.IntegerField()
        is_default = peewee.BooleanField()

        class Meta:
            table_name = "payments_method"
            indexes = ((("provider", "provider_id"), True),)

    class Mark(Base):
        provider = peewee.CharField(max_length=40, primary_key=True)
        asked_until = UTCDateTimeField()

        class Meta:
            table_name = "payments_mark"

    class SandboxObject(Base):
        id = peewee.CharField(max_length=100, primary_key=True)
        kind = peewee.CharField(max_length=30)
        parent = peewee.CharField(max_length=100)
        data = peewee.JSONField()
        changed_at = UTCDateTimeField()

        class Meta:
            table_name = "payments_sandbox_object"
            indexes = (
                (("kind", "parent"), False),
                (("kind", "changed_at"), False),
            )

    class SandboxAnswer(Base):
        key = peewee.CharField(max_length=300, primary_key=True)
        fingerprint = peewee.CharField(max_length=64)
        answer = peewee.JSONField()
        created_at = UTCDateTimeField(index=True)

        class Meta:
            table_name = "payments_sandbox_answer"

    class SandboxEvent(Base):
        id = peewee.UUIDField(primary_key=True)
        type = peewee.CharField(max_length=100)
        intent = peewee.CharField(max_length=100)
        data = peewee.JSONField()
        created_at = UTCDateTimeField()
        due_at = UTCDateTimeField()
        delivered_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "payments_sandbox_event"
            indexes = ((("delivered_at", "due_at"), False),)

    db.create_tables([Payment, Call, Refund, LedgerEntry, Dispute, ReceivedEvent, Customer])
    db.create_tables([PaymentMethod, Mark, SandboxObject, SandboxAnswer, SandboxEvent])


def down(migrator, db):
    """Drop them."""
    for table in _TABLES:
        db.execute_sql(f"DROP TABLE payments_{table}")
