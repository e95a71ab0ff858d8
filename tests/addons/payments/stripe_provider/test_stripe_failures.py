"""A Stripe that fails, hangs, forgets to answer: one charge, and an error that says what to do."""

import logging
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from bodega_payments.providers import IntentRequest, Misconfigured, ProviderDown, Refused
from bodega_payments.stripe_provider import transport
from bodega_payments.stripe_provider.provider import StripeProvider, provider_for
from bodega_sdk.runtime import bound, runtime
from fake_stripe.server import KEY, RESTRICTED, FakeStripe

WANTED = IntentRequest("pay-1", 2999, "EUR")
FAULTS = ("500_before", "500_after", "cut_before", "cut_after", "503", "429")


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails_once_a_payment_is_made_and_given_back_once(
    provider: StripeProvider, stripe: FakeStripe, fault: str
) -> None:
    stripe.faults.plan(fault, "/v1/payment_intents")
    made = provider.create_intent(WANTED, "create")
    stripe.faults.plan(fault, ".*/confirm")
    paid = provider.confirm(made.id, "pm_card_visa", "", "confirm")
    stripe.faults.plan(fault, "/v1/refunds")
    back = provider.refund(made.id, 500, "duplicate", "back", "refund")
    stripe.faults.plan(fault, "/v1/payment_intents/.*", "GET")
    found = provider.retrieve_intent(made.id)

    assert (paid.status, paid.captured) == ("succeeded", 2999)
    assert found.refunds == (back,)
    assert len(stripe.made("charge")) == 1
    assert len(stripe.made("refund")) == 1
    # Asked again, by another process and days later, it answers the same.
    assert provider.confirm(made.id, "pm_card_visa", "", "confirm").captured == 2999
    assert provider.refund(made.id, 500, "duplicate", "back", "refund") == back
    # Also when Stripe has forgotten all keys, as it may after a day.
    stripe.keys.answers.clear()
    assert provider.refund(made.id, 500, "duplicate", "back", "refund") == back
    assert len(stripe.made("charge")) == len(stripe.made("refund")) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_held_is_taken_once_or_let_go_once(
    provider: StripeProvider, stripe: FakeStripe, fault: str
) -> None:
    for number, act in enumerate(("capture", "cancel")):
        wanted = IntentRequest(f"pay-{number}", 2999, "EUR", manual_capture=True)
        held = provider.create_intent(wanted, f"create {number}")
        provider.confirm(held.id, "pm_card_visa", "", f"confirm {number}")
        stripe.faults.plan(fault, f".*/{act}")
        if act == "capture":
            assert provider.capture(held.id, 2999, "capture").captured == 2999
        else:
            assert provider.cancel(held.id, "cancel").status == "canceled"
    assert len(stripe.made("balance_transaction", type="charge")) == 1


