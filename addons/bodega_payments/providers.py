"""What a provider of payments is: the protocol, and the frozen values that it speaks in.

A provider collects money: ``sandbox``, ``stripe``, or another addon's that the hook
``payment_providers`` adds. Amounts are whole minor units of an ISO 4217 currency, as
:class:`bodega_sdk.Money` has them; a provider that counts otherwise converts inside.

Every call that changes something takes a ``key``: called again with it, also days later or by
another process, nothing happens twice and the answer says the same. No call is made inside a
transaction. What an intent has come to is always its *whole* state (sums, never differences),
so that states may arrive twice, late or not at all.

Errors::

    ProviderError        root; the message may be shown to staff
    ├── Declined         the bank said no; ``code`` and a sentence for the customer
    ├── Refused          the provider will not do this, now or ever, e.g. capture what is canceled
    ├── ProviderDown     nobody knows whether it was done; ask again with the same key
    ├── BadSignature     an event was not signed by the provider, or too long ago
    └── Misconfigured    keys are missing or wrong; an operator has to mend it
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bodega_sdk.errors import BodegaError

#: What an intent can be, as Stripe names it; the last two are final.
STATUSES = (
    "requires_payment_method", "requires_confirmation", "requires_action", "processing",
    "requires_capture", "succeeded", "canceled",
)  # fmt: skip
#: What can become of a refund, in this order: one that succeeded may still fail.
REFUND_STATUSES = ("pending", "succeeded", "failed")
#: What can become of a dispute, in this order.
DISPUTE_STATUSES = ("open", "won", "lost")
#: Seconds that a signature is good for.
TOLERANCE = 300


class ProviderError(BodegaError):
    """A provider did not do what it was asked for."""


class Declined(ProviderError):
    """The bank said no.

    Args:
        code: as Stripe names them, e.g. ``"insufficient_funds"``.
        message: one sentence for the customer.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Refused(ProviderError):
    """The provider does not do this, whoever asks however often.

    Args:
        code: e.g. ``"payment_intent_unexpected_state"``.
        message: one sentence for staff.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class ProviderDown(ProviderError):
    """No answer, a 5xx or a 429: whether it was done is not known. Ask again, with the same key."""


class BadSignature(ProviderError):
    """An event that the provider did not sign, or signed more than 300 seconds ago."""


class Misconfigured(ProviderError):
    """The shop cannot speak to the provider; the message names the setting."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay; never a card's number.

    Args:
        id: the provider's, e.g. ``"pm_…"``.
        kind: ``"card"`` or another of the provider's words.
        brand: e.g. ``"visa"``; empty when there is none.
        last4: digits to recognise it by; may be empty.
        exp_month, exp_year: of a card; 0 when it does not expire.
    """

    id: str
    kind: str = "card"
    brand: str = ""
    last4: str = ""
    exp_month: int = 0
    exp_year: int = 0


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back.

    Args:
        id: the provider's.
        amount: minor units.
        status: one of :data:`REFUND_STATUSES`. Pending ones count as refunded until they fail.
        reference: what it was made with, see :meth:`Provider.refund`; empty when the refund
            was made elsewhere, e.g. in the provider's dashboard.
        error: why it failed.
    """

    id: str
    amount: int
    status: str
    reference: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A customer's bank takes the money back, at least for now.

    Args:
        id: the provider's.
        amount: minor units; taken while it is ``open`` or ``lost``.
        status: one of :data:`DISPUTE_STATUSES`.
        reason: the provider's word, e.g. ``"fraudulent"``.
    """

    id: str
    amount: int
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """All that the provider knows of one payment, at the time of asking.

    Args:
        id: the provider's, e.g. ``"pi_…"``.
        status: one of :data:`STATUSES`. A declined one is ``requires_payment_method`` again,
            with ``error_code``; one whose customer has to do something ``requires_action``.
        amount, currency: what it is for; minor units.
        authorized: what is held and can be captured now; 0 once captured, voided or expired.
        captured: all that was ever captured. It never falls.
        refunds, disputes: all of them, with those that failed.
        client_secret: with which the customer's browser may go on.
        action_url: where the customer is sent while it requires action; empty when the
            provider's script does that with ``client_secret``.
        error_code, error_message: of the last attempt, if it failed; e.g. ``"card_declined"``
            and a sentence for the customer.
        method: what it is paid with, once that is known.
        reference: what it was made with, see :class:`IntentRequest`.
    """

    id: str
    status: str
    amount: int
    currency: str
    authorized: int = 0
    captured: int = 0
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    client_secret: str = ""
    action_url: str = ""
    error_code: str = ""
    error_message: str = ""
    method: Method | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class IntentRequest:
    """What a payment is to be.

    Args:
        reference: our payment's id; the provider keeps it (metadata) and tells it again.
        amount, currency: minor units.
        manual_capture: whether the money is only held until it is captured.
        customer: the provider's id of who pays; empty for guests.
        save_method: whether the method is kept for later payments; needs ``customer``.
        description: for bank statements and dashboards, e.g. the order's number.
    """

    reference: str
    amount: int
    currency: str
    manual_capture: bool = False
    customer: str = ""
    save_method: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """A method that is about to be kept.

    Args:
        id: the provider's, e.g. ``"seti_…"``.
        status: as of intents; ``succeeded`` once the method is kept.
        client_secret, action_url: see :class:`Intent`.
        customer: the provider's id of whose it is.
        method: the kept method, once it succeeded.
        error_code, error_message: of the last attempt.
    """

    id: str
    status: str
    customer: str
    client_secret: str = ""
    action_url: str = ""
    method: Method | None = None
    error_code: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """Something that the provider says has happened; what it says is looked up, not believed.

    Args:
        id: the provider's, the same however often it is told.
        type: the provider's word, e.g. ``"payment_intent.succeeded"``.
        created_at: aware, UTC.
        intent: id of the intent that it is about (also of its refunds and disputes); empty
            when it is about none.
    """

    id: str
    type: str
    created_at: datetime
    intent: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What went through the provider in some time, in one currency; minor units.

    Args:
        available, pending: the balance now.
        payments, volume: how many succeeded, and what they came to.
        refunded, fees: in that time.
    """

    currency: str
    available: int = 0
    pending: int = 0
    payments: int = 0
    volume: int = 0
    refunded: int = 0
    fees: int = 0


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who keeps methods with the provider.

    Args:
        id: the provider's.
        default_method: id of the method that is used when none is named; may be empty.
    """

    id: str
    default_method: str = ""


class Provider(Protocol):
    """Who collects the money.

    Attributes:
        name: unique, e.g. ``"stripe"``; stored with each payment.
        is_test: whether no real money moves.
    """

    name: str
    is_test: bool

    def create_intent(self, wanted: IntentRequest, key: str) -> Intent:
        """Make an intent that nobody has paid yet."""

    def retrieve_intent(self, intent_id: str) -> Intent:
        """Return an intent with its refunds and disputes.

        Raises:
            Refused: there is none (code ``resource_missing``).
        """

    def confirm(self, intent_id: str, method: str, return_url: str, key: str) -> Intent:
        """Try to collect (or hold) the money.

        Args:
            method: id of a method; empty for the intent's or the customer's default one.
            return_url: where the customer goes after an action.

        Raises:
            Declined: the intent can be confirmed again with another method.
        """

    def capture(self, intent_id: str, amount: int, key: str) -> Intent:
        """Take what is held, or a part of it; what is left is let go."""

    def cancel(self, intent_id: str, key: str) -> Intent:
        """Let go what is held, or make sure that it is never paid."""

    def refund(self, intent_id: str, amount: int, reason: str, reference: str, key: str) -> Refund:
        """Give back captured money.

        Args:
            reason: ``duplicate``, ``fraudulent`` or ``requested_by_customer``.
            reference: our refund's id; the provider keeps it and tells it again.
        """

    def create_customer(self, reference: str, email: str, key: str) -> Customer:
        """Make somebody who can keep methods; ``reference`` is our customer's id."""

    def retrieve_customer(self, customer: str) -> Customer:
        """Return a customer."""

    def create_setup(self, customer: str, method: str, return_url: str, key: str) -> Setup:
        """Begin to keep a method; with one named, it is confirmed at once."""

    def retrieve_setup(self, setup_id: str) -> Setup:
        """Return what became of it."""

    def list_methods(self, customer: str) -> tuple[Method, ...]:
        """Return the methods that a customer keeps."""

    def detach_method(self, method: str, key: str) -> None:
        """Forget a method; nothing happens when it is forgotten already."""

    def set_default_method(self, customer: str, method: str, key: str) -> None:
        """Use this method when none is named."""

    def read_event(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """Return what a webhook tells, once its signature has been checked.

        Args:
            headers: by their names in lower case.
            body: as it came.

        Raises:
            BadSignature: not signed, signed by others, or more than :data:`TOLERANCE` ago.
        """

    def changed_since(self, since: datetime) -> Iterable[str]:
        """Yield the ids of intents that changed since then (or may have), for reconciling."""

    def usage(self, since: datetime) -> tuple[Usage, ...]:
        """Return what went through since then, by currency."""
