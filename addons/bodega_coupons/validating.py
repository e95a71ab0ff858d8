"""What codes would take off, for whoever asks. Nothing is used up."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from bodega_accounts import api as accounts
from bodega_coupons.discounting import SOURCE
from bodega_coupons.limits import count_question
from bodega_coupons.models import Coupon
from bodega_orders.api import (
    Destination,
    Draft,
    Quote,
    count_guesses,
    draft_of,
    quote,
    refuse_guessing,
)
from bodega_sdk import Money, Request, setting
from bodega_sdk.errors import invalid


def validate(request: Request) -> dict[str, Any]:
    """Answer what codes would take off things.

    Raises:
        TooManyRequests: somebody tries codes.
    """
    count_question(request.address)
    refuse_guessing(request.address)
    found = quote(_draft(request, _codes(request.body)))
    count_guesses(request.address, found)
    return _shown(found)


def _codes(body: dict[str, Any]) -> list[str]:
    sent = [*([body["code"]] if "code" in body else ()), *body["codes"]]
    if not sent:
        raise invalid("codes", "Send 'code', or 'codes' with one at least.")
    return sent


def _draft(request: Request, codes: Sequence[str]) -> Draft:
    body = request.body
    things = [(one["product"], one["variant"], one["quantity"]) for one in body["items"]]
    currency = body["currency"] or str(setting("products.currency"))
    account, email = _who(request)
    return draft_of(things, currency, account, email, Destination(**body["destination"]), codes, "")


def _who(request: Request) -> tuple[UUID | None, str]:
    """Return whose purchase it would be: the caller's, or a guest's with an address."""
    people = accounts.people([key]) if (key := _account(request)) else {}
    for person in people.values():
        return person.id, person.email
    return None, request.body["email"]


def _account(request: Request) -> UUID | None:
    try:
        return UUID(request.identity.subject)
    except ValueError:
        return None


def _shown(found: Quote) -> dict[str, Any]:
    draft = found.draft
    reasons = {one.code: one.reason for one in found.refused}
    given = _references(found)
    verdicts = [_verdict(code, reasons, found, given.get(code)) for code in draft.codes]
    mine = [entry.amount for entry in found.entries if entry.source == SOURCE]
    return {
        "valid": not reasons,
        "currency": draft.currency,
        "subtotal": str(found.subtotal),
        "discount": str(sum(mine, Money(0, draft.currency)) * -1),
        "codes": verdicts,
    }


def _references(found: Quote) -> dict[str, str]:
    """Return the ids of the coupons that give something, by what their codes are compared by."""
    ids = [UUID(one.reference) for one in found.discounts if one.source == SOURCE]
    rows = Coupon.select(Coupon.key, Coupon.id).where(Coupon.id.in_(ids)).tuples() if ids else ()
    return {key: str(coupon) for key, coupon in rows}


def _verdict(
    code: str, reasons: dict[str, str], found: Quote, reference: str | None
) -> dict[str, Any]:
    given = next((one for one in found.discounts if one.reference == reference), None)
    mine = [one.amount for one in found.entries if reference and one.reference == reference]
    return {
        "code": code,
        "valid": code not in reasons,
        "reason": reasons.get(code, ""),
        "label": given.label if given else "",
        "discount": str(sum(mine, Money(0, found.draft.currency)) * -1),
        "free_shipping": given is not None and given.free_shipping,
    }
