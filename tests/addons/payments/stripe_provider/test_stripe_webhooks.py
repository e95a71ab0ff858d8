"""Which events are Stripe's own, and what they are about."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodega_payments.providers import BadSignature, IntentRequest, Misconfigured, ProviderEvent
from bodega_payments.stripe_provider import webhooks
from bodega_payments.stripe_provider.provider import StripeProvider
from fake_stripe.server import FakeStripe

SECRETS = ("whsec_fake",)


def lowered(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): text for name, text in headers.items()}


def read(stripe: FakeStripe, event: Any, **how: Any) -> ProviderEvent:
    headers, body = stripe.courier.parcel(event, **how)
    return webhooks.read(SECRETS, lowered(headers), body)


@pytest.fixture
def event(stripe: FakeStripe) -> Any:
    """An event that Stripe will tell."""
    return stripe.books.tell("charge.refunded", {"object": "charge", "payment_intent": "pi_7"})


def test_every_event_of_a_payment_names_its_intent(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    made = provider.create_intent(IntentRequest("pay", 2999, "EUR"), "create")
    provider.confirm(made.id, "pm_card_createDispute", "", "confirm")
    stripe.books.pass_time()
    told = [
        provider.read_event(lowered(headers), body)
        for headers, body in map(stripe.courier.parcel, stripe.courier.waiting)
    ]
    assert {event.intent for event in told} == {made.id}
    assert {event.type for event in told} > {"payment_intent.succeeded", "charge.dispute.created"}
    assert len({event.id for event in told}) == len(told)
    assert all(abs(event.created_at - datetime.now(UTC)).seconds < 5 for event in told)


def test_secrets_can_be_rotated(stripe: FakeStripe, event: Any) -> None:
    """Stripe signs with both; so may we know both, or only one of them."""
    for signed, known in (
        (["whsec_new"], ("whsec_old", "whsec_new")),
        (["whsec_old", "whsec_new"], ("whsec_new",)),
        (["whsec_old", "whsec_new"], ("whsec_old",)),
    ):
        headers, body = stripe.courier.parcel(event, secrets=signed)
        assert webhooks.read(known, lowered(headers), body).intent == "pi_7"
    headers, body = stripe.courier.parcel(event, secrets=["whsec_old"])
    with pytest.raises(BadSignature):
        webhooks.read(("whsec_new",), lowered(headers), body)
    with pytest.raises(Misconfigured, match="stripe_webhook_secret"):
        webhooks.read((), lowered(headers), body)


def test_an_event_is_good_for_five_minutes(stripe: FakeStripe, event: Any) -> None:
    assert read(stripe, event, age=295).id == event["id"]
    with pytest.raises(BadSignature):
        read(stripe, event, age=302)


def test_what_was_changed_on_the_way_is_not_stripes(stripe: FakeStripe, event: Any) -> None:
    headers, body = stripe.courier.parcel(event)
    for changed in (body.replace(b"pi_7", b"pi_8"), body + b" ", b"", b"\xff\xfe"):
        with pytest.raises(BadSignature):
            webhooks.read(SECRETS, lowered(headers), changed)
    later = headers["Stripe-Signature"].replace("t=", "t=9")
    with pytest.raises(BadSignature):
        webhooks.read(SECRETS, {"stripe-signature": later}, body)


@settings(max_examples=50, deadline=None)
@given(
    st.text(max_size=60) | st.from_regex(r"t=\d{1,30}(,v[01]=[0-9a-fé]{0,70}){0,3}"), st.binary()
)
def test_whatever_a_stranger_sends_is_refused(signature: str, body: bytes) -> None:
    with pytest.raises(BadSignature):
        webhooks.read(SECRETS, {"stripe-signature": signature}, body)
    with pytest.raises(BadSignature):
        webhooks.read(SECRETS, {}, body)


@pytest.mark.parametrize(
    "body",
    [[], "text", None, {}, {"id": "evt", "type": "x", "created": 10**18},
     {"id": "evt", "type": "x", "created": "now"},
     {"id": 1, "type": "x", "created": 1, "data": "text"},
     {"id": 1, "type": "x", "created": 1, "data": {"object": ["pi_1"]}}],
)  # fmt: skip
def test_what_is_signed_and_no_event_is_refused(stripe: FakeStripe, body: Any) -> None:
    with pytest.raises(BadSignature):
        read(stripe, body)


def test_events_about_no_intent_say_so(stripe: FakeStripe) -> None:
    for subject in ({"object": "customer", "id": "cus_1"}, {"object": "charge"}, {}):
        event = stripe.books.tell("customer.created", subject)
        assert read(stripe, event).intent == ""
    whole = {"object": "charge", "payment_intent": {"object": "payment_intent", "id": "pi_3"}}
    assert read(stripe, stripe.books.tell("charge.updated", whole)).intent == "pi_3"
    assert json.loads(stripe.courier.parcel(event)[1])["id"] == event["id"]
