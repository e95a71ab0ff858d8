"""The kernel's own tables."""

from typing import Any
from uuid import UUID

import peewee

from bodega_sdk.ids import uuid7
from bodega_sdk.models import Model, UTCDateTimeField, now


class AddonRow(Model):
    """What is installed, and whether it is enabled."""

    name: Any = peewee.CharField(max_length=100, primary_key=True)
    version: Any = peewee.CharField(max_length=100)
    installed: Any = peewee.BooleanField(default=True)
    enabled: Any = peewee.BooleanField()
    # Why enabling it failed the last time: {"culprit", "reason", "remedy"}.
    fault: Any = peewee.JSONField(null=True)
    installed_at: Any = UTCDateTimeField(default=now)
    # Fingerprint of the code that it was installed or last upgraded to.
    code: Any = peewee.CharField(max_length=100, default="")
    # Capabilities that an operator approved: {"hosts": ["points.example"]}.
    approved: Any = peewee.JSONField(null=True)

    class Meta:
        table_name = "bodega_addon"


class Counter(Model):
    """Numbers that only grow: the generation, the last offset of the log."""

    name: Any = peewee.CharField(max_length=100, primary_key=True)
    value: Any = peewee.BigIntegerField()

    class Meta:
        table_name = "bodega_counter"


class CollectionVersion(Model):
    """See :mod:`bodega.database.collections`."""

    name: Any = peewee.CharField(max_length=100)
    stripe: Any = peewee.IntegerField()
    version: Any = peewee.BigIntegerField()

    class Meta:
        table_name = "bodega_collection"
        primary_key = peewee.CompositeKey("name", "stripe")


class EventRow(Model):
    """The outbox. ``offset`` is the event's place in the log, none until it is committed."""

    id: Any = peewee.BigAutoField()
    offset: Any = peewee.BigIntegerField(null=True, unique=True)
    name: Any = peewee.CharField(max_length=100)
    version: Any = peewee.IntegerField()
    key: Any = peewee.CharField(max_length=200)
    data: Any = peewee.JSONField()
    occurred_at: Any = UTCDateTimeField(default=now)

    class Meta:
        table_name = "bodega_event"
        indexes = ((("name", "key", "offset"), False),)


class SubscriptionRow(Model):
    """How far a subscription has read the log."""

    name: Any = peewee.CharField(max_length=300, primary_key=True)
    offset: Any = peewee.BigIntegerField()
    # Failures in a row, when it is tried again, and what was raised last.
    failures: Any = peewee.IntegerField(default=0)
    retry_at: Any = UTCDateTimeField(null=True)
    error: Any = peewee.TextField(null=True)

    class Meta:
        table_name = "bodega_subscription"


class JobRow(Model):
    """A job. See :mod:`bodega.jobs` for the statuses."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    name: Any = peewee.CharField(max_length=200)
    lane: Any = peewee.CharField(max_length=50)
    payload: Any = peewee.JSONField()
    status: Any = peewee.CharField(max_length=20, default="queued")
    run_at: Any = UTCDateTimeField(default=now)
    attempts: Any = peewee.IntegerField(default=0)
    max_attempts: Any = peewee.IntegerField()
    fence: Any = peewee.BigIntegerField(default=0)
    lease_until: Any = UTCDateTimeField(null=True)
    worker: Any = peewee.CharField(max_length=100, null=True)
    checkpoint: Any = peewee.JSONField(default=dict)
    done: Any = peewee.BigIntegerField(default=0)
    total: Any = peewee.BigIntegerField(null=True)
    error: Any = peewee.TextField(null=True)
    created_at: Any = UTCDateTimeField(default=now)
    started_at: Any = UTCDateTimeField(null=True)
    finished_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "bodega_job"
        indexes = ((("status", "lane", "run_at"), False), (("name", "id"), False))


class ScheduleRow(Model):
    """When a scheduled job is due next."""

    name: Any = peewee.CharField(max_length=200, primary_key=True)
    due: Any = UTCDateTimeField()

    class Meta:
        table_name = "bodega_schedule"


class SigningKey(Model):
    """A key that signs tokens; the private part is encrypted with the secret key."""

    kid: Any = peewee.CharField(max_length=50, primary_key=True)
    private: Any = peewee.TextField()
    public: Any = peewee.TextField()
    created_at: Any = UTCDateTimeField(default=now)
    algorithm: Any = peewee.CharField(max_length=20, default="EdDSA")
    signs_from: Any = UTCDateTimeField(null=True)
    # Since when tokens signed with it are refused.
    retired_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "bodega_signing_key"


class RevocationRow(Model):
    """Access tokens of a session that are refused though they have not expired."""

    id: Any = peewee.BigAutoField()
    session: Any = peewee.CharField(max_length=100)
    # Tokens of older versions of the session are refused; all of them when it is null.
    version: Any = peewee.BigIntegerField(null=True)
    # By then they have all expired.
    until: Any = UTCDateTimeField(index=True)

    class Meta:
        table_name = "bodega_revocation"


class SettingRow(Model):
    """A value that the operator gave a setting."""

    name: Any = peewee.CharField(max_length=200, primary_key=True)
    value: Any = peewee.JSONField()

    class Meta:
        table_name = "bodega_setting"


class LedgerRow(Model):
    """Who owns a name; see :mod:`bodega.addons.ledger`."""

    kind: Any = peewee.CharField(max_length=20)
    name: Any = peewee.CharField(max_length=300)
    addon: Any = peewee.CharField(max_length=100, index=True)

    class Meta:
        table_name = "bodega_ledger"
        primary_key = peewee.CompositeKey("kind", "name")


class JournalRow(Model):
    """A transition that takes more than one transaction, until it is done or undone."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    verb: Any = peewee.CharField(max_length=20)
    addon: Any = peewee.CharField(max_length=100)
    step: Any = peewee.CharField(max_length=50)
    enabled_before: Any = peewee.JSONField()
    archive: Any = peewee.TextField(default="")
    began_at: Any = UTCDateTimeField(default=now)

    class Meta:
        table_name = "bodega_journal"


