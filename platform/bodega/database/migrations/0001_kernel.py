"""The kernel's first tables."""

import peewee

from bodega_sdk.models import UTCDateTimeField


def up(migrator, db):
    """Create the tables."""

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class AddonRow(Base):
        name = peewee.CharField(max_length=100, primary_key=True)
        version = peewee.CharField(max_length=100)
        installed = peewee.BooleanField()
        enabled = peewee.BooleanField()
        fault = peewee.JSONField(null=True)
        installed_at = UTCDateTimeField()

        class Meta:
            table_name = "bodega_addon"

    class Counter(Base):
        name = peewee.CharField(max_length=100, primary_key=True)
        value = peewee.BigIntegerField()

        class Meta:
            table_name = "bodega_counter"

    class CollectionVersion(Base):
        name = peewee.CharField(max_length=100)
        stripe = peewee.IntegerField()
        version = peewee.BigIntegerField()

        class Meta:
            table_name = "bodega_collection"
            primary_key = peewee.CompositeKey("name", "stripe")

    class EventRow(Base):
        id = peewee.BigAutoField()
        offset = peewee.BigIntegerField(null=True, unique=True)
        name = peewee.CharField(max_length=100)
        version = peewee.IntegerField()
        key = peewee.CharField(max_length=200)
        data = peewee.JSONField()
        occurred_at = UTCDateTimeField()

        class Meta:
            table_name = "bodega_event"
            indexes = ((("name", "key", "offset"), False),)

    class SubscriptionRow(Base):
        name = peewee.CharField(max_length=300, primary_key=True)
        offset = peewee.BigIntegerField()

        class Meta:
            table_name = "bodega_subscription"

    class JobRow(Base):
        id = peewee.UUIDField(primary_key=True)
        name = peewee.CharField(max_length=200)
        lane = peewee.CharField(max_length=50)
        payload = peewee.JSONField()
        status = peewee.CharField(max_length=20)
        run_at = UTCDateTimeField()
        attempts = peewee.IntegerField()
        max_attempts = peewee.IntegerField()
        fence = peewee.BigIntegerField()
        lease_until = UTCDateTimeField(null=True)
        worker = peewee.CharField(max_length=100, null=True)
        checkpoint = peewee.JSONField()
        done = peewee.BigIntegerField()
        total = peewee.BigIntegerField(null=True)
        error = peewee.TextField(null=True)
        created_at = UTCDateTimeField()
        started_at = UTCDateTimeField(null=True)
        finished_at = UTCDateTimeField(null=True)

        class Meta:
            table_name = "bodega_job"
            indexes = ((("status", "lane", "run_at"), False), (("name", "id"), False))

    class ScheduleRow(Base):
        name = peewee.CharField(max_length=200, primary_key=True)
        due = UTCDateTimeField()

        class Meta:
            table_name = "bodega_schedule"

    class SigningKey(Base):
        kid = peewee.CharField(max_length=50, primary_key=True)
        private = peewee.TextField()
        public = peewee.TextField()
        created_at = UTCDateTimeField()

        class Meta:
            table_name = "bodega_signing_key"

    class SettingRow(Base):
        name = peewee.CharField(max_length=200, primary_key=True)
        value = peewee.JSONField()

        class Meta:
            table_name = "bodega_setting"

    class LedgerRow(Base):
        kind = peewee.CharField(max_length=20)
        name = peewee.CharField(max_length=300)
        addon = peewee.CharField(max_length=100, index=True)

        class Meta:
            table_name = "bodega_ledger"
            primary_key = peewee.CompositeKey("kind", "name")

    class JournalRow(Base):
        id = peewee.UUIDField(primary_key=True)
        verb = peewee.CharField(max_length=20)
        addon = peewee.CharField(max_length=100)
        step = peewee.CharField(max_length=50)
        enabled_before = peewee.JSONField()
        archive = peewee.TextField()
        began_at = UTCDateTimeField()

        class Meta:
            table_name = "bodega_journal"

    db.create_tables(
        [
            AddonRow,
            Counter,
            CollectionVersion,
            EventRow,
            SubscriptionRow,
            JobRow,
            ScheduleRow,
            SigningKey,
            SettingRow,
            LedgerRow,
            JournalRow,
        ]
    )
    # The relay looks for these twenty times a second.
    db.execute_sql('CREATE INDEX bodega_event_pending ON bodega_event (id) WHERE "offset" IS NULL')


def down(migrator, db):
    """Drop them."""
    for name in (
        "bodega_addon",
        "bodega_counter",
        "bodega_collection",
        "bodega_event",
        "bodega_subscription",
        "bodega_job",
        "bodega_schedule",
        "bodega_signing_key",
        "bodega_setting",
        "bodega_ledger",
        "bodega_journal",
    ):
        db.execute_sql(f"DROP TABLE {name}")
