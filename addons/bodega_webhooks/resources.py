"""The routes of webhooks."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from bodega_sdk import Collection, Filter, Parameter, Reply, Request, Route, audit, transaction
from bodega_sdk.errors import Conflict
from bodega_webhooks import api, webhooks
from bodega_webhooks.fan_out import write_test
from bodega_webhooks.models import Delivery, Secret, Webhook
from bodega_webhooks.schemas import (
    DeliverySchema,
    ReplayedSchema,
    ReplaySchema,
    RotatedSchema,
    RotationSchema,
    StatsSchema,
    WebhookSchema,
)

READ, WRITE = "webhooks.read", "webhooks.write"


class Webhooks(Collection):
    """Webhooks. An event does not say whose it is: so they are the shop's, not somebody's own."""

    model, schema, noun = Webhook, WebhookSchema, "webhook"
    read, write = READ, WRITE
    filters = (
        Filter(Parameter("is_enabled", bool, "Only these."),
               lambda value: Webhook.enabled == value),
    )  # fmt: skip
    orderings: ClassVar = {"url": Webhook.url}
    searchable = True

    def search(self, text: str) -> Any:
        """Find by a part of the URL or the description."""
        return Webhook.url.contains(text) | Webhook.description.contains(text)

    def create(self, request: Request, data: dict[str, Any]) -> Webhook:
        """Make a webhook; its secret is shown this once."""
        row, row_secret = webhooks.create(data, request.identity.subject)
        row.secret = row_secret
        return row

    def change(self, request: Request, row: Webhook, data: dict[str, Any]) -> Webhook:
        """Change a webhook."""
        row.secret = webhooks.change(row, data)
        return row

    def remove(self, request: Request, row: Webhook) -> None:
        """Delete a webhook and its log."""
        webhooks.remove(row)

    def render(self, rows: Iterable[Webhook]) -> list[dict[str, Any]]:
        """Show webhooks with their keys, and without their secrets but for a new one."""
        found = list(rows)
        keys: dict[Any, list[Secret]] = {}
        ids = [row.id for row in found]
        for key in Secret.select().where(Secret.webhook.in_(ids)).order_by(Secret.id.desc()):
            keys.setdefault(key.webhook_id, []).append(key)
        for row in found:
            row.keys = keys.get(row.id, [])
        shown = super().render(found)
        for item in shown:
            if not item.get("secret"):
                item.pop("secret", None)
        return shown

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return the collection's own routes, and what else one does with a webhook."""
        item = f"{path}/{{id}}"
        return (
            Route("GET", f"{path}/stats", _stats, READ, "Count webhooks and events",
                  returns=StatsSchema),
            *super().routes(path),
            Route("POST", f"{item}/secret/rotate", self._rotate, WRITE, "Replace a webhook's keys",
                  description="The old keys sign beside the new ones for `overlap_hours`.",
                  body=RotationSchema, returns=RotatedSchema),
            Route("POST", f"{item}/test", self._test, WRITE, "Send a test event",
                  description="It is sent at once and logged like any other; follow `Location`.",
                  returns=DeliverySchema, status=202),
            Route("POST", f"{item}/replay", self._replay, WRITE, "Deliver once more",
                  description="All deliveries of a status, of some types, of some time. Receivers "
                  "see the ids that they saw before. With `dry_run` they are only counted.",
                  body=ReplaySchema, returns=ReplayedSchema, status=202),
        )  # fmt: skip

    def _rotate(self, request: Request) -> dict[str, Any]:
        overlap = timedelta(hours=request.body["overlap_hours"])
        with transaction():
            made = webhooks.rotate(self.hold(request), overlap, request.body["secret"])
        shown: dict[str, Any] = RotatedSchema().dump(made)
        return shown

    def _test(self, request: Request) -> Reply:
        with transaction():
            row = self.hold(request)
            refuse_disabled(row)
            key = write_test(row)
            audit("webhook.tested", f"webhook:{row.id}")
        shown = DeliverySchema().dump(Delivery.get_by_id(key))
        return Reply(shown, 202, {"Location": f"/api/v1/webhooks/deliveries/{key}"})

    def _replay(self, request: Request) -> Reply:
        row = self.get(request)
        if request.body["dry_run"]:
            counted = {"id": None, "status": "dry_run", "count": api.count(row.id, request.body)}
            return Reply(counted | {"done": 0}, 200)
        refuse_disabled(row)
        job_id = api.replay(row.id, request.body)
        return Reply(
            api.replay_state(job_id), 202, {"Location": f"/api/v1/webhooks/replays/{job_id}"}
        )


def refuse_disabled(row: Webhook) -> None:
    """Refuse to send to a webhook that is disabled."""
    if not row.enabled:
        raise Conflict("This webhook is disabled; enable it first.")


def _stats(request: Request) -> dict[str, Any]:
    shown: dict[str, Any] = StatsSchema().dump(api.counts())
    return shown
