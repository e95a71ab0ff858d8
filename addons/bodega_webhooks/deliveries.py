"""The routes of deliveries: what was sent, when, and what came back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

import orjson
import peewee

from bodega_sdk import Collection, Filter, Parameter, Reply, Request, Route, audit, transaction
from bodega_sdk.errors import FieldError, NotFound
from bodega_webhooks import api
from bodega_webhooks.models import STATUSES, Attempt, Delivery, Payload, Webhook
from bodega_webhooks.patterns import is_pattern
from bodega_webhooks.replaying import again
from bodega_webhooks.resources import READ, WRITE, Webhooks, refuse_disabled
from bodega_webhooks.schemas import DeliverySchema, ReplayedSchema, WholeDeliverySchema


def _time(name: str, help_text: str, by: Callable[[datetime], Any]) -> Filter:
    parameter = Parameter(name, str, help_text)

    def apply(text: str) -> Any:
        try:
            # A plus that nobody escaped has become a space.
            found = datetime.fromisoformat(text.replace(" ", "+"))
        except ValueError:
            raise parameter.wrong(
                "Expected an instant such as 2026-01-31T12:00:00Z.", text
            ) from None
        return by(found if found.tzinfo else found.replace(tzinfo=UTC))

    return Filter(parameter, apply)


_TYPE = Parameter("event_type", str, "Only this type; order.* for all that begin so.")


def _of_type(text: str) -> Any:
    if not is_pattern(text):
        raise _TYPE.wrong("Expected a type, order.* or *.", text)
    if text.endswith("*"):
        return Delivery.event_type.startswith(text[:-1])
    return Delivery.event_type == text


class Deliveries(Collection):
    """All deliveries, the newest first."""

    model, schema, noun, nouns = Delivery, DeliverySchema, "delivery", "deliveries"
    read, write = READ, WRITE
    verbs = ("list",)
    filters = (
        Filter(Parameter("status", str, "Only of this status.", choices=STATUSES),
               lambda value: Delivery.status == value),
        Filter(_TYPE, _of_type),
        Filter(Parameter("event_key", str, "Only about this, e.g. an order's id."),
               lambda value: Delivery.event_key == value),
        _time("since", "Only from this instant on.", lambda at: Delivery.created_at >= at),
        _time("until", "Only up to this instant.", lambda at: Delivery.created_at <= at),
    )  # fmt: skip
    orderings: ClassVar = {"due_at": Delivery.due_at}
    searchable = True

    def search(self, text: str) -> Any:
        """Find by the id of the message, or what the event is about."""
        return (Delivery.message_id == text) | (Delivery.event_key == text)

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return the list, and what one does with a delivery."""
        item = f"{path}/{{id}}"
        return (
            *super().routes(path),
            Route("GET", item, self._read_whole, READ, "Read a delivery with its attempts",
                  returns=WholeDeliverySchema),
            Route("POST", f"{item}/retry", self._retry, WRITE, "Deliver one once more",
                  description="At once, and as if for the first time; its id stays.",
                  returns=DeliverySchema, status=202),
            Route("GET", "/webhooks/replays/{id}", _replay, READ, "See how far a replay is",
                  returns=ReplayedSchema),
        )  # fmt: skip

    def _read_whole(self, request: Request) -> dict[str, Any]:
        row = self.get(request)
        body = Payload.get_or_none(Payload.id == row.payload)
        attempts = Attempt.select().where(Attempt.delivery == row.id).order_by(Attempt.started_at)
        log = [_attempt(item) for item in attempts.limit(200)]
        row.log = log
        shown: dict[str, Any] = WholeDeliverySchema(exclude=("payload",)).dump(row)
        return shown | {"payload": orjson.loads(body.body) if body else None}

    def _retry(self, request: Request) -> Reply:
        with transaction():
            row = self.hold(request)
            refuse_disabled(row.webhook)
            again([row.id])
            audit("webhook.delivery_retried", f"webhook:{row.webhook_id}", delivery=str(row.id))
        return Reply(self.show(Delivery.get_by_id(row.id)), 202)


def _attempt(row: Attempt) -> dict[str, Any]:
    names = ("number", "started_at", "milliseconds", "status", "error")
    response = None
    if row.status is not None:
        lines = row.response_headers.splitlines()
        headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
        response = {"status": row.status, "headers": headers, "body": row.response_body}
    return {name: getattr(row, name) for name in names} | {
        "request": orjson.loads(row.request), "response": response,
    }  # fmt: skip


def _replay(request: Request) -> dict[str, Any]:
    key = request.params["id"]
    found = api.replay_state(key)
    if found is None:
        raise NotFound("There is no replay with this id.", [FieldError("id", "Unknown.", str(key))])
    return found


class DeliveriesOfOne(Collection):
    """The deliveries of one webhook."""

    model, schema, noun, nouns = Delivery, DeliverySchema, "delivery", "deliveries"
    read, write = READ, WRITE
    verbs = ("list",)
    filters = Deliveries.filters
    orderings = Deliveries.orderings
    searchable = True
    search = Deliveries.search

    def select(self, request: Request) -> peewee.ModelSelect:
        """The deliveries of the webhook that the address names."""
        webhook: Webhook = Webhooks().get(request)
        return Delivery.select().where(Delivery.webhook == webhook.id)
