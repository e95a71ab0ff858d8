"""Payments at Stripe: intents, captures, refunds."""

from collections.abc import Callable
from typing import Any

from bodega_payments.providers import Intent, IntentRequest, Refund, Refused
from bodega_payments.stripe_provider.amounts import to_stripe
from bodega_payments.stripe_provider.calling import Calls, Found
from bodega_payments.stripe_provider.reading import (
    EXPANDED,
    PAYMENT,
    REFUND,
    charge_of,
    intent_from,
    refund_from,
)

_EXPAND = {"expand": EXPANDED}
# What an intent is before anything was taken or held with it.
_UNPAID = ("requires_payment_method", "requires_confirmation")


class Intents:
    """The part of the provider that collects money.

    Args:
        calls: the way to Stripe.
        methods: kinds of methods that are taken, e.g. ``("card",)``; those of Stripe's
            dashboard when empty.
    """

    def __init__(self, calls: Calls, methods: tuple[str, ...]) -> None:
        self._calls = calls
        self._methods = methods

    @property
    def _service(self) -> Any:
        return self._calls.client.payment_intents

    def create_intent(self, wanted: IntentRequest, key: str) -> Intent:
        """Make an intent that nobody has paid yet."""
        params: Found = {
            "amount": to_stripe(wanted.amount, wanted.currency),
            "currency": wanted.currency.lower(),
            # Said, for Stripe's own default answers before it knows what was taken.
            "capture_method": "manual" if wanted.manual_capture else "automatic",
            "metadata": {PAYMENT: wanted.reference},
            **_EXPAND,
        }
        if self._methods:
            params["payment_method_types"] = list(self._methods)
        if wanted.customer:
            params["customer"] = wanted.customer
        if wanted.save_method and wanted.customer:
            params["setup_future_usage"] = "off_session"
        if wanted.description:
            params["description"] = wanted.description[:1000]
        # An intent that a failing Stripe may have made is never paid: nobody knows its secret.
        return self._whole(self._calls.post(self._service.create, params, key=key))

    def retrieve_intent(self, intent_id: str) -> Intent:
        """Return an intent with its refunds and disputes."""
        return self._whole(self._found(intent_id))

    def confirm(self, intent_id: str, method: str, return_url: str, key: str) -> Intent:
        """Try to collect (or hold) the money."""
        params: Found = dict(_EXPAND)
        method = method or self._usual_method(intent_id)
        if method:
            params["payment_method"] = method
        if return_url:
            params["return_url"] = return_url
        look = self._unless(intent_id, lambda found: found["status"] in _UNPAID)
        return self._whole(
            self._calls.post(self._service.confirm, intent_id, params, key=key, look=look)
        )

    def capture(self, intent_id: str, amount: int, key: str) -> Intent:
        """Take what is held, or a part of it; what is left is let go."""
        currency = self._currency(intent_id)
        params = {"amount_to_capture": to_stripe(amount, currency), **_EXPAND}
        look = self._unless(intent_id, lambda found: found["status"] == "requires_capture")
        return self._whole(
            self._calls.post(self._service.capture, intent_id, params, key=key, look=look)
        )

    def cancel(self, intent_id: str, key: str) -> Intent:
        """Let go what is held, or make sure that it is never paid; canceled already is fine."""
        look = self._unless(intent_id, lambda found: found["status"] != "canceled")
        try:
            found = self._calls.post(
                self._service.cancel, intent_id, dict(_EXPAND), key=key, look=look
            )
        except Refused:
            found = look() or {}
            if not found:
                raise
        return self._whole(found)

    def refund(self, intent_id: str, amount: int, reason: str, reference: str, key: str) -> Refund:
        """Give back captured money."""
        found = self._found(intent_id)
        # Stripe forgets keys after a day; what it gave back it does not forget.
        before = self._refund_of(found, reference)
        if before is not None:
            return refund_from(before)
        params = {
            "payment_intent": intent_id,
            "amount": to_stripe(amount, found["currency"].upper()),
            "reason": reason,
            "metadata": {REFUND: reference},
        }
        made = self._calls.post(
            self._calls.client.refunds.create, params, key=key,
            look=lambda: self._refund_of(self._found(intent_id), reference),
        )  # fmt: skip
        return refund_from(made)

    def _found(self, intent_id: str) -> Found:
        return self._calls.get(self._service.retrieve, intent_id, _EXPAND)

    def _unless(self, intent_id: str, waits: Callable[[Found], bool]) -> Callable[[], Found | None]:
        """Return what looks whether an intent no longer waits for what was asked."""

        def look() -> Found | None:
            found = self._found(intent_id)
            return None if waits(found) else found

        return look

    def _currency(self, intent_id: str) -> str:
        """Return an intent's currency; the interface names it once, and so does Stripe."""
        return str(self._calls.get(self._service.retrieve, intent_id, {})["currency"]).upper()

    def _usual_method(self, intent_id: str) -> str:
        """Return the customer's default method where the intent has none of its own."""
        found = self._calls.get(self._service.retrieve, intent_id, {"expand": ["customer"]})
        customer = found.get("customer")
        if found.get("payment_method") or not isinstance(customer, dict):
            return ""
        return str((customer.get("invoice_settings") or {}).get("default_payment_method") or "")

    def _refund_of(self, found: Found, reference: str) -> Found | None:
        """Return the refund of an intent that was made with a reference."""
        for refund in self._refunds(found):
            if (refund.get("metadata") or {}).get(REFUND) == reference:
                return refund
        return None

    def _refunds(self, found: Found) -> list[Found]:
        """Return the refunds of an intent: those that came with it, or all if they are more."""
        if not found.get("amount_received"):
            return []
        listed: Found = charge_of(found).get("refunds") or {}
        if "data" in listed and not listed.get("has_more"):
            return list(listed["data"])
        wanted = {"payment_intent": found["id"]}
        return list(self._calls.all(self._calls.client.refunds.list, wanted))

    def _whole(self, found: Found) -> Intent:
        """Return an intent with what has gone back of it, asking again only for what is missing."""
        disputes: list[Found] = []
        if charge_of(found).get("disputed"):
            wanted = {"payment_intent": found["id"]}
            disputes = list(self._calls.all(self._calls.client.disputes.list, wanted))
        return intent_from(found, self._refunds(found), disputes)
