"""The sandbox's page for 3-D Secure: a bank that asks whether it is you.

Whoever has the address of an intent may answer for it, as with a bank's own page: the id is
random, and only told to who pays.
"""

import re

from jinja2 import Environment

from bodega_payments.errors import wrong_state
from bodega_payments.sandbox import provider
from bodega_payments.sandbox.engine import EngineError
from bodega_payments.sandbox.store import Thing
from bodega_sdk import PUBLIC, Money, Reply, Request, Route
from bodega_sdk.errors import FieldError, NotFound

_ID = re.compile(r"pi_[0-9a-f]{24}")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Test bank</title>
<body><main>
<h1>Test bank</h1>
<p><strong>This is test money; nothing is paid.</strong></p>
{% if asked %}
<p>Do you approve the payment of {{ amount }} {{ currency }}?</p>
<form method="post" action="approve"><button>Approve</button></form>
<form method="post" action="refuse"><button>Refuse</button></form>
{% else %}
<p>There is nothing to approve now: the payment is {{ status }}.</p>
{% if back %}<p><a href="{{ back }}" rel="noreferrer">Back to the shop</a></p>{% endif %}
{% endif %}
</main></body></html>
"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
}  # fmt: skip


def _show(request: Request) -> Reply:
    return _page(_found(request))


def _page(intent: Thing) -> Reply:
    amount = Money(intent["amount"], intent["currency"].upper())
    text = Environment(autoescape=True).from_string(_PAGE).render(
        asked=intent["status"] == "requires_action", status=intent["status"],
        amount=amount, currency=amount.currency, back=intent.get("return_url"),
    )  # fmt: skip
    return Reply(content=text.encode(), media="text/html; charset=utf-8", headers=_HEADERS)


def _found(request: Request) -> Thing:
    sent = request.params["intent"]
    try:
        if _ID.fullmatch(sent):
            return provider.connect().engine.retrieve_intent(sent)
    except EngineError:
        pass
    message = "There is no payment at this address."
    raise NotFound(message, [FieldError("intent", message, sent)])


def _approve(request: Request) -> Reply:
    return _answer(request, approved=True)


def _refuse(request: Request) -> Reply:
    return _answer(request, approved=False)


def _answer(request: Request, *, approved: bool) -> Reply:
    intent = _found(request)
    try:
        after = provider.connect().engine.resolve_action(intent["id"], approved)
    except EngineError:
        raise wrong_state(intent["status"], "approved") from None
    return _page(after)


_AT = "/payments/sandbox/{intent}"
_TYPES = {"intent": str}
ROUTES = (
    Route("GET", f"{_AT}/challenge", _show, PUBLIC, "Ask a customer of the sandbox to approve",
          produces="text/html", path_types=_TYPES),
    Route("POST", f"{_AT}/approve", _approve, PUBLIC, "Approve a payment in the sandbox",
          produces="text/html", path_types=_TYPES),
    Route("POST", f"{_AT}/refuse", _refuse, PUBLIC, "Refuse a payment in the sandbox",
          produces="text/html", path_types=_TYPES),
)  # fmt: skip
