"""What happened at Stripe: what changed since, and what went through."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bodega_payments.providers import Refused, Usage
from bodega_payments.stripe_provider.amounts import from_stripe
from bodega_payments.stripe_provider.calling import Calls, Found

#: Events after which an intent may not be what it was; Stripe takes 20 of them in one question.
CHANGES = (
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.partially_funded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "charge.captured",
    "charge.expired",
    "charge.failed",
    "charge.refunded",
    "charge.succeeded",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
)
#: Stripe keeps events for 30 days.
KEPT = timedelta(days=29)
#: How much earlier than asked is looked: events are written a little after what they tell of.
OVERLAP = timedelta(minutes=2)
#: Transactions that a summary is reckoned from at most: 100 requests.
MOST = 10_000
#: Seconds that a summary is good for: asking for it costs a hundred requests of a budget that
#: payments need too.
FRESH = 300.0

_VOLUME = ("charge", "payment")
_REFUNDED = ("refund", "payment_refund", "refund_failure", "payment_failure_refund")


@dataclass
class Summaries:
    """Summaries that were asked for a short time ago, by the second that they begin at."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    known: dict[int, tuple[float, tuple[Usage, ...]]] = field(default_factory=dict)

    def get(self, begin: int, make: Callable[[], tuple[Usage, ...]]) -> tuple[Usage, ...]:
        """Return a summary; whoever asks for one while it is made waits for it."""
        with self.lock:
            begun = time.monotonic()
            fresh = {at: one for at, one in self.known.items() if begun - one[0] < FRESH}
            if begin not in fresh:
                fresh[begin] = (begun, make())
            self.known = fresh
            return fresh[begin][1]


class Reports:
    """The part of the provider that tells what happened."""

    _calls: Calls
    _summaries: Summaries

    def changed_since(self, since: datetime) -> Iterable[str]:
        """Yield the ids of intents that changed since then (or may have), for reconciling.

        Events are written whether webhooks arrive or not. Of what is older than they are kept,
        intents, refunds and disputes are looked through that were made since.
        """
        told: set[str] = set()
        begin = int((since - OVERLAP).timestamp())
        for found in self._changes(begin):
            intent = intent_of(found)
            if intent and intent not in told:
                told.add(intent)
                yield intent

    def _changes(self, begin: int) -> Iterable[Found]:
        client, made = self._calls.client, {"created": {"gte": begin}}
        for event in self._calls.all(client.events.list, {"types": list(CHANGES), **made}):
            yield event["data"]["object"]
        if begin < time.time() - KEPT.total_seconds():
            for service in (client.payment_intents, client.refunds, client.disputes):
                yield from self._calls.all(service.list, made)

    def usage(self, since: datetime) -> tuple[Usage, ...]:
        """Return what went through since the hour of then, by currency; up to five minutes old.

        Raises:
            Refused: there was more than can be added up here.
        """
        # By the hour, so that asking for the last 30 days is the same question a minute later.
        begin = int(since.timestamp()) // 3600 * 3600
        return self._summaries.get(begin, lambda: self._added_up(begin))

    def _added_up(self, begin: int) -> tuple[Usage, ...]:
        sums: dict[str, dict[str, int]] = {}
        balance = self._calls.get(self._calls.client.balance.retrieve, {})
        for kind in ("available", "pending"):
            for item in balance.get(kind) or ():
                _add(sums, item["currency"], kind, item["amount"])
        listing = self._calls.client.balance_transactions.list
        found = self._calls.all(listing, {"created": {"gte": begin}})
        for count, item in enumerate(found):
            if count == MOST:
                raise Refused("too_much", f"More than {MOST} transactions; ask for fewer days.")
            _add_transaction(sums, item)
        return tuple(_usage(currency, sums[currency]) for currency in sorted(sums))


def _add(sums: dict[str, dict[str, int]], currency: str, kind: str, amount: int) -> None:
    line = sums.setdefault(currency.upper(), {})
    line[kind] = line.get(kind, 0) + amount


def _add_transaction(sums: dict[str, dict[str, int]], item: Found) -> None:
    currency = item["currency"]
    _add(sums, currency, "fees", item.get("fee") or 0)
    if item["type"] in _VOLUME:
        _add(sums, currency, "payments", 1)
        _add(sums, currency, "volume", item["amount"])
    elif item["type"] in _REFUNDED:
        _add(sums, currency, "refunded", -item["amount"])


def _usage(currency: str, sums: dict[str, int]) -> Usage:
    money = {
        name: from_stripe(sums.get(name, 0), currency)
        for name in ("available", "pending", "volume", "refunded", "fees")
    }
    return Usage(currency=currency, payments=sums.get("payments", 0), **money)


def intent_of(found: Found) -> str:
    """Return the id of the intent that an object is, or belongs to; empty for others."""
    if found.get("object") == "payment_intent":
        return str(found.get("id") or "")
    named = found.get("payment_intent") or ""
    return str(named.get("id") or "") if isinstance(named, dict) else str(named)
