"""Payment intents of the sandbox: made, confirmed, approved, captured, canceled."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from bodega_payments.sandbox.base import HOLD, LATER, new_id, unexpected
from bodega_payments.sandbox.cards import MESSAGES
from bodega_payments.sandbox.keeping import Keeping
from bodega_payments.sandbox.store import EngineError, Thing

#: Statuses in which an intent can be paid, and in which it can be canceled.
PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = (*PAYABLE, "requires_capture")
_KNOWN = (
    "amount", "currency", "capture_method", "customer", "payment_method", "metadata",
    "description", "setup_future_usage",
)  # fmt: skip


class Intents(Keeping, ABC):
    """What an intent goes through; amounts are minor units."""

    def create_intent(self, params: Mapping[str, Any], key: str = "") -> Thing:
        """Make an intent of members as Stripe names them: ``amount``, ``confirm`` and so on."""
        return self.once(key, "create_intent", dict(params), lambda: self._create(params))

    def _create(self, params: Mapping[str, Any]) -> Thing:
        if not 0 < params["amount"] < 10**15:
            raise EngineError(
                "invalid_request_error", "amount_too_small", "This value must be greater than 0."
            )
        key = new_id("pi")
        intent: Thing = {
            "id": key, "object": "payment_intent", "capture_method": "automatic",
            "amount_capturable": 0, "amount_received": 0, "customer": None, "metadata": {},
            "description": None, "setup_future_usage": None, "last_payment_error": None,
            "latest_charge": None, "next_action": None, "payment_method": None,
            "client_secret": f"{key}_secret_{new_id('s')[2:]}", "created": self.clock(),
            "livemode": False, "status": "requires_payment_method",
        } | {name: params[name] for name in _KNOWN if params.get(name) is not None}  # fmt: skip
        if intent["payment_method"]:
            intent["payment_method"] = self.method(intent["payment_method"])["id"]
            intent["status"] = "requires_confirmation"
        self._keep(intent, "created")
        return self._confirm(key, params) if params.get("confirm") else intent

    def retrieve_intent(self, key: str) -> Thing:
        """Return an intent."""
        with self.store.atomic():
            return self.get("payment_intent", key)

    def confirm_intent(self, intent: str, params: Mapping[str, Any], key: str = "") -> Thing:
        """Pay an intent with ``payment_method``, or the one that it has or its customer does."""
        told = {"intent": intent, **params}
        return self.once(key, "confirm_intent", told, lambda: self._confirm(intent, params))

    def _confirm(self, key: str, params: Mapping[str, Any]) -> Thing:
        intent = self.get("payment_intent", key)
        if intent["status"] not in PAYABLE:
            raise unexpected(intent, "confirm")
        named = params.get("payment_method") or intent["payment_method"] or self._default(intent)
        if not named:
            raise EngineError(
                "invalid_request_error", "parameter_missing",
                "You cannot confirm this payment_intent because it's missing a payment method.",
                intent=intent,
            )  # fmt: skip
        method = self.method(named)
        intent |= {"payment_method": method["id"], "last_payment_error": None}
        intent["return_url"] = params.get("return_url")
        does = self.behaviour(method)
        if does.action:
            return self._await_customer(intent, params.get("return_url"))
        return self._pay(intent)

    def _default(self, intent: Thing) -> str:
        if not intent["customer"]:
            return ""
        customer = self.get("customer", intent["customer"])
        return customer["invoice_settings"]["default_payment_method"] or ""

    def _await_customer(self, intent: Thing, return_url: str | None) -> Thing:
        url = f"/api/v1/payments/sandbox/{intent['id']}/challenge"
        intent |= {
            "status": "requires_action",
            "next_action": {
                "type": "redirect_to_url",
                "redirect_to_url": {"url": url, "return_url": return_url},
            },
        }
        return self._keep(intent, "requires_action")

    def resolve_action(self, key: str, approved: bool) -> Thing:
        """Have the customer approve or refuse what requires an action."""
        with self.store.atomic():
            intent = self.get("payment_intent", key)
            if intent["status"] != "requires_action":
                raise unexpected(intent, "approve")
            intent["next_action"] = None
            if approved:
                return self._pay(intent)
            code = "payment_intent_authentication_failure"
            return self._fail(intent, code, "", MESSAGES["authentication_failed"])

    def _pay(self, intent: Thing) -> Thing:
        does = self.behaviour(self.method(intent["payment_method"]))
        code, reason = does.decline
        if code:
            self._fail(intent, code, reason, MESSAGES[reason])
            raise EngineError(
                "card_error", code, MESSAGES[reason], decline_code=reason, status=402,
                intent=intent,
            )  # fmt: skip
        if does.delayed:
            self.later(f"debit_{does.delayed}", intent["id"], LATER)
            return self._keep(intent | {"status": "processing"}, "processing")
        return self.collect(intent)

    def collect(self, intent: Thing) -> Thing:
        """Hold or take the money: the bank said yes."""
        intent["latest_charge"] = new_id("ch")
        if intent["setup_future_usage"] and intent["customer"]:
            self.attach(intent["payment_method"], intent["customer"])
        if intent["capture_method"] == "manual":
            intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
            self.later("expire", intent["id"], HOLD)
            return self._keep(intent, "amount_capturable_updated")
        return self._succeed(intent, intent["amount"])

    def _succeed(self, intent: Thing, amount: int) -> Thing:
        intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
        self._keep(intent, "succeeded")
        if self.behaviour(self.method(intent["payment_method"])).dispute:
            self.open_dispute(intent)
        return intent

    @abstractmethod
    def open_dispute(self, intent: Thing, reason: str = "fraudulent") -> Thing:
        """Have the customer's bank take back what was paid."""

    def _fail(self, intent: Thing, code: str, reason: str, message: str) -> Thing:
        intent |= {
            "status": "requires_payment_method",
            "last_payment_error": {
                "type": "card_error", "code": code, "decline_code": reason, "message": message,
            },
            "payment_method": None,
        }  # fmt: skip
        return self._keep(intent, "payment_failed")

    def debit_succeeded(self, key: str) -> None:
        """Have the bank say yes to what it was asked for a while ago."""
        intent = self.get("payment_intent", key)
        if intent["status"] == "processing":
            self.collect(intent)

    def debit_failed(self, key: str) -> None:
        """Have it say no."""
        intent = self.get("payment_intent", key)
        if intent["status"] == "processing":
            reason = "debit_not_authorized"
            self._fail(intent, "payment_method_provider_decline", reason, MESSAGES[reason])

    def capture_intent(self, intent: str, amount: int | None = None, key: str = "") -> Thing:
        """Take what is held, or a part; what is left is let go."""
        told = {"intent": intent, "amount": amount}
        return self.once(key, "capture_intent", told, lambda: self._capture(intent, amount))

    def _capture(self, key: str, amount: int | None) -> Thing:
        intent = self.get("payment_intent", key)
        if intent["status"] != "requires_capture":
            raise unexpected(intent, "capture")
        wanted = intent["amount_capturable"] if amount is None else amount
        if not 0 < wanted <= intent["amount_capturable"]:
            raise EngineError(
                "invalid_request_error", "amount_too_large",
                "The amount to capture is not between 1 and what is held.", intent=intent,
            )  # fmt: skip
        return self._succeed(intent, wanted)

    def cancel_intent(self, intent: str, key: str = "") -> Thing:
        """Let go what is held, or make sure that it is never paid."""
        return self.once(key, "cancel_intent", {"intent": intent}, lambda: self._cancel(intent))

    def _cancel(self, key: str) -> Thing:
        intent = self.get("payment_intent", key)
        if intent["status"] not in CANCELABLE:
            raise unexpected(intent, "cancel")
        changed = {"status": "canceled", "amount_capturable": 0, "next_action": None}
        return self._keep(intent | changed, "canceled")

    def expire(self, key: str) -> None:
        """Let go what was held for too long."""
        if self.get("payment_intent", key)["status"] == "requires_capture":
            self._cancel(key)

    def _keep(self, intent: Thing, happened: str) -> Thing:
        self.store.put(intent)
        self.store.tell(f"payment_intent.{happened}", intent, intent["id"])
        return intent
