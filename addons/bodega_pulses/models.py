"""The tables of pulses.

Times in them are microseconds since 1970, UTC: whole numbers that both engines compare,
divide and partition alike, at a third of the size of text.
"""

from typing import Any

import peewee

from bodega_sdk import Entity, Model, UTCDateTimeField


class Series(Entity):
    """What points belong to: a product, a unit and a source.

    What it shows of its points follows them as rollups do, within a second or so.
    """

    # What points refer to: four bytes in place of sixteen in each of them.
    number: Any = peewee.IntegerField(unique=True)
    product: Any = peewee.UUIDField()
    unit: Any = peewee.CharField(max_length=50)
    source: Any = peewee.CharField(max_length=100)
    first_at: Any = peewee.BigIntegerField(null=True)
    last_at: Any = peewee.BigIntegerField(null=True)
    last_value: Any = peewee.DoubleField(null=True)
    # Up to where rules of alerts have looked.
    watched_at: Any = peewee.BigIntegerField(default=0)

    class Meta:
        table_name = "pulses_series"
        indexes = ((("product", "unit", "source"), True),)


class Point(Model):
    """A value at a time; on PostgreSQL in a partition for each month."""

    series: Any = peewee.IntegerField()
    at: Any = peewee.BigIntegerField()
    value: Any = peewee.DoubleField()

    class Meta:
        table_name = "pulses_point"
        primary_key = peewee.CompositeKey("series", "at")


class Mark(Model):
    """Minutes of a series whose rollups do not know yet what was written; see ``rolling``."""

    id: Any = peewee.BigAutoField()
    series: Any = peewee.IntegerField(index=True)
    # From the beginning of a minute to that of another.
    first: Any = peewee.BigIntegerField(index=True)
    behind: Any = peewee.BigIntegerField()

    class Meta:
        table_name = "pulses_mark"


class Rollup(Model):
    """What the points of a series come to in a minute, an hour or a day; never deleted."""

    series: Any = peewee.IntegerField()
    # Seconds: 60, 3600 or 86400.
    size: Any = peewee.IntegerField()
    at: Any = peewee.BigIntegerField()
    count: Any = peewee.BigIntegerField()
    sum: Any = peewee.DoubleField()
    min: Any = peewee.DoubleField()
    max: Any = peewee.DoubleField()
    last: Any = peewee.DoubleField()
    last_at: Any = peewee.BigIntegerField()
    sketch: Any = peewee.TextField()

    class Meta:
        table_name = "pulses_rollup"
        primary_key = peewee.CompositeKey("series", "size", "at")


class Horizon(Model):
    """Before when points have been deleted, in one row; it only ever moves forward."""

    id: Any = peewee.IntegerField(primary_key=True)
    at: Any = peewee.BigIntegerField()

    class Meta:
        table_name = "pulses_horizon"


class Rule(Entity):
    """When an alert is raised."""

    name: Any = peewee.CharField(max_length=200)
    # Of all products, units and sources where they are null.
    product: Any = peewee.UUIDField(null=True, index=True)
    unit: Any = peewee.CharField(max_length=50, null=True)
    source: Any = peewee.CharField(max_length=100, null=True)
    kind: Any = peewee.CharField(max_length=10)
    # Of a threshold: the value; of an anomaly: standard deviations.
    threshold: Any = peewee.DoubleField()
    # How far back it must come before the next alert: in the threshold's terms.
    hysteresis: Any = peewee.DoubleField(default=0.0)
    window_minutes: Any = peewee.IntegerField(default=60)
    cooldown_minutes: Any = peewee.IntegerField(default=0)
    enabled: Any = peewee.BooleanField(default=True)

    class Meta:
        table_name = "pulses_rule"


class Alert(Entity):
    """A crossing: raised once, cleared when the values came back."""

    rule: Any = peewee.ForeignKeyField(Rule, on_delete="CASCADE", column_name="rule")
    series: Any = peewee.IntegerField(index=True)
    product: Any = peewee.UUIDField(index=True)
    unit: Any = peewee.CharField(max_length=50)
    source: Any = peewee.CharField(max_length=100)
    value: Any = peewee.DoubleField()
    at: Any = peewee.BigIntegerField()
    reason: Any = peewee.CharField(max_length=300)
    cleared_at: Any = UTCDateTimeField(null=True)
    # Whether people were told; in the cool-down behind another they are not.
    told: Any = peewee.BooleanField()

    class Meta:
        table_name = "pulses_alert"


MODELS: tuple[type[Model], ...] = (Series, Point, Mark, Rollup, Horizon, Rule, Alert)
