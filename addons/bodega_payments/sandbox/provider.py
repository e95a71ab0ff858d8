"""The sandbox as a provider: what its engine says, in our words."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bodega_payments.providers import (
    BadSignature,
    Customer,
    Declined,
    Dispute,
    Intent,
    IntentRequest,
    Method,
    ProviderEvent,
    Refund,
    Refused,
    Setup,
    Usage,
)
from bodega_payments.sandbox.engine import Engine, EngineError
from bodega_payments.sandbox.signing import check
from bodega_payments.sandbox.store import Thing
from bodega_payments.sandbox.tables import Tables

_DISPUTES = {"needs_response": "open", "under_review": "open", "won": "won", "lost": "lost"}


def connect() -> "Sandbox":
    """Return the sandbox."""
    return Sandbox(Engine(Tables(), lambda: int(time.time())))


def _called(do: Callable[[], Any]) -> Any:
    try:
        return do()
    except EngineError as error:
        if error.type == "card_error":
            raise Declined(error.decline_code or error.code, error.message) from None
        raise Refused(error.code, error.message) from None


class Sandbox:
    """Test money: nothing of it is real.

    Args:
        engine: what happens.
    """

    name, is_test = "sandbox", True

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create_intent(self, wanted: IntentRequest, key: str) -> Intent:
        """Make an intent."""
        params = {
            "amount": wanted.amount, "currency": wanted.currency.lower(),
            "capture_method": "manual" if wanted.manual_capture else "automatic",
            "customer": wanted.customer or None, "description": wanted.description,
            "setup_future_usage": "off_session" if wanted.save_method else None,
            "metadata": {"payment": wanted.reference},
        }  # fmt: skip
        return self._whole(_called(lambda: self.engine.create_intent(params, key)))

    def retrieve_intent(self, intent_id: str) -> Intent:
        """Return an intent with its refunds and disputes."""
        return self._whole({"id": intent_id})

    def confirm(self, intent_id: str, method: str, return_url: str, key: str) -> Intent:
        """Pay."""
        params = {"payment_method": method, "return_url": return_url or None}
        return self._whole(_called(lambda: self.engine.confirm_intent(intent_id, params, key)))

    def capture(self, intent_id: str, amount: int, key: str) -> Intent:
        """Take what is held."""
        return self._whole(_called(lambda: self.engine.capture_intent(intent_id, amount, key)))

    def cancel(self, intent_id: str, key: str) -> Intent:
        """Let go what is held."""
        return self._whole(_called(lambda: self.engine.cancel_intent(intent_id, key)))

    def refund(self, intent_id: str, amount: int, reason: str, reference: str, key: str) -> Refund:
        """Give back."""
        params = {
            "payment_intent": intent_id, "amount": amount, "reason": reason,
            "metadata": {"refund": reference},
        }  # fmt: skip
        return _refund(_called(lambda: self.engine.create_refund(params, key)))

    def create_customer(self, reference: str, email: str, key: str) -> Customer:
        """Make a customer."""
        params = {"email": email, "metadata": {"customer": reference}}
        return _customer(_called(lambda: self.engine.create_customer(params, key)))

    def retrieve_customer(self, customer: str) -> Customer:
        """Return a customer."""
        return _customer(_called(lambda: self.engine.retrieve_customer(customer)))

    def create_setup(self, customer: str, method: str, return_url: str, key: str) -> Setup:
        """Begin to keep a method."""
        params = {"customer": customer, "payment_method": method, "confirm": bool(method)}
        return self._setup(_called(lambda: self.engine.create_setup(params, key)))

    def retrieve_setup(self, setup_id: str) -> Setup:
        """Return what became of it."""
        return self._setup(_called(lambda: self.engine.retrieve_setup(setup_id)))

    def list_methods(self, customer: str) -> tuple[Method, ...]:
        """Return what a customer keeps."""
        return tuple(map(_method, _called(lambda: self.engine.list_methods(customer))))

    def detach_method(self, method: str, key: str) -> None:
        """Forget a method."""
        _called(lambda: self.engine.detach_method(method, key))

    def set_default_method(self, customer: str, method: str, key: str) -> None:
        """Use it when none is named."""
        _called(lambda: self.engine.set_default_method(customer, method, key))

    def read_event(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """Return what a webhook of the sandbox tells."""
        check(headers.get("sandbox-signature", ""), body)
        try:
            told = json.loads(body)
            return ProviderEvent(
                str(told["id"]), str(told["type"]), datetime.fromtimestamp(told["created"], UTC),
                str(told["intent"]),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, OverflowError, OSError):
            raise BadSignature("the body is no event of the sandbox") from None

    def changed_since(self, since: datetime) -> Iterable[str]:
        """Yield what changed."""
        return self.engine.changed_since(int(since.timestamp()))

    def usage(self, since: datetime) -> tuple[Usage, ...]:
        """Add up what went through, one intent after the other: it is test money."""
        found: dict[str, Usage] = {}
        for key in self.changed_since(since):
            intent = self.retrieve_intent(key)
            before = found.get(intent.currency, Usage(intent.currency))
            refunded = sum(item.amount for item in intent.refunds if item.status != "failed")
            found[intent.currency] = Usage(
                intent.currency, before.available + intent.captured - refunded, 0,
                before.payments + (intent.captured > 0), before.volume + intent.captured,
                before.refunded + refunded,
            )  # fmt: skip
        return tuple(found[currency] for currency in sorted(found))

    def _whole(self, intent: Thing) -> Intent:
        found, refunds, disputes = _called(lambda: self.engine.whole(intent["id"]))
        error = found["last_payment_error"] or {}
        redirect = (found["next_action"] or {}).get("redirect_to_url", {})
        method = found["payment_method"]
        return Intent(
            found["id"], found["status"], found["amount"], found["currency"].upper(),
            authorized=found["amount_capturable"], captured=found["amount_received"],
            refunds=tuple(map(_refund, refunds)), disputes=tuple(map(_dispute, disputes)),
            client_secret=found["client_secret"], action_url=redirect.get("url", ""),
            error_code=error.get("decline_code") or error.get("code", ""),
            error_message=error.get("message", ""),
            method=_method(self.engine.retrieve_method(method)) if method else None,
            reference=found["metadata"].get("payment", ""),
        )  # fmt: skip

    def _setup(self, setup: Thing) -> Setup:
        error, method = setup["last_setup_error"] or {}, setup["payment_method"]
        return Setup(
            setup["id"], setup["status"], setup["customer"], setup["client_secret"],
            method=_method(self.engine.retrieve_method(method)) if method else None,
            error_code=error.get("decline_code", ""), error_message=error.get("message", ""),
        )  # fmt: skip


def _refund(refund: Thing) -> Refund:
    return Refund(
        refund["id"], refund["amount"], refund["status"],
        refund["metadata"].get("refund", ""), refund["failure_reason"] or "",
    )  # fmt: skip


def _dispute(dispute: Thing) -> Dispute:
    status = _DISPUTES[dispute["status"]]
    return Dispute(dispute["id"], dispute["amount"], status, dispute["reason"])


def _customer(customer: Thing) -> Customer:
    default = customer["invoice_settings"]["default_payment_method"]
    return Customer(customer["id"], default or "")


def _method(method: Thing) -> Method:
    shown = method[method["type"]]
    return Method(
        method["id"], method["type"], shown["brand"], shown["last4"], shown["exp_month"],
        shown["exp_year"],
    )  # fmt: skip
