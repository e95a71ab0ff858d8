"""Customers at Stripe, and the methods that they keep."""

from bodega_payments.providers import Customer, Method, Refused, Setup
from bodega_payments.stripe_provider.calling import Calls, DeclinedCall, Found
from bodega_payments.stripe_provider.reading import CUSTOMER, method_from, setup_from

_EXPAND = {"expand": ["payment_method"]}


class Wallets:
    """The part of the provider that keeps methods."""

    _calls: Calls
    _methods: tuple[str, ...]

    def create_customer(self, reference: str, email: str, key: str) -> Customer:
        """Make somebody who can keep methods."""
        params = {"metadata": {CUSTOMER: reference}, **({"email": email} if email else {})}
        return _customer(self._calls.post(self._calls.client.customers.create, params, key=key))

    def retrieve_customer(self, customer: str) -> Customer:
        """Return a customer."""
        found = self._calls.get(self._calls.client.customers.retrieve, customer, {})
        if found.get("deleted"):
            raise Refused("resource_missing", f"The customer {customer} was deleted at Stripe.")
        return _customer(found)

    def create_setup(self, customer: str, method: str, return_url: str, key: str) -> Setup:
        """Begin to keep a method; with one named, it is confirmed at once."""
        params: Found = {"customer": customer, "usage": "off_session", **_EXPAND}
        if self._methods:
            params["payment_method_types"] = list(self._methods)
        if method:
            params |= {"payment_method": method, "confirm": True}
            params |= {"return_url": return_url} if return_url else {}
        try:
            made = self._calls.post(self._calls.client.setup_intents.create, params, key=key)
        except DeclinedCall as error:
            setup = error.said.get("setup_intent")
            if not setup:
                raise
            return setup_from({**setup, "last_setup_error": error.said})
        return setup_from(made)

    def retrieve_setup(self, setup_id: str) -> Setup:
        """Return what became of a setup."""
        return setup_from(
            self._calls.get(self._calls.client.setup_intents.retrieve, setup_id, _EXPAND)
        )

    def list_methods(self, customer: str) -> tuple[Method, ...]:
        """Return the methods that a customer keeps."""
        listing = self._calls.client.customers.payment_methods.list
        found = (method_from(item) for item in self._calls.all(listing, customer, {}))
        return tuple(method for method in found if method is not None)

    def detach_method(self, method: str, key: str) -> None:
        """Forget a method; nothing happens when it is forgotten already."""
        service = self._calls.client.payment_methods
        try:
            self._calls.post(
                service.detach, method, {}, key=key, look=lambda: self._detached(method)
            )
        except Refused:
            if self._detached(method) is None:
                raise

    def _detached(self, method: str) -> Found | None:
        """Return a method that nobody keeps, or that is not there at all."""
        try:
            found = self._calls.get(self._calls.client.payment_methods.retrieve, method, {})
        except Refused as error:
            return {} if error.code == "resource_missing" else None
        return None if found.get("customer") else found

    def set_default_method(self, customer: str, method: str, key: str) -> None:
        """Use this method when none is named."""
        params = {"invoice_settings": {"default_payment_method": method}}
        self._calls.post(self._calls.client.customers.update, customer, params, key=key)


def _customer(found: Found) -> Customer:
    default = (found.get("invoice_settings") or {}).get("default_payment_method")
    return Customer(found["id"], str(default["id"] if isinstance(default, dict) else default or ""))
