"""Reconciling: what got lost between the provider and us is asked for, and recorded.

It repairs what no webhook told, what a process that died had begun, and what changed in the
provider's dashboard. Everything ends where webhooks end, in ``recording.record``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bodega_payments import calling, choosing, recording
from bodega_payments.models import Call, Mark, Payment
from bodega_payments.providers import ProviderDown, ProviderError
from bodega_sdk import now
from bodega_sdk.errors import NotFound, TryLater

#: Statuses that something is still to come of.
UNSETTLED = (
    "requires_payment_method", "requires_confirmation", "requires_action", "processing",
    "requires_capture",
)  # fmt: skip
#: What is younger, somebody is probably at work on.
PATIENCE = timedelta(seconds=60)
#: Clocks differ, and what is listed may come late.
_OVERLAP = timedelta(minutes=10)
_PORTION = 200


@dataclass(slots=True)
class Found:
    """What reconciling did."""

    calls: int = 0
    asked: int = 0
    repaired: int = 0
    silent: int = 0


def reconcile(patience: timedelta = PATIENCE) -> Found:
    """Ask about everything that is unsettled, and about what changed since the last time."""
    found = Found()
    began = now()
    _make_open_calls(found, began - patience)
    _ask(_unsettled(began - patience), found)
    for name in _providers():
        _ask_changed(name, began, found)
    return found


def _make_open_calls(found: Found, before: datetime) -> None:
    """Make the calls again that somebody began and did not end."""
    old = Call.ended_at.is_null() & (Call.updated_at <= before)
    for call in list(Call.select().where(old).order_by(Call.id).limit(_PORTION)):
        try:
            calling.make_now(call.id)
            found.calls += 1
        except (TryLater, NotFound):
            found.silent += 1


def _unsettled(before: datetime) -> list[Payment]:
    waiting = Payment.status.in_(UNSETTLED) & (Payment.checked_at <= before)
    query = Payment.select().where(waiting, Payment.provider_id.is_null(False))
    return list(query.order_by(Payment.checked_at).limit(_PORTION))


def _ask(payments: Iterable[Payment], found: Found) -> None:
    for payment in payments:
        try:
            after = recording.refresh(payment.id)
        except (ProviderError, NotFound) as error:
            # Others of the same provider would wait as long; it is asked again next time.
            found.silent += 1
            Payment.update(checked_at=now()).where(Payment.id == payment.id).execute()
            if isinstance(error, ProviderDown):
                return
            continue
        found.asked += 1
        found.repaired += _money(after) != _money(payment)


def _money(payment: Payment) -> tuple[object, ...]:
    names = ("status", "authorized", "captured", "refunded", "disputed")
    return tuple(getattr(payment, name) for name in names)


def _providers() -> list[str]:
    rows = Payment.select(Payment.provider).distinct()
    return sorted(row.provider for row in rows)


def _ask_changed(name: str, began: datetime, found: Found) -> None:
    """Ask about all of a provider's intents that changed since the last time."""
    mark = Mark.get_or_none(Mark.provider == name)
    since = mark.asked_until - _OVERLAP if mark else began - timedelta(days=3)
    try:
        changed = list(choosing.provider(name).changed_since(since))
    except ProviderError:
        found.silent += 1
        return
    silent = found.silent
    for start in range(0, len(changed), _PORTION):
        ids = changed[start : start + _PORTION]
        same = (Payment.provider == name) & Payment.provider_id.in_(ids)
        _ask([row for row in Payment.select().where(same) if row.checked_at < began], found)
    if found.silent == silent:
        row = {"provider": name, "asked_until": began}
        Mark.insert(row).on_conflict(
            conflict_target=[Mark.provider], preserve=[Mark.asked_until]
        ).execute()
