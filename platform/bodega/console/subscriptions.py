"""The kernel's page about who reads the log of events."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bodega.jobs import subscriptions as reading
from bodega.jobs.subscriptions import Standing
from bodega_sdk.console import Badge, Block, ConsolePage, Notice, Table
from bodega_sdk.http import Request

if TYPE_CHECKING:
    from bodega.shop import Session

_TONES = {"current": "good", "behind": "plain", "failing": "bad", "disabled": "plain"}
_COLUMNS = ("Subscription", "Addon", "State", "Place", "Behind", "Oldest unread", "Failures",
            "Tried again", "Error")  # fmt: skip


def pages(session: "Session") -> tuple[ConsolePage, ...]:
    """Return the page."""
    return (
        ConsolePage(
            "events/subscriptions", "Subscriptions", "bodega.read",
            lambda request: subscriptions(session, request),
            "Who reads the log of events, and how far they are.",
        ),
    )  # fmt: skip


def subscriptions(session: "Session", request: Request) -> Iterator[Block]:
    """Every subscription; the failing ones first of all."""
    found = reading.standings(session)
    for item in found:
        if item.state == "failing":
            yield Notice(f"{item.name} has failed {item.failures} times: {item.error}", "bad")
    yield Table(_COLUMNS, [_row(item) for item in found], empty="Nobody reads the log.")


def _row(item: Standing) -> tuple[Any, ...]:
    return (
        item.name, item.addon or None, Badge(item.state, _TONES[item.state]), str(item.offset),
        item.behind, item.oldest_unread, item.failures, item.retry_at, item.error,
    )  # fmt: skip