class MailRow(Model):
    """A mail. See :mod:`bodega.mail` for the statuses."""

    id: Any = peewee.UUIDField(primary_key=True, default=uuid7)
    to: Any = peewee.CharField(max_length=254)
    subject: Any = peewee.CharField(max_length=500)
    # Text and HTML, encrypted: mails hold links that reset passwords. None once it was sent.
    body: Any = peewee.TextField(null=True)
    message_id: Any = peewee.CharField(max_length=320)
    status: Any = peewee.CharField(max_length=10, default="queued")
    attempts: Any = peewee.IntegerField(default=0)
    error: Any = peewee.TextField(null=True)
    created_at: Any = UTCDateTimeField(default=now, index=True)
    sent_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "bodega_mail"
        indexes = ((("to", "id"), False), (("status", "id"), False))


class AuditRow(Model):
    """An entry of the audit log; see :mod:`bodega.security.audit`, which alone writes them."""

    seq: Any = peewee.BigIntegerField(primary_key=True)
    at: Any = UTCDateTimeField(index=True)
    actor: Any = peewee.CharField(max_length=200)
    action: Any = peewee.CharField(max_length=100)
    target: Any = peewee.CharField(max_length=200)
    address: Any = peewee.CharField(max_length=64)
    request_id: Any = peewee.CharField(max_length=100)
    # JSON as it was sealed: a column of JSON would give it back in another form.
    details: Any = peewee.TextField()
    previous: Any = peewee.CharField(max_length=64)
    hash: Any = peewee.CharField(max_length=64)

    class Meta:
        table_name = "bodega_audit"
        versioned = True
        indexes = (
            (("actor", "seq"), False),
            (("action", "seq"), False),
            (("target", "seq"), False),
        )

    @property
    def id(self) -> UUID:
        """Its place, in the form in which cursors remember keys."""
        return UUID(int=self.seq)


class AuditHeadRow(Model):
    """The last entry of the audit log; whoever appends holds this row."""

    id: Any = peewee.IntegerField(primary_key=True)
    seq: Any = peewee.BigIntegerField()
    hash: Any = peewee.CharField(max_length=64)

    class Meta:
        table_name = "bodega_audit_head"


class AnswerRow(Model):
    """An answer that a client may ask for again; see :mod:`bodega.http.idempotency`."""

    # A digest of who asked and the key; what was asked; and the answer, encrypted.
    id: Any = peewee.CharField(max_length=64, primary_key=True)
    request: Any = peewee.CharField(max_length=64)
    status: Any = peewee.IntegerField()
    answer: Any = peewee.TextField()
    at: Any = UTCDateTimeField(index=True)

    class Meta:
        table_name = "bodega_answer"


#: All of them.
KERNEL_TABLES: tuple[type[Model], ...] = (
    AddonRow,
    Counter,
    CollectionVersion,
    EventRow,
    SubscriptionRow,
    JobRow,
    ScheduleRow,
    SigningKey,
    RevocationRow,
    SettingRow,
    LedgerRow,
    JournalRow,
    MailRow,
    AuditRow,
    AuditHeadRow,
    AnswerRow,
)
