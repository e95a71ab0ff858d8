"""What changed at Stripe although nobody told, and what went through."""

from datetime import UTC, datetime, timedelta

import pytest

from bodega_payments.providers import IntentRequest, Refused, Usage
from bodega_payments.stripe_provider import reports
from bodega_payments.stripe_provider.provider import StripeProvider
from fake_stripe.charging import dispute_ends
from fake_stripe.server import FakeStripe


def pay(provider: StripeProvider, name: str, method: str = "pm_card_visa", **wanted: object) -> str:
    facts: dict[str, object] = {"reference": name, "amount": 1000, "currency": "EUR", **wanted}
    made = provider.create_intent(IntentRequest(**facts), f"create {name}")  # type: ignore[arg-type]
    provider.confirm(made.id, method, "", f"confirm {name}")
    return made.id


def test_what_changed_is_found_though_every_webhook_was_lost(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    begun = datetime.now(UTC)
    paid = [pay(provider, f"pay-{number}") for number in range(40)]
    assert stripe.courier.drop() == 120
    found = list(provider.changed_since(begun))
    assert sorted(found) == sorted(paid)
    # Newer than a page can hold, and each named once.
    assert sum(path == "/v1/events" for _, path, _ in stripe.requests) > 0

    stripe.books.ahead = 3600
    provider.refund(paid[3], 100, "duplicate", "r", "refund")
    assert list(provider.changed_since(begun + timedelta(minutes=30))) == [paid[3]]


def test_what_is_older_than_stripes_events_is_looked_through(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    paid = pay(provider, "old")
    provider.refund(paid, 100, "duplicate", "r", "refund")
    stripe.books.events.clear()
    assert list(provider.changed_since(datetime.now(UTC) - timedelta(days=40))) == [paid]
    assert list(provider.changed_since(datetime.now(UTC) - timedelta(days=3))) == []


def test_what_went_through_is_added_up_once_in_a_while(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    begun = datetime.now(UTC) - timedelta(days=1)
    first = pay(provider, "one")
    pay(provider, "two", "pm_card_createDispute")
    pay(provider, "three", currency="ISK", amount=5000)
    provider.refund(first, 400, "duplicate", "r", "refund")
    stripe.books.pass_time()
    dispute_ends(stripe.books, stripe.made("dispute")[0], "lost")

    euro, krona = provider.usage(begun)

    # 59 of fees for each payment and 1500 for the dispute.
    assert euro == Usage("EUR", -1018, 0, 2, 2000, 400, 1618)
    assert (krona.currency, krona.payments, krona.volume) == ("ISK", 1, 5000)
    asked = len(stripe.requests)
    assert provider.usage(begun) == (euro, krona)
    assert len(stripe.requests) == asked


def test_more_than_can_be_added_up_is_refused(
    provider: StripeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MOST", 2)
    for name in ("one", "two", "three"):
        pay(provider, name)
    with pytest.raises(Refused, match="fewer days"):
        provider.usage(datetime.now(UTC) - timedelta(days=1))
