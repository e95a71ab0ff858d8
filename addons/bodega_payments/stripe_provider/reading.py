"""What Stripe's objects are in the words of :mod:`bodega_payments.providers`."""

from collections.abc import Iterable, Mapping
from typing import Any

from bodega_payments.providers import Dispute, Intent, Method, Refund, Setup
from bodega_payments.stripe_provider.amounts import from_stripe
from bodega_payments.stripe_provider.declines import told

#: Names below which Stripe keeps what is ours.
PAYMENT, REFUND, CUSTOMER = "bodega_payment", "bodega_refund", "bodega_customer"
#: What an intent is to be answered with.
EXPANDED = ["latest_charge.refunds", "payment_method"]

_REFUNDS = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
# Inquiries (``warning_…``) are none yet: no money is taken until they become one.
_DISPUTES = {
    "needs_response": "open",
    "under_review": "open",
    "won": "won",
    "lost": "lost",
}

Found = Mapping[str, Any]


def intent_from(
    found: Found, refunds: Iterable[Found] = (), disputes: Iterable[Found] = ()
) -> Intent:
    """Return an intent.

    Args:
        found: as Stripe tells it.
        refunds, disputes: all that there are of it.
    """
    currency = found["currency"].upper()
    error = _error_of(found)
    return Intent(
        id=found["id"],
        status=found["status"],
        amount=from_stripe(found["amount"], currency),
        currency=currency,
        authorized=from_stripe(found.get("amount_capturable") or 0, currency),
        captured=from_stripe(found.get("amount_received") or 0, currency),
        refunds=tuple(refund_from(item) for item in given_back(found, refunds)),
        disputes=tuple(_dispute_from(item) for item in disputes if item["status"] in _DISPUTES),
        client_secret=found.get("client_secret") or "",
        action_url=_action_url(found),
        error_code=error[0],
        error_message=error[1],
        method=method_from(found.get("payment_method")),
        reference=(found.get("metadata") or {}).get(PAYMENT, ""),
    )


def _error_of(found: Found) -> tuple[str, str]:
    error = found.get("last_payment_error") or found.get("last_setup_error")
    return told(error) if error else ("", "")


def _action_url(found: Found) -> str:
    action = found.get("next_action") or {}
    return (action.get("redirect_to_url") or {}).get("url") or ""


def charge_of(found: Found) -> Found:
    """Return the charge of an intent, or nothing while there is none."""
    charge = found.get("latest_charge")
    return charge if isinstance(charge, Mapping) else {}


def given_back(found: Found, refunds: Iterable[Found]) -> list[Found]:
    """Return the refunds by which captured money goes back, oldest first.

    Stripe writes a refund for what is let go as well: for all of an authorization that is
    canceled, and for what a partial capture leaves. Nobody gets money by those.
    """
    if not found.get("amount_received"):
        return []
    oldest = sorted(refunds, key=lambda item: (item["created"], item["id"]))
    charge = charge_of(found)
    let_go = (charge.get("amount") or 0) - (charge.get("amount_captured") or 0)
    for item in oldest if let_go > 0 else ():
        if item["amount"] == let_go and not (item.get("metadata") or {}).get(REFUND):
            oldest.remove(item)
            break
    return oldest


def refund_from(found: Found) -> Refund:
    """Return a refund."""
    return Refund(
        id=found["id"],
        amount=from_stripe(found["amount"], found["currency"]),
        status=_REFUNDS.get(found.get("status") or "", "pending"),
        reference=(found.get("metadata") or {}).get(REFUND, ""),
        error=(found.get("failure_reason") or "").replace("_", " "),
    )


def _dispute_from(found: Found) -> Dispute:
    return Dispute(
        id=found["id"],
        amount=from_stripe(found["amount"], found["currency"]),
        status=_DISPUTES[found["status"]],
        reason=found.get("reason") or "",
    )


def method_from(found: Any) -> Method | None:
    """Return a method; None for one that Stripe only names."""
    if not isinstance(found, Mapping):
        return None
    kind = found.get("type") or "card"
    facts = found.get(kind) or {}
    return Method(
        id=found["id"],
        kind=kind,
        brand=facts.get("brand") or "",
        last4=facts.get("last4") or "",
        exp_month=facts.get("exp_month") or 0,
        exp_year=facts.get("exp_year") or 0,
    )


def setup_from(found: Found) -> Setup:
    """Return a setup."""
    error = _error_of(found)
    done = found["status"] == "succeeded"
    return Setup(
        id=found["id"],
        status=found["status"],
        customer=_id_of(found.get("customer")),
        client_secret=found.get("client_secret") or "",
        action_url=_action_url(found),
        method=method_from(found.get("payment_method")) if done else None,
        error_code=error[0],
        error_message=error[1],
    )


def _id_of(found: Any) -> str:
    """Return the id of what Stripe either names or tells whole."""
    return str(found["id"]) if isinstance(found, Mapping) else str(found or "")
