"""Methods that customers keep at Stripe."""

import pytest

from bodega_payments.providers import IntentRequest, Refused
from bodega_payments.stripe_provider.provider import StripeProvider
from fake_stripe.server import FakeStripe


def test_methods_are_kept_used_by_default_and_forgotten(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    ada = provider.create_customer("account-1", "ada@shop.example", "customer")
    assert provider.create_customer("account-1", "ada@shop.example", "customer") == ada
    assert stripe.made("customer")[0]["metadata"] == {"bodega_customer": "account-1"}
    assert provider.list_methods(ada.id) == ()

    kept = provider.create_setup(ada.id, "pm_card_visa", "", "setup")
    assert (kept.status, kept.customer) == ("succeeded", ada.id)
    assert kept.method is not None
    assert kept.method.last4 == "4242"
    assert provider.list_methods(ada.id) == (kept.method,)
    provider.set_default_method(ada.id, kept.method.id, "default")
    assert provider.retrieve_customer(ada.id).default_method == kept.method.id

    made = provider.create_intent(IntentRequest("pay", 900, "EUR", customer=ada.id), "create")
    assert provider.confirm(made.id, "", "", "confirm").method == kept.method

    provider.detach_method(kept.method.id, "detach")
    provider.detach_method(kept.method.id, "detach, from elsewhere")
    provider.detach_method("pm_never_seen", "detach nothing")
    assert provider.list_methods(ada.id) == ()
    assert provider.retrieve_customer(ada.id).default_method == ""


def test_a_method_is_kept_in_the_browser_once_the_bank_agrees(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    ada = provider.create_customer("account-1", "", "customer")
    begun = provider.create_setup(ada.id, "", "", "browser")
    assert (begun.status, begun.method) == ("requires_payment_method", None)
    assert begun.client_secret.startswith(begun.id)

    asked = provider.create_setup(
        ada.id, "pm_card_authenticationRequiredOnSetup", "https://shop.example/back", "bank"
    )
    assert asked.status == "requires_action"
    assert asked.action_url
    stripe.authenticate(asked.id)
    done = provider.retrieve_setup(asked.id)
    assert done.method is not None
    assert provider.list_methods(ada.id) == (done.method,)
    # What the bank agreed to once, it does not ask again.
    made = provider.create_intent(IntentRequest("pay", 900, "EUR", customer=ada.id), "create")
    assert provider.confirm(made.id, done.method.id, "", "confirm").status == "succeeded"


def test_a_method_that_the_bank_declines_is_not_kept_and_says_why(
    provider: StripeProvider, stripe: FakeStripe
) -> None:
    ada = provider.create_customer("account-1", "", "customer")
    refused = provider.create_setup(ada.id, "pm_card_chargeDeclinedExpiredCard", "", "setup")
    assert (refused.status, refused.error_code) == ("requires_payment_method", "expired_card")
    assert refused.method is None
    unsure = provider.create_setup(ada.id, "pm_card_threeDSecure2Required", "", "bank")
    stripe.authenticate(unsure.id, success=False)
    told = provider.retrieve_setup(unsure.id)
    assert told.error_code == "setup_intent_authentication_failure"
    assert provider.list_methods(ada.id) == ()


def test_paying_can_keep_the_method(provider: StripeProvider) -> None:
    ada = provider.create_customer("account-1", "", "customer")
    wanted = IntentRequest("pay", 900, "EUR", customer=ada.id, save_method=True)
    made = provider.create_intent(wanted, "create")
    provider.confirm(made.id, "pm_card_amex", "", "confirm")
    assert [method.brand for method in provider.list_methods(ada.id)] == ["amex"]


def test_whom_stripe_does_not_know_is_refused(provider: StripeProvider, stripe: FakeStripe) -> None:
    ada = provider.create_customer("account-1", "", "customer")
    stripe.books.find("customer", ada.id).update(deleted=True)
    for ask in (provider.retrieve_customer, provider.list_methods):
        with pytest.raises(Refused) as unknown:
            ask("cus_none")
        assert unknown.value.code == "resource_missing"
    with pytest.raises(Refused, match="deleted"):
        provider.retrieve_customer(ada.id)
    with pytest.raises(Refused, match="No such"):
        provider.retrieve_intent("pi_none")
