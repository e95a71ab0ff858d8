"""Customers of the sandbox, and the methods that they keep."""

from collections.abc import Mapping
from typing import Any

from bodega_payments.sandbox.base import Base, new_id, unexpected
from bodega_payments.sandbox.cards import MESSAGES, TEST_METHODS, TestMethod
from bodega_payments.sandbox.store import EngineError, Thing


class Keeping(Base):
    """Customers, methods and setup intents."""

    def create_customer(self, params: Mapping[str, Any], key: str = "") -> Thing:
        """Make a customer of ``email`` and ``metadata``."""

        def do() -> Thing:
            customer: Thing = {
                "id": new_id("cus"), "object": "customer", "email": params.get("email"),
                "metadata": params.get("metadata") or {}, "created": self.clock(),
                "invoice_settings": {"default_payment_method": None},
            }  # fmt: skip
            self.store.put(customer)
            return customer

        return self.once(key, "create_customer", dict(params), do)

    def retrieve_customer(self, key: str) -> Thing:
        """Return a customer."""
        with self.store.atomic():
            return self.get("customer", key)

    def set_default_method(self, customer: str, method: str, key: str = "") -> Thing:
        """Use a method when none is named."""

        def do() -> Thing:
            # Methods are locked before customers, by whoever locks both.
            owner = self.get("payment_method", method)["customer"]
            found = self.get("customer", customer)
            if owner != customer:
                raise EngineError(
                    "invalid_request_error", "resource_missing",
                    "The customer does not have a payment method with this id.",
                )  # fmt: skip
            found["invoice_settings"]["default_payment_method"] = method
            self.store.put(found)
            return found

        return self.once(key, "set_default_method", [customer, method], do)

    def method(self, named: str) -> Thing:
        """Return a method by its id; a test token makes a new one."""
        if named not in TEST_METHODS:
            return self.get("payment_method", named)
        does = TEST_METHODS[named]
        shown = {"brand": does.brand, "last4": does.last4, "exp_month": 12, "exp_year": 2034}
        made: Thing = {
            "id": new_id("pm"), "object": "payment_method", "type": does.kind, "customer": None,
            does.kind: shown, "token": named, "created": self.clock(), "livemode": False,
        }  # fmt: skip
        self.store.put(made)
        return made

    def retrieve_method(self, key: str) -> Thing:
        """Return a method."""
        with self.store.atomic():
            return self.method(key)

    def behaviour(self, method: Thing) -> TestMethod:
        """Return what a method does."""
        return TEST_METHODS[method["token"]]

    def attach(self, method: str, customer: str) -> Thing:
        """Keep a method for a customer."""
        found = self.method(method)
        if found["customer"] not in (None, customer):
            raise EngineError(
                "invalid_request_error", "resource_already_exists",
                "This payment method is attached to another customer.",
            )  # fmt: skip
        found["customer"] = customer
        self.store.put(found, customer)
        self.store.tell("payment_method.attached", found, "")
        return found

    def attach_method(self, method: str, customer: str, key: str = "") -> Thing:
        """Keep a method for a customer, as a call of its own."""
        told = [method, customer]
        return self.once(key, "attach_method", told, lambda: self.attach(method, customer))

    def detach_method(self, method: str, key: str = "") -> Thing:
        """Forget a method."""

        def do() -> Thing:
            found = self.get("payment_method", method)
            owner = found["customer"] and self.get("customer", found["customer"])
            if owner and owner["invoice_settings"]["default_payment_method"] == method:
                owner["invoice_settings"]["default_payment_method"] = None
                self.store.put(owner)
            found["customer"] = None
            self.store.put(found)
            self.store.tell("payment_method.detached", found, "")
            return found

        return self.once(key, "detach_method", method, do)

    def list_methods(self, customer: str) -> list[Thing]:
        """Return the methods of a customer, the newest first."""
        with self.store.atomic():
            self.get("customer", customer)
            return self.store.below("payment_method", customer)[::-1]

    def create_setup(self, params: Mapping[str, Any], key: str = "") -> Thing:
        """Begin to keep a method for ``customer``; ``payment_method`` with ``confirm``."""

        def do() -> Thing:
            self.get("customer", params["customer"])
            ident = new_id("seti")
            setup: Thing = {
                "id": ident, "object": "setup_intent", "customer": params["customer"],
                "client_secret": f"{ident}_secret_{new_id('s')[2:]}", "payment_method": None,
                "status": "requires_payment_method", "next_action": None,
                "last_setup_error": None, "created": self.clock(), "livemode": False,
            }  # fmt: skip
            self.store.put(setup)
            named = params.get("payment_method")
            return self._set_up(setup, named) if named and params.get("confirm") else setup

        return self.once(key, "create_setup", dict(params), do)

    def confirm_setup(self, setup: str, method: str, key: str = "") -> Thing:
        """Keep a method."""
        told = [setup, method]
        return self.once(
            key, "confirm_setup", told,
            lambda: self._set_up(self.get("setup_intent", setup), method),
        )  # fmt: skip

    def retrieve_setup(self, key: str) -> Thing:
        """Return a setup intent."""
        with self.store.atomic():
            return self.get("setup_intent", key)

    def _set_up(self, setup: Thing, named: str) -> Thing:
        if setup["status"] not in ("requires_payment_method", "requires_action"):
            raise unexpected(setup, "confirm")
        method = self.method(named)
        code, reason = self.behaviour(method).decline
        if code:
            error = {"code": code, "decline_code": reason, "message": MESSAGES[reason]}
            setup |= {"last_setup_error": error, "status": "requires_payment_method"}
            self.store.put(setup)
            self.store.tell("setup_intent.setup_failed", setup, "")
            raise EngineError("card_error", code, MESSAGES[reason], decline_code=reason, status=402)
        self.attach(method["id"], setup["customer"])
        setup |= {"status": "succeeded", "payment_method": method["id"]}
        self.store.put(setup)
        self.store.tell("setup_intent.succeeded", setup, "")
        return setup
