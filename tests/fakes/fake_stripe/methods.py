"""Customers and the methods that they keep."""

from typing import Any

from fake_stripe.books import Books, Object
from fake_stripe.cards import BY_NAME, BY_NUMBER, Card
from fake_stripe.refusals import invalid
from fake_stripe.routing import listed, route


def made(books: Books, card: Card) -> Object:
    facts: Object = {"last4": card.last4}
    if card.kind == "card":
        facts |= {"brand": card.brand, "exp_month": 12, "exp_year": 2034, "funding": "credit"}
    method = books.add(
        "pm", "payment_method", type=card.kind, customer=None, metadata={}, billing_details={},
        **{card.kind: facts},
    )  # fmt: skip
    books.cards[method["id"]] = card
    return method


def resolved(books: Books, name: str, customer: str | None) -> Object:
    """Return a method; of a ready-made one, a new one each time, as Stripe does."""
    if name in BY_NAME:
        return made(books, BY_NAME[name])
    method = books.find("payment_method", name)
    if method["customer"] and method["customer"] != customer:
        raise invalid(
            "The PaymentMethod belongs to a Customer. Include it in the customer parameter.",
            param="payment_method",
        )
    return method


def kept(books: Books, method: Object, customer: str) -> None:
    if method["customer"] != customer:
        method["customer"] = customer
        books.tell("payment_method.attached", method)


@route("POST", "/v1/payment_methods")
def create_method(books: Books, params: dict[str, Any]) -> Object:
    number = str((params.get("card") or {}).get("number", ""))
    if number not in BY_NUMBER:
        raise invalid("Your card number is incorrect.", "incorrect_number", "card[number]")
    return made(books, BY_NUMBER[number])


@route("GET", "/v1/payment_methods/{id}")
def retrieve_method(books: Books, params: dict[str, Any], id: str) -> Object:
    return books.find("payment_method", id)


@route("POST", "/v1/payment_methods/{id}/attach")
def attach(books: Books, params: dict[str, Any], id: str) -> Object:
    customer = _customer(books, params.get("customer", ""))
    method = resolved(books, id, customer["id"])
    kept(books, method, customer["id"])
    return method


@route("POST", "/v1/payment_methods/{id}/detach")
def detach(books: Books, params: dict[str, Any], id: str) -> Object:
    method = books.find("payment_method", id)
    if not method["customer"]:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible.",
            "payment_method_unexpected_state",
        )
    owner = books.find("customer", method["customer"])
    if owner["invoice_settings"]["default_payment_method"] == id:
        owner["invoice_settings"]["default_payment_method"] = None
    method["customer"] = None
    books.tell("payment_method.detached", method)
    return method


@route("POST", "/v1/customers")
def create_customer(books: Books, params: dict[str, Any]) -> Object:
    customer = books.add(
        "cus", "customer", email=params.get("email"), metadata=params.get("metadata") or {},
        invoice_settings={"default_payment_method": None}, default_source=None, balance=0,
    )  # fmt: skip
    books.tell("customer.created", customer)
    return customer


def _customer(books: Books, id: str) -> Object:
    return books.find("customer", id)


@route("GET", "/v1/customers/{id}")
def retrieve_customer(books: Books, params: dict[str, Any], id: str) -> Object:
    return _customer(books, id)


@route("DELETE", "/v1/customers/{id}")
def delete_customer(books: Books, params: dict[str, Any], id: str) -> Object:
    customer = _customer(books, id)
    customer.clear()
    customer.update(id=id, object="customer", deleted=True)
    return customer


@route("POST", "/v1/customers/{id}")
def update_customer(books: Books, params: dict[str, Any], id: str) -> Object:
    customer = _customer(books, id)
    default = (params.get("invoice_settings") or {}).get("default_payment_method")
    if default:
        method = books.find("payment_method", default)
        if method["customer"] != id:
            raise invalid("The customer does not have a payment method with that ID.")
        customer["invoice_settings"]["default_payment_method"] = default
    customer["email"] = params.get("email", customer["email"])
    books.tell("customer.updated", customer)
    return customer


@route("GET", "/v1/customers/{id}/payment_methods")
def methods_of(books: Books, params: dict[str, Any], id: str) -> Object:
    _customer(books, id)
    return listed(
        books.all("payment_method", customer=id), params, f"/v1/customers/{id}/payment_methods"
    )
