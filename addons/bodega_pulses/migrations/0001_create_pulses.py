"""The tables of pulses."""

import peewee

from bodega_sdk import UTCDateTimeField


def up(migrator, db):
    """Create them; on PostgreSQL points lie in partitions by time.

    No key points to products: what was measured of one stays when it goes.
    """

    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Entity(Base):
        id = peewee.UUIDField(primary_key=True)
        created_at = UTCDateTimeField(index=True)
        updated_at = UTCDateTimeField()

    class Series(Entity):
        number = peewee.IntegerField(unique=True)
        product = peewee.UUIDField()
        unit = peewee.CharField(max_length=50)
        source = peewee.CharField(max_length=100)
        first_at = peewee.BigIntegerField(null=True)
        last_at = peewee.BigIntegerField(null=True)
        last_value = peewee.DoubleField(null=True)
        watched_at = peewee.BigIntegerField()

        class Meta:
            table_name = "pulses_series"
            indexes = ((("product", "unit", "source"), True),)

    class Mark(Base):
        id = peewee.BigAutoField()
        series = peewee.IntegerField(index=True)
        first = peewee.BigIntegerField(index=True)
        behind = peewee.BigIntegerField()

        class Meta:
            table_name = "pulses_mark"

    class Rollup(Base):
        series = peewee.IntegerField()
        size = peewee.IntegerField()
        at = peewee.BigIntegerField()
        count = peewee.BigIntegerField()
        sum = peewee.DoubleField()
        min = peewee.DoubleField()
        max = peewee.DoubleField()
        last = peewee.DoubleField()
        last_at = peewee.BigIntegerField()
        sketch = peewee.TextField()

        class Meta:
            table_name = "pulses_rollup"
            primary_key = peewee.CompositeKey("series", "size", "at")

    class Horizon(Base):
        id = peewee.IntegerField(primary_key=True)
        at = peewee.BigIntegerField()

        class Meta:
            table_name = "pulses_horizon"

    class Rule(Entity):
        name = peewee.CharField(max_length=200)
        product = peewee.UUIDField(null=True, index=True)
        unit = peewee.CharField(max_length=50, null=True)
        source = peewee.CharField(max_length=100, null=True)
        kind = peewee.CharField(max_length=10)
        threshold = peewee.DoubleField()
        hysteresis = peewee.DoubleField()
        window_minutes = peewee.IntegerField()
        cooldown_minutes = peewee.IntegerField()
        enabled = peewee.BooleanField()

        class Meta:
            table_name = "pulses_rule"

    class Alert(Entity):
        rule = peewee.ForeignKeyField(Rule, on_delete="CASCADE", column_name="rule")
        series = peewee.IntegerField(index=True)
        product = peewee.UUIDField(index=True)
        unit = peewee.CharField(max_length=50)
        source = peewee.CharField(max_length=100)
        value = peewee.DoubleField()
        at = peewee.BigIntegerField()
        reason = peewee.CharField(max_length=300)
        cleared_at = UTCDateTimeField(null=True)
        told = peewee.BooleanField()

        class Meta:
            table_name = "pulses_alert"

    db.create_tables([Series, Mark, Rollup, Horizon, Rule, Alert])
    # What rules have to look at is found without reading the other series.
    db.execute_sql(
        "CREATE INDEX pulses_series_unwatched ON pulses_series (number) WHERE last_at > watched_at"
    )
    if isinstance(db, peewee.PostgresqlDatabase):
        db.execute_sql(
            "CREATE TABLE pulses_point (series integer NOT NULL, at bigint NOT NULL, "
            "value double precision NOT NULL, PRIMARY KEY (series, at)) PARTITION BY RANGE (at)"
        )
        # For what no month is there yet; a job moves it.
        db.execute_sql("CREATE TABLE pulses_point_rest PARTITION OF pulses_point DEFAULT")
    else:
        db.execute_sql(
            'CREATE TABLE "pulses_point" ("series" INTEGER NOT NULL, "at" BIGINT NOT NULL, '
            '"value" REAL NOT NULL, PRIMARY KEY ("series", "at")) WITHOUT ROWID'
        )


def down(migrator, db):
    """Drop them; on PostgreSQL partitions go with what they are of."""
    for table in ("alert", "rule", "horizon", "rollup", "mark", "point", "series"):
        db.execute_sql(f"DROP TABLE pulses_{table}")
