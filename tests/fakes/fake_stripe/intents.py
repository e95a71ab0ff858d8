"""PaymentIntents and SetupIntents: https://docs.stripe.com/payments/paymentintents/lifecycle."""

import secrets
from contextlib import suppress
from typing import Any

from fake_stripe.books import Books, Object
from fake_stripe.cards import Card
from fake_stripe.charging import charged, disputed, let_go, take
from fake_stripe.methods import kept, resolved
from fake_stripe.refusals import Refusal, invalid, unexpected
from fake_stripe.routing import listed, route

Params = dict[str, Any]
_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE = (*_CONFIRMABLE, "requires_capture", "processing")
_THREE_DECIMALS = ("bhd", "jod", "kwd", "omr", "tnd")
_WHOLE = ("isk", "ugx")


@route("POST", "/v1/payment_intents")
def create(books: Books, params: Params) -> Object:
    amount, currency = _amount(params), str(params.get("currency", "")).lower()
    _fits(amount, currency)
    if params.get("customer"):
        books.find("customer", params["customer"])
    kinds = params.get("payment_method_types")
    intent = books.add(
        "pi", "payment_intent", amount=amount, amount_capturable=0, amount_received=0,
        currency=currency, capture_method=params.get("capture_method", "automatic_async"),
        confirmation_method="automatic", customer=params.get("customer"),
        automatic_payment_methods=None if kinds else {"enabled": True, "allow_redirects": "always"},
        description=params.get("description"), metadata=params.get("metadata") or {},
        last_payment_error=None, latest_charge=None, next_action=None, payment_method=None,
        payment_method_types=kinds or ["card", "link"], canceled_at=None,
        setup_future_usage=params.get("setup_future_usage"), status="requires_payment_method",
        cancellation_reason=None, receipt_email=None, processing=None,
    )  # fmt: skip
    intent["client_secret"] = f"{intent['id']}_secret_{secrets.token_hex(12)}"
    books.tell("payment_intent.created", intent)
    if params.get("payment_method"):
        method = resolved(books, params["payment_method"], intent["customer"])
        intent.update(payment_method=method["id"], status="requires_confirmation")
    return confirm(books, params, intent["id"]) if params.get("confirm") == "true" else intent


def _amount(params: Params) -> int:
    text = str(params.get("amount", ""))
    if not text.isdigit() or int(text) < 1:
        raise invalid(f"Invalid positive integer: {text}", "parameter_invalid_integer", "amount")
    return int(text)


def _fits(amount: int, currency: str) -> None:
    if len(currency) != 3 or not currency.isalpha():
        raise invalid(f"Invalid currency: {currency}.", param="currency")
    if currency in _THREE_DECIMALS and amount % 10:
        raise invalid(f"Invalid amount: the last digit must be 0 in {currency}.", param="amount")
    if currency in _WHOLE and amount % 100:
        raise invalid(
            f"Invalid amount. Currency {currency.upper()} must be evenly divisible by 100.",
            "invalid_charge_amount_no_decimal_compatible", "amount",
        )  # fmt: skip
    if currency in ("usd", "eur") and amount < 50:
        raise invalid("Amount must convert to at least 50 cents.", "amount_too_small", "amount")


@route("GET", "/v1/payment_intents/{id}")
def retrieve(books: Books, params: Params, id: str) -> Object:
    return books.find("payment_intent", id)


@route("GET", "/v1/payment_intents")
def list_intents(books: Books, params: Params) -> Object:
    wanted = {"customer": params["customer"]} if params.get("customer") else {}
    return listed(books.all("payment_intent", **wanted), params, "/v1/payment_intents")


