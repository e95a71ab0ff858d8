"""What payments look like outside; amounts are decimal strings."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from bodega_payments import ledger, showing
from bodega_payments.cards import CardlessSchema
from bodega_payments.models import CAPTURE_METHODS, KINDS
from bodega_payments.providers import STATUSES
from bodega_payments.refunding import REASONS
from bodega_sdk import Money
from bodega_sdk.money import decimal_text
from bodega_sdk.schemas import (
    Amount,
    Boolean,
    Integer,
    Nested,
    Schema,
    String,
    Timestamp,
    Url,
    Uuid,
    of_columns,
    validate,
)

_METHOD = validate.Regexp(r"[A-Za-z0-9_-]+\Z", error="Expected the id of a payment method.")
_TEST = "Whether no real money moves."


def _told(text: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"description": text} | more}


def _money(name: str) -> Callable[[Any], str]:
    return of_columns(decimal_text, name, "currency")


def _amount(text: str) -> Amount:
    return Amount(dump_only=True, **_told(text))


class ActionSchema(Schema):
    """What the customer has to do."""

    url = String(dump_only=True, max_length=2000, **_told("Where the customer approves it; empty "
                 "where the provider's script does that with `client_secret`."))  # fmt: skip


class FailureSchema(Schema):
    """Why the last attempt failed."""

    code = String(dump_only=True, **_told("As banks name it, e.g. `insufficient_funds`."))
    message = String(dump_only=True, max_length=500, **_told("A sentence for the customer."))


class PaymentSchema(Schema):
    """An attempt to pay for an order."""

    id = Uuid(dump_only=True)
    order = Uuid(dump_only=True)
    order_number = String(dump_only=True)
    provider = String(dump_only=True, **_told("Who collects the money."))
    is_test = Boolean(dump_only=True, **_told(_TEST))
    status = String(dump_only=True, validate=validate.OneOf(STATUSES))
    currency = String(dump_only=True)
    amount = _amount("What is to be paid.")
    authorized = _amount("What is held and can be captured.")
    captured = _amount("All that was taken.")
    refunded = _amount("What has gone back, or is on its way.")
    refundable = _amount("What can still be given back.")
    disputed = _amount("What the customer's bank has taken back, at least for now.")
    capture_method = String(dump_only=True, validate=validate.OneOf(CAPTURE_METHODS))
    method = String(dump_only=True, **_told("E.g. `visa 4242`; empty until it is known."))
    client_secret = String(
        dump_only=True, allow_none=True, max_length=500,
        **_told("For the provider's script; null for staff, and once it is of no use."),
    )  # fmt: skip
    next_action = Nested(ActionSchema, dump_only=True, allow_none=True)
    error = Nested(FailureSchema, dump_only=True, allow_none=True)
    flag = String(
        dump_only=True,
        max_length=200,
        **_told("Why somebody should look at it; for staff.", permission="payments.read_all"),
    )
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)

    made: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        name: _money(name) for name in ("amount", "authorized", "captured", "refunded", "disputed")
    } | {
        "refundable": lambda row: str(Money(ledger.refundable(row), row.currency)),
        "is_test": showing.is_test,
        "method": lambda row: row.method_label,
        # Filled in for whoever may have it.
        "client_secret": lambda row: None,
        "next_action": showing.next_action,
        "error": showing.failure,
    }  # fmt: skip


class BeginningSchema(CardlessSchema):
    """What is to be paid, and with what."""

    order = Uuid(required=True)
    capture_method = String(
        validate=validate.OneOf(CAPTURE_METHODS),
        **_told("`manual` only holds the money until staff capture it. What the setting says when "
                "left out; only staff may say otherwise."),
    )  # fmt: skip
    payment_method = String(
        load_default="", load_only=True, max_length=255, validate=_METHOD,
        **_told("Id of a method of one's own, or one that the provider's script made. Without "
                "it the payment is confirmed later."),
    )  # fmt: skip
    save = Boolean(load_default=False, **_told("Whether to keep the method; needs an account."))
    return_url = Url(load_default="", **_told("Where the customer comes back to."))


class ConfirmingSchema(CardlessSchema):
    """With what to pay; nothing at all to find out what became of the last attempt."""

    payment_method = String(
        load_default="", load_only=True, max_length=255, validate=_METHOD,
        **_told("Id of a method; the customer came back from approving it without."),
    )  # fmt: skip
    return_url = Url(load_default="")


class CapturingSchema(CardlessSchema):
    """How much to take."""

    amount = Amount(**_told("All that is held when left out; what is left is let go."))


class RefundingSchema(CardlessSchema):
    """What to give back."""

    amount = Amount(**_told("All that is left when left out."))
    reason = String(load_default=REASONS[0], validate=validate.OneOf(REASONS))
    note = String(load_default="", max_length=500, strip=True, **_told("For staff."))


class RefundSchema(Schema):
    """Money that goes back."""

    id = Uuid(dump_only=True)
    payment = Uuid(dump_only=True, attribute="payment_id")
    currency = String(dump_only=True)
    amount = _amount("What goes back.")
    status = String(
        dump_only=True,
        **_told("`reserved` until the provider has answered, then `pending`, `succeeded`, "
                "`failed`, or `refused` when the provider did not do it."),
    )  # fmt: skip
    reason = String(dump_only=True)
    note = String(
        dump_only=True, max_length=500,
        **_told("For staff.", permission="payments.read_all"),
    )  # fmt: skip
    error = String(dump_only=True, max_length=500)
    created_at = Timestamp(dump_only=True)

    made: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"amount": _money("amount")}


class EntrySchema(Schema):
    """A line of the ledger."""

    id = Uuid(dump_only=True)
    payment = Uuid(dump_only=True, attribute="payment_id")
    order = Uuid(dump_only=True)
    kind = String(dump_only=True, validate=validate.OneOf(KINDS))
    currency = String(dump_only=True)
    amount = _amount("More than zero; the kind says which way.")
    fact = String(dump_only=True, max_length=300, **_told("What it is at the provider."))
    created_at = Timestamp(dump_only=True)

    made: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"amount": _money("amount")}


class MethodSchema(Schema):
    """A way to pay that is kept; never a card's number."""

    id = Uuid(dump_only=True)
    provider = String(dump_only=True)
    kind = String(dump_only=True)
    brand = String(dump_only=True)
    last4 = String(dump_only=True)
    exp_month = Integer(dump_only=True, **_told("0 for what does not expire."))
    exp_year = Integer(dump_only=True)
    is_default = Boolean(dump_only=True)
    created_at = Timestamp(dump_only=True)


