"""Refunds, and what can be looked up: charges, disputes, events, the balance."""

from typing import Any

from fake_stripe.books import Books, Object
from fake_stripe.charging import refund_ends, refunded
from fake_stripe.refusals import invalid, missing
from fake_stripe.routing import listed, route

Params = dict[str, Any]
_REASONS = (None, "duplicate", "fraudulent", "requested_by_customer")


@route("POST", "/v1/refunds")
def create_refund(books: Books, params: Params) -> Object:
    if params.get("reason") not in _REASONS:
        raise invalid(f"Invalid reason: {params['reason']}", param="reason")
    charge = _charge(books, params)
    left = charge["amount"] - charge["amount_refunded"]
    if not left:
        raise invalid(
            f"Charge {charge['id']} has already been refunded.", "charge_already_refunded"
        )
    if charge["disputed"]:
        raise invalid(f"Charge {charge['id']} has been charged back.", "charge_disputed")
    amount = int(params.get("amount", left))
    if not 0 < amount <= left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    card = books.cards[charge["payment_method"]]
    refund = refunded(
        books, charge, amount, "pending" if card.refund == "pending" else "succeeded",
        reason=params.get("reason"), metadata=params.get("metadata"),
    )  # fmt: skip
    if card.refund != "succeeded":
        end = "succeeded" if card.refund == "pending" else "failed"
        books.later.append(lambda: refund_ends(books, refund, end))
    return refund


def _charge(books: Books, params: Params) -> Object:
    if params.get("charge"):
        return books.find("charge", params["charge"])
    intent = books.find("payment_intent", str(params.get("payment_intent", "")))
    if not intent["amount_received"]:
        raise invalid(
            f"The PaymentIntent {intent['id']} does not have a successful charge to refund.",
            "payment_intent_unexpected_state",
        )
    return books.find("charge", intent["latest_charge"])


def _kinds(name: str, kind: str, filters: tuple[str, ...]) -> None:
    """Let things of a kind be listed and looked up."""

    @route("GET", f"/v1/{name}")
    def all_of_them(books: Books, params: Params) -> Object:
        wanted = {field: params[field] for field in filters if field in params}
        return listed(books.all(kind, **wanted), params, f"/v1/{name}")

    @route("GET", f"/v1/{name}/{{id}}")
    def one(books: Books, params: Params, id: str) -> Object:
        return books.find(kind, id)


_kinds("refunds", "refund", ("payment_intent", "charge"))
_kinds("charges", "charge", ("payment_intent", "customer"))
_kinds("disputes", "dispute", ("payment_intent", "charge"))
_kinds("balance_transactions", "balance_transaction", ("type", "currency", "source"))


@route("GET", "/v1/events")
def events(books: Books, params: Params) -> Object:
    wanted = params.get("types")
    if wanted is not None and len(wanted) > 20:
        raise invalid("types may have 20 values at most.", param="types")
    found = [event for event in books.events if wanted is None or event["type"] in wanted]
    return listed(found, params, "/v1/events")


@route("GET", "/v1/events/{id}")
def event(books: Books, params: Params, id: str) -> Object:
    if not any(item["id"] == id for item in books.events):
        raise missing("event", id)
    return books.find("event", id)


@route("GET", "/v1/balance")
def balance(books: Books, params: Params) -> Object:
    sums: dict[str, int] = {}
    for item in books.all("balance_transaction"):
        sums[item["currency"]] = sums.get(item["currency"], 0) + item["net"]
    lines = [{"amount": amount, "currency": name} for name, amount in sorted(sums.items())]
    none = [{"amount": 0, "currency": name} for name in sorted(sums)]
    return {"object": "balance", "available": lines, "pending": none, "livemode": False}
