"""The tables of notifications."""

from typing import Any

import peewee

from bodega_sdk import Entity, Model, UTCDateTimeField


class Inbox(Model):
    """What somebody chose; whoever adds to their notifications or reads them holds this row."""

    account: Any = peewee.UUIDField(primary_key=True)
    # Type → {"channels": {channel: whether}, "digest": mode}; what is missing is the default.
    choices: Any = peewee.JSONField(default=dict)
    # "22:00" in their time zone; empty without quiet hours.
    quiet_begins: Any = peewee.CharField(max_length=5, default="")
    quiet_ends: Any = peewee.CharField(max_length=5, default="")
    time_zone: Any = peewee.CharField(max_length=64, default="")

    class Meta:
        table_name = "notifications_inbox"


class Notification(Entity):
    """One fact, as one person is told it; without an account, the team."""

    # Of fact, type and person: nobody is told anything twice.
    key: Any = peewee.CharField(max_length=64, unique=True)
    account: Any = peewee.UUIDField(null=True)
    type: Any = peewee.CharField(max_length=100)
    title: Any = peewee.CharField(max_length=300)
    text: Any = peewee.TextField()
    link: Any = peewee.CharField(max_length=1000, default="")
    data: Any = peewee.JSONField(default=dict)
    # Whether it stands in the inbox; else it is only sent.
    in_app: Any = peewee.BooleanField(default=True)
    read_at: Any = UTCDateTimeField(null=True)
    # It stays for a while, so that nobody is told it again.
    deleted_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "notifications_notification"
        indexes = ((("account", "read_at"), False), (("account", "id"), False))


class Delivery(Entity):
    """A notification that leaves the shop, by one way to one place.

    ======= ==============================================================
    waiting for the time of a digest, or the end of somebody's quiet hours
    queued  for a worker, or for the next try
    mailed  it is a mail now, see ``bodega mail show``
    sent    a service took it
    kept    nobody set an address for this way: it can be read here
    skipped it was read or deleted before its time came
    failed  a service refused it, or could not be reached in time
    ======= ==============================================================
    """

    notification: Any = peewee.ForeignKeyField(Notification, on_delete="CASCADE")
    account: Any = peewee.UUIDField(null=True)
    channel: Any = peewee.CharField(max_length=20)
    # Which of several places: a target's id, or the digest of an address of the operator's.
    target: Any = peewee.CharField(max_length=40, default="")
    status: Any = peewee.CharField(max_length=10)
    # It waits, and goes out with whatever else waits for the same place.
    digest: Any = peewee.BooleanField(default=False)
    due_at: Any = UTCDateTimeField()
    attempts: Any = peewee.IntegerField(default=0)
    error: Any = peewee.TextField(default="")
    sent_at: Any = UTCDateTimeField(null=True)
    mail: Any = peewee.UUIDField(null=True)

    class Meta:
        table_name = "notifications_delivery"
        indexes = (
            (("notification", "channel", "target"), True),
            (("status", "due_at"), False),
        )


class Target(Entity):
    """A place of somebody's own that they want to be told at."""

    account: Any = peewee.UUIDField(index=True)
    name: Any = peewee.CharField(max_length=200)
    service: Any = peewee.CharField(max_length=50)
    # Sealed: it holds tokens.
    url: Any = peewee.TextField()

    class Meta:
        table_name = "notifications_target"


#: All of them.
MODELS = (Inbox, Notification, Delivery, Target)