class KeepingSchema(CardlessSchema):
    """A setup intent that has succeeded."""

    setup_intent = String(required=True, min_length=1, max_length=255, load_only=True,
                          validate=validate.Regexp(r"[A-Za-z0-9_]+\Z"))  # fmt: skip


class SettingUpSchema(CardlessSchema):
    """What is to be kept."""

    payment_method = String(load_default="", load_only=True, max_length=255, validate=_METHOD)
    return_url = Url(load_default="")


class SetupSchema(Schema):
    """A method that is about to be kept."""

    id = String(dump_only=True, max_length=255)
    provider = String(dump_only=True)
    is_test = Boolean(dump_only=True, **_told(_TEST))
    status = String(dump_only=True)
    client_secret = String(dump_only=True, max_length=500)
    next_action = Nested(ActionSchema, dump_only=True, allow_none=True)


class UsageSchema(Schema):
    """What went through a provider, in one currency."""

    currency = String(dump_only=True)
    available = Amount(negative=True, dump_only=True, **_told("The balance now."))
    pending = Amount(negative=True, dump_only=True, **_told("On its way to the balance."))
    payments = Integer(dump_only=True, **_told("How many succeeded."))
    volume = _amount("What they came to.")
    refunded = _amount("What went back.")
    fees = Amount(negative=True, dump_only=True, **_told("What the provider took."))


class UsagesSchema(Schema):
    """What went through the provider that collects new payments."""

    provider = String(dump_only=True)
    is_test = Boolean(dump_only=True, **_told(_TEST))
    days = Integer(dump_only=True)
    currencies = Nested(UsageSchema, many=True, dump_only=True)


class AcceptedSchema(Schema):
    """What a provider is answered."""

    received = Boolean(dump_only=True)
