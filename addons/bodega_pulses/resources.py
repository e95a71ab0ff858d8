"""The routes of pulses."""

from typing import Any, ClassVar
from uuid import UUID

from bodega_pulses import (
    alerting,
    asking,
    bodies,
    instants,
    json_points,
    line_protocol,
    querying,
    rolling,
    streaming,
)
from bodega_pulses.models import Alert, Rule, Series
from bodega_pulses.schemas import (
    LatestSchema,
    PulseAlertSchema,
    PulseRuleSchema,
    PulsesSchema,
    RecordedSchema,
    SeriesSchema,
)
from bodega_sdk import (
    PUBLIC,
    Collection,
    Filter,
    Parameter,
    Reply,
    Request,
    Route,
    now,
)
from bodega_sdk.errors import BadRequest, FieldError, Problem, UnsupportedMedia

READ, WRITE, MANAGE = "pulses.read", "pulses.write", "pulses.manage"
_PRODUCT = Parameter("product", UUID, "Only of this product.")
_JSON, _LINES = "application/json", "application/x-ndjson"
_PRECISION = Parameter(
    "precision", str, "Of the timestamps.", "ns", choices=tuple(line_protocol.PRECISIONS)
)
#: What an InfluxDB client says of where it writes; there is one place here.
_PLACE = tuple(Parameter(name, str, "Not used.") for name in ("org", "orgID", "bucket"))


def routes() -> tuple[Route, ...]:
    """Return the routes that are no collections."""
    return (
        Route(
            "POST", "/pulses", _record, WRITE, "Record points",
            description="One point, a list, or `{\"points\": […]}` as JSON; or one on each line as "
            "`application/x-ndjson`. A point is `{product, timestamp, value, unit, source}`; the "
            "product is an id or a SKU, unit and source may be left out. `Content-Encoding: gzip` "
            "is understood. All are stored or none. Sent again, a point changes nothing; with "
            "another value it takes the place of the one of its series and time.",
            media=_JSON, largest=bodies.LARGEST, returns=RecordedSchema,
            reads={"Content-Encoding": "`gzip` of a packed body."},
        ),
        Route(
            "POST", "/pulses/influx/api/v2/write", _write, WRITE, "Record points as InfluxDB does",
            description="Line protocol, as clients of InfluxDB 2 write it whose address is "
            "`/api/v1/pulses/influx`: `measurement,product=…,unit=… value=21.5 1700000000`.",
            parameters=(*_PLACE, _PRECISION), media="text/plain", largest=bodies.LARGEST,
            status=204, reads={"Content-Encoding": "`gzip` of a packed body."},
        ),
        Route("GET", "/pulses/influx/ping", _ping, PUBLIC, "Answer the ping of an InfluxDB client",
              status=204),
        Route(
            "GET", "/pulses", _ask, READ, "Read points or rollups",
            description="Rollups are of whole buckets, the one that `from` falls into too, and "
            "never behind what was recorded.",
            parameters=asking.PARAMETERS, returns=PulsesSchema,
        ),
        Route("GET", "/pulses/latest", _latest, READ, "Read the newest point of each series",
              parameters=(asking.PRODUCT,), returns=LatestSchema),
    )  # fmt: skip


def _record(request: Request) -> dict[str, Any]:
    media = (request.raw.content_type or "").partition(";")[0].strip().lower()
    if media not in (_JSON, _LINES):
        message = f"Expected {_JSON} or {_LINES}."
        raise UnsupportedMedia(message, [FieldError("Content-Type", message, media or None)])
    data = bodies.read(request)
    found = streaming.record(json_points.NDJSON if media == _LINES else json_points.JSON, data)
    return {name: getattr(found, name) for name in ("created", "changed", "unchanged")}


def _write(request: Request) -> Reply:
    """Record lines; what is wrong with them is told in the way that clients show."""
    try:
        form = line_protocol.form(request.query["precision"], now())
        streaming.record(form, bodies.read(request))
    except Problem as problem:
        raise _as_influx(problem) from None
    return Reply(status=204)


def _as_influx(problem: Problem) -> Problem:
    faults = "; ".join(f"{one.field}: {one.message}" for one in problem.errors[:3])
    told = {"message": f"{problem.detail} {faults}".strip()}
    problem.extra |= told
    if problem.status != 422:
        return problem
    return BadRequest(problem.detail, problem.errors, extra=problem.extra)


def _ping(request: Request) -> Reply:
    return Reply(status=204, headers={"X-Influxdb-Build": "Bodega", "X-Influxdb-Version": "v2"})


def _ask(request: Request) -> dict[str, Any]:
    question = asking.question_of(request)
    rows, further = querying.answer(question)
    cursor = None if further is None else f"{further[0]}.{further[1]}"
    return {
        "resolution": question.resolution,
        "timezone": question.zone.key if question.zone else "UTC",
        "next": cursor and request.url(**asking.pinned(question), cursor=cursor),
        "pulses": rows,
    }


def _latest(request: Request) -> dict[str, Any]:
    product = request.query.get("product")
    if product is not None:
        rolling.settle([one.number for one in querying.series_of(product, None, None)])
    query = Series.select().where(Series.last_at.is_null(False))
    if product is not None:
        query = query.where(Series.product == product)
    found = query.order_by(Series.last_at.desc(), Series.number).limit(querying.MOST_SERIES)
    return {
        "pulses": [
            {"product": one.product, "timestamp": instants.shown(one.last_at),
             "value": one.last_value, "unit": one.unit, "source": one.source}
            for one in found
        ],
    }  # fmt: skip


class SeriesList(Collection):
    """The series that there are."""

    model, schema, noun, nouns = Series, SeriesSchema, "series", "series"
    read, write = READ, WRITE
    verbs = ("list", "read")
    filters = (
        Filter(_PRODUCT, lambda value: Series.product == value),
        Filter(Parameter("unit", str, "Only of this unit."), lambda value: Series.unit == value),
        Filter(Parameter("source", str, "Only of this source."),
               lambda value: Series.source == value),
    )  # fmt: skip


class Rules(Collection):
    """When alerts are raised."""

    model, schema, noun = Rule, PulseRuleSchema, "rule"
    read, write = READ, MANAGE
    filters = (
        Filter(_PRODUCT, lambda value: Rule.product == value),
        Filter(Parameter("enabled", bool, "Only those that are, or are not."),
               lambda value: Rule.enabled == value),
    )  # fmt: skip
    orderings: ClassVar = {"name": Rule.name}

    def create(self, request: Request, data: dict[str, Any]) -> Rule:
        """Make a rule."""
        alerting.check(data)
        made: Rule = Rule.create(**data)
        return made

    def change(self, request: Request, row: Rule, data: dict[str, Any]) -> Rule:
        """Change a rule; its open alerts are cleared, for they were of another rule."""
        alerting.check({name: getattr(row, name) for name in ("kind", "threshold")} | data)
        for name, value in data.items():
            setattr(row, name, value)
        row.updated_at = now()
        row.save()
        alerting.clear_of(row)
        return row


class Alerts(Collection):
    """What crossed the line of a rule."""

    model, schema, noun = Alert, PulseAlertSchema, "alert"
    read, write = READ, MANAGE
    verbs = ("list", "read")
    filters = (
        Filter(_PRODUCT, lambda value: Alert.product == value),
        Filter(Parameter("rule", UUID, "Only of this rule."), lambda value: Alert.rule == value),
        Filter(Parameter("open", bool, "Only those not cleared yet, or only the others."),
               lambda value: Alert.cleared_at.is_null(value)),
    )  # fmt: skip
