"""The routes of payments."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from bodega_orders import api as orders
from bodega_payments import paying, reaching, refunding, showing
from bodega_payments.keys import READS_KEY, key_of
from bodega_payments.limits import trying
from bodega_payments.models import KINDS, LedgerEntry, Payment, Refund
from bodega_payments.preparing import prepared
from bodega_payments.providers import STATUSES
from bodega_payments.reaching import MANAGE, READ_ALL, USE
from bodega_payments.schemas import (
    BeginningSchema,
    CapturingSchema,
    ConfirmingSchema,
    EntrySchema,
    PaymentSchema,
    RefundingSchema,
    RefundSchema,
)
from bodega_sdk import (
    PUBLIC,
    Collection,
    Filter,
    Money,
    Parameter,
    Reply,
    Request,
    Route,
    audit,
    setting,
)
from bodega_sdk.errors import PermissionDenied, invalid

_GUESTS: dict[str, Any] = {"objects": "own", "reads": orders.READS_ORDER}
_ORDER = Parameter("order", UUID, "Only of this order.")
_STATUS = Parameter("status", str, "Only of this status.", choices=STATUSES)
_FLAGGED = Parameter("flagged", bool, "Only those that somebody should look at, or only others.")


class Payments(Collection):
    """Payments: one's own, those of the order whose token one has, or all."""

    model, schema, noun = Payment, PaymentSchema, "payment"
    read, write = USE, MANAGE
    objects, beyond = "own", READ_ALL
    verbs = ("list",)
    filters = (
        Filter(_ORDER, lambda value: Payment.order == value),
        Filter(_STATUS, lambda value: Payment.status == value),
        Filter(_FLAGGED, lambda value: Payment.flag != "" if value else Payment.flag == ""),
    )

    def select(self, request: Request) -> Any:
        """Those that the caller reaches."""
        return reaching.reached(request)

    def whose(self, request: Request) -> UUID | None:
        """Nobody's in particular: guests have no account, and ``select`` sees to it."""

    def show(self, row: Payment, request: Request | None = None) -> dict[str, Any]:
        """A payment; with what its customer goes on with, for them."""
        shown = super().show(row, request)
        if request is not None and reaching.is_payer(request, row):
            shown["client_secret"] = showing.client_secret(row)
        return shown

    def routes(self, path: str) -> tuple[Route, ...]:
        """The list, and what becomes of a payment."""
        return (*super().routes(path), *self._customers(path), *self._staffs(path))

    def _customers(self, path: str) -> tuple[Route, ...]:
        item = f"{path}/{{id}}"
        return (
            Route("POST", path, self._begin, PUBLIC, "Pay for an order", body=BeginningSchema,
                  returns=PaymentSchema, status=201, objects="own", beyond=MANAGE,
                  reads=READS_KEY | orders.READS_ORDER,
                  description="What is left to pay. A method is tried at once; a bank's no is a "
                  "402 `payment-declined`, and the payment can be confirmed with another. Sent "
                  "again, it goes on with the same payment: nothing is paid twice. How it is "
                  "captured, the shop's setting says; staff may choose."),
            # Guests have no list, but what they have the token of.
            Route("GET", item, self._read_one, PUBLIC, "Read a payment", returns=self.shape,
                  beyond=READ_ALL, **_GUESTS),
            Route("POST", f"{item}/confirm", self._confirm, PUBLIC, "Confirm a payment",
                  body=ConfirmingSchema, returns=PaymentSchema, beyond=MANAGE,
                  description="With a method, or without one when the customer comes back from "
                  "approving: then the provider is asked what became of it.", **_GUESTS),
            Route("POST", f"{item}/cancel", self._cancel, PUBLIC, "Cancel a payment",
                  returns=PaymentSchema, beyond=MANAGE,
                  description="Customers while nothing is held; staff also what is held.",
                  **_GUESTS),
        )  # fmt: skip

    def _staffs(self, path: str) -> tuple[Route, ...]:
        item = f"{path}/{{id}}"
        return (
            Route("POST", f"{item}/capture", self._capture, MANAGE, "Capture a payment",
                  body=CapturingSchema, returns=PaymentSchema,
                  description="All that is held, or a part; what is left is let go."),
        )  # fmt: skip

    # Handlers.

    def _read_one(self, request: Request) -> dict[str, Any]:
        return self.show(self.get(request), request)

    def _begin(self, request: Request) -> Reply:
        order = reaching.order_to_pay(request, request.body["order"])
        _check_capture_method(request)
        key = key_of(request)
        wanted = prepared(order, request.body)
        payment = trying(request, lambda: paying.begin(wanted, key))
        headers = {"Location": f"{request.raw.path.rstrip('/')}/{payment.id}"}
        return Reply(self.show(payment, request), 201, headers)

    def _confirm(self, request: Request) -> dict[str, Any]:
        payment = self.get(request)
        self._act(request, payment)
        order = reaching.order_to_pay(request, payment.order)
        wanted = prepared(order, {"order": order.id, **request.body}, payment.provider)
        method, back = wanted.payment_method, wanted.return_url
        after = trying(request, lambda: paying.confirm(payment.id, method, back))
        return self.show(after, request)

    def _cancel(self, request: Request) -> dict[str, Any]:
        payment = self.get(request)
        self._act(request, payment)
        staff = request.identity.may(MANAGE)
        after = paying.cancel(payment.id, held_too=staff)
        if staff:
            audit("payment.canceled", f"payment:{payment.id}")
        return self.show(after, request)

    def _act(self, request: Request, payment: Payment) -> None:
        """Let only those act who pay, or manage payments; reading all is not enough."""
        if not (reaching.is_payer(request, payment) or request.identity.may(MANAGE)):
            raise PermissionDenied(f"This needs the permission '{MANAGE}'.")

    def _capture(self, request: Request) -> dict[str, Any]:
        payment = self.get(request)
        amount = _minor(request.body.get("amount"), payment.currency)
        after = paying.capture(payment.id, amount)
        audit("payment.captured", f"payment:{payment.id}", captured=str(after.captured))
        return self.show(after, request)


