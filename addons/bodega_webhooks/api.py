"""The public face of webhooks, for other addons and for what is served here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import peewee

from bodega_sdk import job_state
from bodega_webhooks import replaying
from bodega_webhooks.models import DELIVERED, FAILED, WAITING, Delivery, Webhook


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts, as dashboards show them; deliveries count for as long as they are kept."""

    configured_webhooks: int
    enabled_webhooks: int
    total_events_sent: int
    failed_events: int
    waiting_events: int


def counts() -> Counts:
    """Count webhooks and deliveries."""
    number = peewee.fn.COUNT(Delivery.id)
    query = Delivery.select(Delivery.status, number).group_by(Delivery.status)
    found: dict[str, int] = dict(query.tuples())
    return Counts(
        Webhook.select().count(),
        Webhook.select().where(Webhook.enabled).count(),
        found.get(DELIVERED, 0), found.get(FAILED, 0), found.get(WAITING, 0),
    )  # fmt: skip


def count(webhook: UUID, wanted: Mapping[str, Any]) -> int:
    """Return how many deliveries a replay would make.

    Args:
        wanted: status, event_types, since, until and missed, as ``ReplaySchema`` loads them.
    """
    return replaying.count(webhook, wanted)


def replay(webhook: UUID, wanted: Mapping[str, Any]) -> UUID:
    """Have deliveries made once more; return the id of the replay.

    Args:
        wanted: as of :func:`count`.
    """
    return replaying.begin(webhook, wanted)


def replay_state(replay_id: UUID) -> dict[str, Any] | None:
    """Return how far a replay is; None when there is none with this id."""
    state = job_state(replay_id)
    if state is None or state.name != replaying.replay.name:
        return None
    return {
        "id": str(state.id), "status": state.status, "count": state.total, "done": state.done
    }  # fmt: skip
