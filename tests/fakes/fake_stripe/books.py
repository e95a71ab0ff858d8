"""What the fake Stripe knows: objects, events, money; and the time."""

import itertools
import secrets
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from fake_stripe.cards import Card
from fake_stripe.refusals import missing

Object = dict[str, Any]


@dataclass
class Books:
    """All objects by their ids, in the order in which they were made."""

    objects: dict[str, Object] = field(default_factory=dict)
    events: list[Object] = field(default_factory=list)
    cards: dict[str, Card] = field(default_factory=dict)
    #: What happens by itself, later: see :meth:`pass_time`.
    later: list[Callable[[], None]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    #: Seconds that the clock here is ahead of the machine's.
    ahead: float = 0.0
    listeners: list[Callable[[Object], None]] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def now(self) -> int:
        return int(time.time() + self.ahead)

    def add(self, prefix: str, kind: str, **facts: Any) -> Object:
        """Write down something new."""
        # Ids of one second are still in order: Stripe's lists are.
        made = {
            "id": f"{prefix}_{next(self.numbers):010d}{secrets.token_hex(6)}",
            "object": kind, "created": self.now(), "livemode": False, **facts,
        }  # fmt: skip
        self.objects[made["id"]] = made
        return made

    def find(self, kind: str, found: str) -> Object:
        item = self.objects.get(found)
        if item is None or item["object"] != kind:
            raise missing(kind, found)
        return item

    def all(self, kind: str, **facts: Any) -> list[Object]:
        """Return all of a kind with these facts, oldest first."""
        return [
            item
            for item in list(self.objects.values())
            if item["object"] == kind and all(item.get(name) == it for name, it in facts.items())
        ]

    def tell(self, type_: str, subject: Object) -> Object:
        """Write an event; webhooks are told from these."""
        event = self.add(
            "evt", "event", type=type_, api_version="2026-10-28.endive", pending_webhooks=1,
            request={"id": None, "idempotency_key": None},
            data={"object": deepcopy(subject)},
        )  # fmt: skip
        self.events.append(event)
        for listener in self.listeners:
            listener(event)
        return event

    def move(self, kind: str, amount: int, currency: str, source: str, fee: int = 0) -> str:
        """Write a balance transaction and return its id."""
        made = self.add(
            "txn", "balance_transaction", type=kind, amount=amount, currency=currency,
            fee=fee, net=amount - fee, source=source, status="available",
            reporting_category=kind, available_on=self.now(), exchange_rate=None,
            description=None, fee_details=[],
        )  # fmt: skip
        return str(made["id"])

    def pass_time(self) -> None:
        """Let happen what happens by itself after a while."""
        with self.lock:
            due, self.later = self.later, []
            for act in due:
                act()
