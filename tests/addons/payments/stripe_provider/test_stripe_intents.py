"""What becomes of payments at Stripe, asked with its real library over HTTP."""

import pytest

from bodega_payments.providers import Declined, Intent, IntentRequest, Refused
from bodega_payments.stripe_provider.provider import StripeProvider
from fake_stripe import intents as at_stripe
from fake_stripe.charging import dispute_ends
from fake_stripe.server import FakeStripe

WANTED = IntentRequest("pay-1", 2999, "EUR", description="Order 261122-7K3M9Q")


def paid(provider: StripeProvider, method: str = "pm_card_visa", **wanted: object) -> Intent:
    facts: dict[str, object] = {"reference": "pay-1", "amount": 2999, "currency": "EUR", **wanted}
    made = provider.create_intent(IntentRequest(**facts), "create")  # type: ignore[arg-type]
    return provider.confirm(made.id, method, "", "confirm")


def test_a_card_is_charged_and_the_intent_says_with_which(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    made = provider.create_intent(WANTED, "create")
    assert (made.status, made.captured, made.reference) == ("requires_payment_method", 0, "pay-1")
    assert made.client_secret.startswith(made.id)

    found = provider.confirm(made.id, "pm_card_mastercard", "", "confirm")

    assert (found.status, found.amount, found.captured) == ("succeeded", 2999, 2999)
    assert found.method is not None
    assert (found.method.brand, found.method.last4) == ("mastercard", "4444")
    assert found == provider.retrieve_intent(made.id)
    [kept] = stripe.made("payment_intent")
    assert kept["description"] == "Order 261122-7K3M9Q"
    assert len(stripe.made("charge", status="succeeded")) == 1


@pytest.mark.parametrize(
    ("method", "code", "told"),
    [
        ("pm_card_chargeDeclined", "card_declined", "Use another one"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds", "not enough money"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "has expired"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "security code"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "few minutes"),
        # Whoever holds a stolen card is not told that it is known.
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "Use another one"),
        ("pm_card_radarBlock", "card_declined", "Use another one"),
    ],
)
def test_a_declined_card_is_told_with_what_can_be_done_about_it(
    provider: StripeProvider, method: str, code: str, told: str
) -> None:
    made = provider.create_intent(WANTED, "create")
    with pytest.raises(Declined) as declined:
        provider.confirm(made.id, method, "", "first")
    assert declined.value.code in (code, "generic_decline")
    assert told in declined.value.message

    found = provider.retrieve_intent(made.id)
    assert (found.status, found.captured) == ("requires_payment_method", 0)
    assert (found.error_code, found.error_message) == (
        declined.value.code,
        declined.value.message,
    )
    assert provider.confirm(made.id, "pm_card_visa", "", "second").error_code == ""


def test_a_bank_may_ask_who_it_is(provider: StripeProvider, stripe: FakeStripe) -> None:
    made = provider.create_intent(WANTED, "create")
    asked = provider.confirm(
        made.id, "pm_card_authenticationRequired", "https://shop.example/back", "confirm"
    )
    assert (asked.status, asked.captured) == ("requires_action", 0)
    assert asked.action_url.startswith("https://hooks.stripe.test/3d_secure/")

    stripe.authenticate(made.id, success=False)
    failed = provider.retrieve_intent(made.id)
    assert failed.error_code == "payment_intent_authentication_failure"

    # Without a page to come back to, Stripe's script asks in the browser.
    again = provider.confirm(made.id, "pm_card_authenticationRequired", "", "again")
    assert (again.status, again.action_url) == ("requires_action", "")
    stripe.authenticate(made.id)
    assert provider.retrieve_intent(made.id).captured == 2999


def test_a_bank_account_pays_days_later_or_does_not(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    waiting = paid(provider, "pm_usBankAccount_success")
    assert (waiting.status, waiting.captured) == ("processing", 0)
    stripe.books.pass_time()
    done = provider.retrieve_intent(waiting.id)
    assert (done.status, done.captured) == ("succeeded", 2999)
    assert done.method is not None
    assert (done.method.kind, done.method.last4) == ("us_bank_account", "6789")

    made = provider.create_intent(WANTED, "other")
    provider.confirm(made.id, "pm_usBankAccount_debitNotAuthorized", "", "confirm other")
    stripe.books.pass_time()
    failed = provider.retrieve_intent(made.id)
    assert (failed.status, failed.captured) == ("requires_payment_method", 0)
    assert failed.error_code


def test_money_that_is_held_is_taken_in_part_and_the_rest_is_no_refund(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    held = paid(provider, manual_capture=True)
    assert (held.status, held.authorized, held.captured) == ("requires_capture", 2999, 0)

    with pytest.raises(Refused) as much:
        provider.capture(held.id, 3000, "too much")
    assert much.value.code == "amount_too_large"
    taken = provider.capture(held.id, 2000, "capture")

    assert (taken.status, taken.authorized, taken.captured) == ("succeeded", 0, 2000)
    # Stripe writes a refund for what it let go; nobody gets money by it.
    assert [item["amount"] for item in stripe.made("refund")] == [999]
    assert taken.refunds == ()
    provider.refund(held.id, 999, "duplicate", "back-1", "refund")
    [back] = provider.retrieve_intent(held.id).refunds
    assert (back.amount, back.reference, back.status) == (999, "back-1", "succeeded")
    assert provider.capture(held.id, 2000, "capture").captured == 2000
    with pytest.raises(Refused):
        provider.capture(held.id, 1, "another")


def test_what_is_held_can_be_let_go_as_often_as_one_likes(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    held = paid(provider, manual_capture=True)
    for key in ("cancel", "cancel", "from elsewhere"):
        gone = provider.cancel(held.id, key)
        assert (gone.status, gone.authorized, gone.captured) == ("canceled", 0, 0)
        assert gone.refunds == ()
    other = provider.create_intent(WANTED, "other")
    provider.confirm(other.id, "pm_card_visa", "", "pay other")
    with pytest.raises(Refused, match="cannot cancel"):
        provider.cancel(other.id, "too late")

    waiting = provider.create_intent(
        IntentRequest("pay-2", 500, "EUR", manual_capture=True), "third"
    )
    provider.confirm(waiting.id, "pm_card_visa", "", "hold")
    at_stripe.expire(stripe.books, waiting.id)
    assert provider.retrieve_intent(waiting.id).status == "canceled"


def test_refunds_succeed_late_or_fail_late_and_are_never_more_than_was_taken(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    slow = paid(provider, "pm_card_pendingRefund")
    assert provider.refund(slow.id, 1000, "duplicate", "a", "r1").status == "pending"
    stripe.books.pass_time()
    assert [item.status for item in provider.retrieve_intent(slow.id).refunds] == ["succeeded"]

    made = provider.create_intent(WANTED, "bad")
    bad = provider.confirm(made.id, "pm_card_refundFail", "", "pay bad")
    assert provider.refund(bad.id, 2999, "fraudulent", "b", "r2").status == "succeeded"
    stripe.books.pass_time()
    [failed] = provider.retrieve_intent(bad.id).refunds
    assert (failed.status, failed.error) == ("failed", "expired or canceled card")

    with pytest.raises(Refused, match="greater than unrefunded"):
        provider.refund(slow.id, 2000, "duplicate", "c", "r3")
    assert provider.refund(slow.id, 1999, "duplicate", "d", "r4").amount == 1999
    with pytest.raises(Refused) as over:
        provider.refund(slow.id, 1, "duplicate", "e", "r5")
    assert over.value.code == "charge_already_refunded"
    assert "req_" in str(over.value)


def test_many_refunds_are_all_seen(provider: StripeProvider) -> None:
    found = paid(provider)
    for number in range(12):
        provider.refund(found.id, 10, "duplicate", f"r{number}", f"refund {number}")
    refunds = provider.retrieve_intent(found.id).refunds
    assert [item.reference for item in refunds] == [f"r{number}" for number in range(12)]


def test_a_dispute_is_open_until_it_is_won_or_lost_and_an_inquiry_is_none(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    found = paid(provider, "pm_card_createDispute")
    assert found.disputes == ()
    stripe.books.pass_time()
    [dispute] = provider.retrieve_intent(found.id).disputes
    assert (dispute.amount, dispute.status, dispute.reason) == (2999, "open", "fraudulent")
    dispute_ends(stripe.books, stripe.made("dispute")[0], "won")
    assert provider.retrieve_intent(found.id).disputes[0].status == "won"

    made = provider.create_intent(WANTED, "other")
    provider.confirm(made.id, "pm_card_createDisputeInquiry", "", "pay other")
    stripe.books.pass_time()
    assert provider.retrieve_intent(made.id).disputes == ()


@pytest.mark.parametrize(
    ("currency", "minor", "at_stripe_s"),
    [("JPY", 500, 500), ("KWD", 5120, 5120), ("ISK", 500, 50_000), ("UGX", 5000, 500_000),
     ("EUR", 2999, 2999), ("MGA", 50_000, 500), ("HUF", 99_900, 99_900)],
)  # fmt: skip
def test_every_currency_comes_to_the_same_there_and_back(
    provider: StripeProvider, stripe: FakeStripe, currency: str, minor: int, at_stripe_s: int
) -> None:
    found = paid(provider, amount=minor, currency=currency)
    assert stripe.made("payment_intent")[0]["amount"] == at_stripe_s
    assert (found.amount, found.captured, found.currency) == (minor, minor, currency)
    back = provider.refund(found.id, minor, "duplicate", "r", "refund")
    assert (back.amount, stripe.made("refund")[0]["amount"]) == (minor, at_stripe_s)


def test_what_stripe_cannot_take_exactly_is_refused_before_it_is_asked(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    for currency, amount in (("KWD", 5124), ("MGA", 50_001), ("LYD", 1000)):
        with pytest.raises(Refused, match=currency):
            provider.create_intent(IntentRequest("pay", amount, currency), "key")
    assert stripe.requests == []
    with pytest.raises(Refused) as small:
        provider.create_intent(IntentRequest("pay", 10, "EUR"), "small")
    assert small.value.code == "amount_too_small"