def test_a_stripe_that_stays_down_is_asked_a_few_times_and_later_with_the_same_key(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    made = provider.create_intent(WANTED, "create")
    stripe.faults.plan("503", ".*/confirm", times=3)
    before = len(stripe.requests)
    with pytest.raises(ProviderDown, match="503"):
        provider.confirm(made.id, "pm_card_visa", "", "confirm")
    assert len(stripe.requests) - before == 3
    assert provider.confirm(made.id, "pm_card_visa", "", "confirm").captured == 2999

    stripe.faults.plan("500_before", "/v1/refunds", times=50)
    with pytest.raises(ProviderDown):
        provider.refund(made.id, 500, "duplicate", "back", "refund")
    stripe.faults.planned.clear()
    assert stripe.made("refund") == []


def test_nobody_waits_for_ever(
    provider: StripeProvider, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", 0.15)
    monkeypatch.setattr("bodega_payments.stripe_provider.calling.PATIENCE", 0.1)
    stripe.hang = 0.4
    stripe.faults.plan("hang", "/v1/payment_intents")
    begun = time.monotonic()
    with pytest.raises(ProviderDown, match=r"no whole answer within 0\.15 s"):
        provider.create_intent(WANTED, "create")
    assert time.monotonic() - begun < 0.4


def test_a_stripe_that_is_not_there_is_down(provider: StripeProvider) -> None:
    nobody = StripeProvider(KEY, (), "http://127.0.0.1:9", pause=0.001)
    with pytest.raises(ProviderDown, match="cannot be reached"):
        nobody.create_intent(WANTED, "create")


def test_the_same_key_cannot_mean_something_else(provider: StripeProvider) -> None:
    provider.create_intent(WANTED, "create")
    with pytest.raises(Refused) as other:
        provider.create_intent(IntentRequest("pay-1", 100, "EUR"), "create")
    assert other.value.code == "idempotency_error"


@pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_pendingRefund"])
def test_refunds_from_many_hands_at_once_never_exceed_what_was_taken(
    provider: StripeProvider, stripe: FakeStripe, method: str
) -> None:
    made = provider.create_intent(WANTED, "create")
    provider.confirm(made.id, method, "", "confirm")
    start, shop = threading.Barrier(8), runtime()

    def give_back(number: int) -> int:
        with bound(shop):
            start.wait()
            try:
                # Two hands each with the same refund, and four different refunds.
                name = f"refund {number % 4}"
                return provider.refund(made.id, 1200, "duplicate", name, name).amount
            except (Refused, ProviderDown):
                return 0

    with ThreadPoolExecutor(8) as hands:
        list(hands.map(give_back, range(8)))
    given = [item.amount for item in provider.retrieve_intent(made.id).refunds]
    assert given == [1200, 1200]
    assert sum(item["amount"] for item in stripe.made("refund")) <= 2999


def test_wrong_keys_are_the_operators_and_are_shown_nowhere(
    provider: StripeProvider, stripe: FakeStripe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "sk_test_notthisone987654321"
    stranger = StripeProvider(secret, (), stripe.base, pause=0.001)
    reader = StripeProvider(RESTRICTED, (), stripe.base, pause=0.001)
    with pytest.raises(Misconfigured, match=r"payments\.stripe_api_key") as unknown:
        stranger.create_intent(WANTED, "create")
    with pytest.raises(Misconfigured, match="permission") as limited:
        reader.create_intent(WANTED, "create")
    assert list(reader.list_methods(provider.create_customer("a", "", "c").id)) == []

    traces = [
        *traceback.format_exception(unknown.value),
        *traceback.format_exception(limited.value),
    ]
    shown = f"{traces}{stranger._calls!r}{caplog.text}"
    for key in (secret, RESTRICTED, KEY):
        assert key not in shown
        assert key[-4:] not in str(unknown.value) + str(limited.value) + caplog.text
    assert "client_secret" not in caplog.text


@pytest.mark.parametrize(
    ("key", "base"),
    [
        ("pk_test_publishable", "https://api.stripe.com"),
        ("sk_test_two\r\nX-Evil: 1", "https://api.stripe.com"),
        (KEY, "http://api.stripe.com"),
        (KEY, "http://127.0.0.1.evil.example"),
        (KEY, "https://user:secret@api.stripe.com"),
        (KEY, "https://api.stripe.com/v1?x=1"),
        (KEY, "http://[::1"),
        (KEY, "ftp://127.0.0.1"),
        (KEY, "http://127.0.0.1:999999"),
        (KEY, ""),
    ],
)
def test_no_key_is_sent_where_it_could_be_read(key: str, base: str) -> None:
    with pytest.raises(Misconfigured, match=r"payments\.stripe_api_(key|base)"):
        provider_for(key, "", base, "card")


def test_a_key_goes_to_hosts_of_the_manifest_only(provider: StripeProvider) -> None:
    elsewhere = StripeProvider(KEY, (), "https://stripe.evil.example", pause=0.001)
    with pytest.raises(Misconfigured, match=r"stripe\.evil\.example"):
        elsewhere.create_intent(WANTED, "create")


def test_test_keys_move_no_money() -> None:
    base = "https://api.stripe.com"
    assert StripeProvider("rk_test_1", (), base).is_test
    assert not StripeProvider("sk_live_1", (), base).is_test