@route("POST", "/v1/payment_intents/{id}/confirm")
def confirm(books: Books, params: Params, id: str) -> Object:
    intent = books.find("payment_intent", id)
    if intent["status"] not in _CONFIRMABLE:
        raise unexpected(intent, "confirm")
    name = params.get("payment_method") or intent["payment_method"]
    if not name:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_intent_unexpected_state",
        )
    if intent["automatic_payment_methods"] and not params.get("return_url"):
        raise invalid("This PaymentIntent needs a return_url to be confirmed.", param="return_url")
    method = resolved(books, name, intent["customer"])
    intent.update(payment_method=method["id"], last_payment_error=None, next_action=None)
    card = books.cards[method["id"]]
    if card.three_ds == "always" or (card.three_ds != "never" and not method["customer"]):
        _ask_customer(books, intent, params.get("return_url"), "payment_intent")
        return intent
    if card.is_slow:
        intent["status"] = "processing"
        books.tell("payment_intent.processing", intent)
        books.later.append(lambda: _bank_answers(books, intent, method, card))
        return intent
    return _charge(books, intent, method, card)


def _bank_answers(books: Books, intent: Object, method: Object, card: Card) -> None:
    if intent["status"] == "processing":
        with suppress(Refusal):
            _charge(books, intent, method, card)


