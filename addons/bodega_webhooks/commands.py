"""Commands: ``bodega webhooks …``."""

import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click

from bodega_sdk import transaction
from bodega_webhooks import api
from bodega_webhooks.fan_out import write_test
from bodega_webhooks.models import STATUSES, Delivery, Webhook
from bodega_webhooks.patterns import is_pattern

_PATIENCE = 35.0


@click.group()
def webhooks() -> None:
    """List, test and replay webhooks.

    Example: bodega webhooks list
    """


def _found(webhook_id: UUID) -> Webhook:
    row = Webhook.find(webhook_id)
    if row is None:
        raise click.ClickException(f"there is no webhook {webhook_id}; see 'bodega webhooks list'")
    if not row.enabled:
        raise click.ClickException(f"webhook {webhook_id} is disabled; enable it first")
    return row


@webhooks.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_webhooks(as_json: bool) -> None:
    """List webhooks, the oldest first.

    Example: bodega webhooks list --json
    """
    rows = list(Webhook.select().order_by(Webhook.id))
    if as_json:
        click.echo(json.dumps([_shown(row) for row in rows]))
        return
    for row in rows:
        state = "enabled" if row.enabled else f"disabled ({row.disabled_reason})"
        click.echo(f"{row.id}  {row.url}  {', '.join(row.event_types)}  {state}")
    if not rows:
        click.echo("There are no webhooks yet; make one with POST /api/v1/webhooks.")


def _shown(row: Webhook) -> dict[str, Any]:
    return {
        "id": str(row.id), "url": row.url, "event_types": row.event_types,
        "is_enabled": row.enabled, "disabled_reason": row.disabled_reason,
    }  # fmt: skip


@webhooks.command()
@click.argument("webhook_id", type=click.UUID)
def test(webhook_id: UUID) -> None:
    """Send a test event to a webhook and tell what came back.

    Example: bodega webhooks test 0190f4a2-7c1e-7000-8000-000000000001
    """
    with transaction():
        key = write_test(_found(webhook_id))
    deadline = time.monotonic() + _PATIENCE
    while (row := Delivery.get_by_id(key)).attempts == 0:
        if time.monotonic() > deadline:
            raise click.ClickException("no worker has sent it yet; is 'bodega worker' running?")
        time.sleep(0.1)
    if row.error:
        raise click.ClickException(f"{row.error}; it is tried again at {row.due_at.isoformat()}")
    click.echo(f"Delivered: the receiver answered {row.response_status}.")


class _Instant(click.ParamType[datetime]):
    name = "instant"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant such as 2026-01-31T12:00:00Z")
        return found if found.tzinfo else found.replace(tzinfo=UTC)


class _Pattern(click.ParamType[str]):
    name = "type"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not is_pattern(value):
            self.fail(f"{value!r} is no event type, 'order.*' or '*'")
        return str(value)


@webhooks.command()
@click.argument("webhook_id", type=click.UUID)
@click.option("--status", type=click.Choice([*STATUSES, "any"]), default="failed",
              show_default=True, help="Only deliveries of this status.")  # fmt: skip
@click.option("--type", "types", type=_Pattern(), multiple=True, help="Only of these types.")
@click.option("--since", type=_Instant(), help="Only from this instant on.")
@click.option("--until", type=_Instant(), help="Only up to this instant.")
@click.option("--missed", is_flag=True, help="Events too that it was never told of.")
@click.option("--dry-run", is_flag=True, help="Only count.")
def replay(webhook_id: UUID, dry_run: bool, types: tuple[str, ...], **told: Any) -> None:
    """Deliver to a webhook once more; receivers see the ids that they saw before.

    Example: bodega webhooks replay 0190f4a2-7c1e-7000-8000-000000000001 --since 2026-01-31
    --dry-run
    """
    row = _found(webhook_id)
    wanted = told | {"event_types": list(types)}
    if dry_run:
        click.echo(f"{api.count(row.id, wanted)} would be delivered once more.")
        return
    job_id = api.replay(row.id, wanted)
    click.echo(f"Replay {job_id} is queued; see GET /api/v1/webhooks/replays/{job_id}.")
