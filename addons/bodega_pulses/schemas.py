"""What pulses look like outside."""

from datetime import datetime
from typing import Any

import marshmallow

from bodega_pulses.instants import instant
from bodega_pulses.sketches import LARGEST
from bodega_sdk.schemas import (
    Boolean,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Timestamp,
    Uuid,
    ValidationError,
    validate,
)

#: Of what a rule compares values with; larger ones are mistakes.
_LIMIT = 1e18
KINDS = ("above", "below", "anomaly")


class Number(marshmallow.fields.Float):
    """A finite number; ``"1"`` and ``true`` are none."""

    def __init__(
        self, *, minimum: float = -LARGEST, maximum: float = LARGEST, **kwargs: Any
    ) -> None:
        super().__init__(validate=validate.Range(min=minimum, max=maximum), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if type(value) not in (int, float):
            raise self.make_error("invalid")
        try:
            return float(value)
        except OverflowError:
            raise ValidationError("Too large.") from None


class RecordedSchema(Schema):
    """What became of points that were sent."""

    created = Integer(required=True, metadata={"description": "Points that are new."})
    changed = Integer(
        required=True, metadata={"description": "Points that had another value before."}
    )
    unchanged = Integer(required=True, metadata={"description": "Points that were there as sent."})


class PulseSchema(Schema):
    """A point, or a bucket with what was asked for."""

    product = Uuid(required=True)
    timestamp = Timestamp(required=True, metadata={"description": "Of a bucket, its beginning."})
    unit = String(required=True)
    source = String(required=True)
    value = Number(metadata={"description": "Of a point."})
    min = Number(allow_none=True)
    max = Number(allow_none=True)
    avg = Number(allow_none=True)
    sum = Number(allow_none=True)
    count = Integer()
    last = Number(allow_none=True)
    p95 = Number(allow_none=True, metadata={"description": "Within one per cent."})


class PulsesSchema(Schema):
    """A page of points or buckets, by time."""

    resolution = String(required=True)
    timezone = String(required=True)
    next = String(
        required=True, allow_none=True, max_length=4000,
        metadata={"description": "Address of the next page."},
    )  # fmt: skip
    pulses = List(Nested(PulseSchema), required=True)


class LatestPointSchema(Schema):
    """The newest point of a series."""

    product = Uuid(required=True)
    timestamp = Timestamp(required=True)
    value = Number(required=True)
    unit = String(required=True)
    source = String(required=True)


class LatestSchema(Schema):
    """The newest points of series, the newest first."""

    pulses = List(Nested(LatestPointSchema), required=True)


def _time(name: str) -> Any:
    def read(row: Any) -> datetime | None:
        at = getattr(row, name)
        return None if at is None else instant(at)

    return read


class SeriesSchema(Schema):
    """What points belong to."""

    id = Uuid(dump_only=True)
    product = Uuid(dump_only=True)
    unit = String(dump_only=True)
    source = String(dump_only=True)
    first_at = Timestamp(dump_only=True, allow_none=True)
    last_at = Timestamp(dump_only=True, allow_none=True)
    last_value = Number(dump_only=True, allow_none=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)

    made = {"first_at": _time("first_at"), "last_at": _time("last_at")}  # noqa: RUF012


class PulseRuleSchema(Schema):
    """When an alert is raised."""

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, strip=True)
    product = Uuid(allow_none=True, metadata={"description": "Of all products when null."})
    unit = String(max_length=50, allow_none=True)
    source = String(max_length=100, allow_none=True)
    kind = String(
        required=True, validate=validate.OneOf(KINDS),
        metadata={"description": "Above or below a value, or so many standard deviations off "
                  "the mean of a trailing window."},
    )  # fmt: skip
    threshold = Number(
        required=True,
        minimum=-_LIMIT,
        maximum=_LIMIT,
        metadata={"description": "The value, or the standard deviations."},
    )
    hysteresis = Number(
        minimum=0,
        maximum=_LIMIT,
        metadata={"description": "How far back values must come to clear an alert."},
    )
    window_minutes = Integer(minimum=1, maximum=1440)
    cooldown_minutes = Integer(
        minimum=0, maximum=10_080,
        metadata={"description": "People are told of one alert of a series in so many minutes."},
    )  # fmt: skip
    enabled = Boolean()
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class PulseAlertSchema(Schema):
    """A crossing."""

    id = Uuid(dump_only=True)
    rule = Uuid(dump_only=True, attribute="rule_id")
    product = Uuid(dump_only=True)
    unit = String(dump_only=True)
    source = String(dump_only=True)
    value = Number(dump_only=True)
    timestamp = Timestamp(dump_only=True)
    reason = String(dump_only=True, max_length=300)
    told = Boolean(dump_only=True, metadata={"description": "False within a cool-down."})
    cleared_at = Timestamp(dump_only=True, allow_none=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)

    made = {"timestamp": _time("at")}  # noqa: RUF012