def _ask_customer(books: Books, intent: Object, return_url: str | None, kind: str) -> None:
    url = f"https://hooks.stripe.test/3d_secure/{intent['id']}"
    intent["status"] = "requires_action"
    intent["next_action"] = (
        {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": return_url}}
        if return_url
        else {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    )
    books.tell(f"{kind}.requires_action", intent)


def _charge(books: Books, intent: Object, method: Object, card: Card) -> Object:
    captured = intent["capture_method"] != "manual"
    charge = charged(books, intent, method, card, captured=captured)
    intent["next_action"] = None
    if card.declines:
        raise _failed(books, intent, method, card, charge)
    if intent["setup_future_usage"] and intent["customer"]:
        kept(books, method, intent["customer"])
    if captured:
        intent.update(status="succeeded", amount_received=intent["amount"])
        books.tell("payment_intent.succeeded", intent)
        if card.dispute:
            books.later.append(lambda: void(disputed(books, charge, card)))
    else:
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        books.tell("payment_intent.amount_capturable_updated", intent)
    return intent


def void(_: object) -> None:
    """Forget what a call returned."""


def _failed(books: Books, intent: Object, method: Object, card: Card, charge: Object) -> Refusal:
    error: Params = {
        "type": "card_error", "code": card.code, "message": "Your card was declined.",
        "charge": charge["id"], "payment_method": dict(method),
    }  # fmt: skip
    if card.decline:
        error["decline_code"] = card.decline
    return _not_paid(books, intent, error)


def _not_paid(books: Books, intent: Object, error: Params) -> Refusal:
    intent.update(
        status="requires_payment_method", last_payment_error=error, payment_method=None,
        next_action=None,
    )  # fmt: skip
    books.tell("payment_intent.payment_failed", intent)
    told = {name: value for name, value in error.items() if name not in ("type", "message")}
    return Refusal(402, "card_error", error["message"], **told, payment_intent=dict(intent))


def authenticate(books: Books, id: str, success: bool = True) -> Object:
    """Do what the customer does on the page of their bank."""
    with books.lock:
        intent = books.objects[id]
        assert intent["status"] == "requires_action", intent["status"]
        setting_up = intent["object"] == "setup_intent"
        method = books.find("payment_method", intent["payment_method"])
        try:
            if not success:
                error = {
                    "type": "card_error", "message": "We are unable to authenticate.",
                    "code": f"{intent['object']}_authentication_failure",
                }  # fmt: skip
                return (
                    _not_set_up(books, intent, error)
                    if setting_up
                    else void_refusal(_not_paid(books, intent, error), intent)
                )
            if setting_up:
                return _set_up(books, intent, method)
            return _charge(books, intent, method, books.cards[method["id"]])
        except Refusal:
            return intent


def void_refusal(_: Refusal, intent: Object) -> Object:
    return intent


@route("POST", "/v1/payment_intents/{id}/capture")
def capture(books: Books, params: Params, id: str) -> Object:
    intent = books.find("payment_intent", id)
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "capture")
    amount = int(params.get("amount_to_capture", intent["amount_capturable"]))
    if not 0 < amount <= intent["amount_capturable"]:
        raise invalid("The payment could not be captured: too much.", "amount_too_large")
    charge = books.find("charge", intent["latest_charge"])
    take(books, charge, amount)
    intent.update(status="succeeded", amount_received=amount, amount_capturable=0)
    books.tell("charge.captured", charge)
    books.tell("payment_intent.succeeded", intent)
    return intent


@route("POST", "/v1/payment_intents/{id}/cancel")
def cancel(books: Books, params: Params, id: str) -> Object:
    intent = books.find("payment_intent", id)
    if intent["status"] not in _CANCELABLE:
        raise unexpected(intent, "cancel")
    reason = params.get("cancellation_reason")
    return _canceled(books, intent, reason, None)


def _canceled(books: Books, intent: Object, reason: str | None, refund: str | None) -> Object:
    if intent["status"] == "requires_capture":
        charge = books.find("charge", intent["latest_charge"])
        let_go(books, charge, charge["amount"], refund)
    intent.update(
        status="canceled", amount_capturable=0, canceled_at=books.now(), next_action=None,
        cancellation_reason=reason,
    )  # fmt: skip
    books.tell("payment_intent.canceled", intent)
    return intent


def expire(books: Books, id: str) -> Object:
    """Let an authorization end, as seven days do."""
    with books.lock:
        intent = books.find("payment_intent", id)
        books.tell("charge.expired", books.find("charge", intent["latest_charge"]))
        return _canceled(books, intent, "automatic", "expired_uncaptured_charge")


@route("POST", "/v1/setup_intents")
def create_setup(books: Books, params: Params) -> Object:
    if params.get("customer"):
        books.find("customer", params["customer"])
    setup = books.add(
        "seti", "setup_intent", customer=params.get("customer"), payment_method=None,
        usage=params.get("usage", "off_session"), metadata=params.get("metadata") or {},
        payment_method_types=params.get("payment_method_types") or ["card", "link"],
        next_action=None, last_setup_error=None, status="requires_payment_method",
    )  # fmt: skip
    setup["client_secret"] = f"{setup['id']}_secret_{secrets.token_hex(12)}"
    books.tell("setup_intent.created", setup)
    return confirm_setup(books, params, setup["id"]) if params.get("confirm") == "true" else setup


@route("GET", "/v1/setup_intents/{id}")
def retrieve_setup(books: Books, params: Params, id: str) -> Object:
    return books.find("setup_intent", id)


@route("POST", "/v1/setup_intents/{id}/confirm")
def confirm_setup(books: Books, params: Params, id: str) -> Object:
    setup = books.find("setup_intent", id)
    if setup["status"] not in _CONFIRMABLE:
        raise invalid("You cannot confirm this SetupIntent.", "setup_intent_unexpected_state")
    name = params.get("payment_method") or setup["payment_method"]
    if not name:
        raise invalid("A SetupIntent needs a payment method to be confirmed.")
    method = resolved(books, name, setup["customer"])
    card = books.cards[method["id"]]
    setup.update(payment_method=method["id"], last_setup_error=None)
    if card.declines and not card.charge_fails:
        error = {"type": "card_error", "code": card.code, "message": "Your card was declined."}
        error |= {"decline_code": card.decline} if card.decline else {}
        _not_set_up(books, setup, error)
        told = {name: value for name, value in error.items() if name not in ("type", "message")}
        raise Refusal(402, "card_error", error["message"], **told, setup_intent=dict(setup))
    if card.three_ds != "never":
        _ask_customer(books, setup, params.get("return_url"), "setup_intent")
        return setup
    return _set_up(books, setup, method)


def _set_up(books: Books, setup: Object, method: Object) -> Object:
    setup.update(status="succeeded", next_action=None)
    if setup["customer"]:
        kept(books, method, setup["customer"])
    books.tell("setup_intent.succeeded", setup)
    return setup


def _not_set_up(books: Books, setup: Object, error: Params) -> Object:
    setup.update(
        status="requires_payment_method", last_setup_error=error, payment_method=None,
        next_action=None,
    )  # fmt: skip
    books.tell("setup_intent.setup_failed", setup)
    return setup