class Refunds(Collection):
    """The refunds of one payment."""

    model, schema, noun = Refund, RefundSchema, "refund"
    read, write = USE, MANAGE
    objects, beyond = "own", READ_ALL
    verbs = ("list",)

    def select(self, request: Request) -> Any:
        """Those of the payment that the address names."""
        return Refund.select().where(Refund.payment == Payments().get(request).id)

    def whose(self, request: Request) -> UUID | None:
        """Nobody's in particular: the payment is reached, or is not."""

    def routes(self, path: str) -> tuple[Route, ...]:
        """The list, and giving money back."""
        listing = (replace(item, permission=PUBLIC, **_GUESTS) for item in super().routes(path))
        return (
            *listing,
            Route("POST", path, self._refund, MANAGE, "Give money back",
                  body=RefundingSchema, returns=self.shape, status=201, reads=READS_KEY,
                  description="In full or in part. More than there is, is a 422 `too-much`, also "
                  "when two are made at once."),
        )  # fmt: skip

    def _refund(self, request: Request) -> Reply:
        payment = Payments().get(request)
        body = request.body
        amount = _minor(body.get("amount"), payment.currency)
        by, key = reaching.own(request.identity), key_of(request)
        made = refunding.refund(payment.id, amount, body["reason"], body["note"], by, key)
        audit("payment.refunded", f"payment:{payment.id}", refund=str(made.id))
        headers = {"Location": request.raw.path.rstrip("/")}
        return Reply(self.show(made, request), 201, headers)


def _check_capture_method(request: Request) -> None:
    """Let only staff say how money is captured: what is held and never captured is not paid.

    Raises:
        InvalidInput: somebody else says something other than the shop does.
    """
    shops = setting("payments.capture_method")
    asked = request.body.get("capture_method", shops)
    if asked != shops and not request.identity.may(MANAGE):
        raise invalid("capture_method", "The shop chooses it; leave it out.", asked)
    request.body["capture_method"] = asked


def _minor(amount: Any, currency: str) -> int | None:
    """Return a decimal amount in minor units.

    Raises:
        InvalidInput: it has more decimals than the currency.
    """
    try:
        return None if amount is None else Money.parse(amount, currency).minor
    except ValueError as error:
        raise invalid("amount", f"{error}.", str(amount)) from None


class Ledger(Collection):
    """The ledger: what happened to money, once each, in order."""

    model, schema, noun, nouns = LedgerEntry, EntrySchema, "ledger entry", "ledger entries"
    read, write = READ_ALL, READ_ALL
    verbs = ("list",)
    filters = (
        Filter(_ORDER, lambda value: LedgerEntry.order == value),
        Filter(Parameter("payment", UUID, "Only of this payment."),
               lambda value: LedgerEntry.payment == value),
        Filter(Parameter("kind", str, "Only of this kind.", choices=KINDS),
               lambda value: LedgerEntry.kind == value),
    )  # fmt: skip
