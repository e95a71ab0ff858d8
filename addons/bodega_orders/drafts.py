"""What is being quoted: a purchase that nobody has made yet, and what is said of its price.

All of it is frozen: an addon that changes something returns a new one (``dataclasses.replace``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from bodega_sdk import Money


@dataclass(frozen=True, slots=True)
class Destination:
    """Where something is sent to, as far as taxes and shipping ask.

    Args:
        country: ISO 3166-1 alpha-2, e.g. ``"DE"``; empty while it is not known.
        region: state or province, as addresses spell it; empty when none.
        postal_code: empty when not known.
    """

    country: str = ""
    region: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class DraftLine:
    """So many of one thing.

    Args:
        item: id of the variant, or of the product without one; unique within a draft.
        product, variant: what it is; ``variant`` is None for a product in one form.
        sku, name: as an order will remember them.
        options: what makes the variant differ, e.g. ``{"Size": "L"}``.
        quantity: how many, 1 or more.
        unit_price: of one, in the draft's currency; what ``quote_price`` made of it.
        organization: whose product it is; None when it is the shop's own.
        category: id of the product's category, if it has one.
        categories: that category and all above it, the nearest first.
        weight: grams of one piece; 0 when not known.
        digital: whether nothing has to be sent.
    """

    item: UUID
    product: UUID
    variant: UUID | None
    sku: str
    name: str
    options: Mapping[str, str]
    quantity: int
    unit_price: Money
    organization: UUID | None = None
    category: UUID | None = None
    categories: tuple[UUID, ...] = ()
    weight: int = 0
    digital: bool = False

    @property
    def subtotal(self) -> Money:
        """The price of all of them, before discounts, taxes and shipping."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Draft:
    """A purchase that is being quoted.

    Args:
        lines: in the order of their items' ids.
        currency: ISO 4217, of all its amounts.
        account: who buys; None for a guest.
        email: of who buys, in lower case; empty while it is not known.
        destination: where it goes.
        codes: what the customer typed in for a discount, in upper case, in their order.
        shipping_method: code of the chosen method; empty while none is chosen.
        at: when it is quoted.
    """

    lines: tuple[DraftLine, ...]
    currency: str
    account: UUID | None
    email: str
    destination: Destination
    codes: tuple[str, ...]
    shipping_method: str
    at: datetime

    @property
    def subtotal(self) -> Money:
        """The price of all lines, before discounts, taxes and shipping."""
        return sum((line.subtotal for line in self.lines), Money(0, self.currency))


@dataclass(frozen=True, slots=True)
class Discount:
    """Something taken off.

    Args:
        source: name of the addon that gives it, e.g. ``"coupons"``.
        reference: what it is there, e.g. the coupon's id.
        label: for the customer, e.g. ``"SPRING: 10 % off"``.
        amounts: by ``DraftLine.item``: how much comes off each line, each zero or more. Together
            with all other discounts never more than the line costs: quoting cuts what is more,
            those given first come off first.
        free_shipping: whether shipping costs nothing because of it.
    """

    source: str
    reference: str
    label: str
    amounts: Mapping[UUID, Money] = field(default_factory=dict)
    free_shipping: bool = False


@dataclass(frozen=True, slots=True)
class RefusedCode:
    """A code that gives nothing, and why.

    Args:
        code: as it is in the draft.
        reason: one sentence for the customer.
    """

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Discounts:
    """What is taken off a draft, and the codes that some addon knows.

    Args:
        given: the discounts, in the order in which they come off.
        refused: codes that an addon knows and that give nothing here. A code that is neither
            here nor in ``accepted`` is unknown to all of them, and quoting says so.
        accepted: codes that a discount was given for.
    """

    given: tuple[Discount, ...] = ()
    refused: tuple[RefusedCode, ...] = ()
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShippingOption:
    """A way to send a draft.

    Args:
        code: unique, e.g. ``"standard"``.
        label: for the customer.
        price: before free shipping that a discount may give, and before taxes.
        days: for the customer, e.g. ``"2–4"``; empty when not known.
    """

    code: str
    label: str
    price: Money
    days: str = ""


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax on one line, or on shipping.

    Args:
        label: for the customer, e.g. ``"VAT 19 %"``.
        amount: zero or more; included in the price when ``Quote.prices_include_tax``.
        item: ``DraftLine.item``, or None for the tax on shipping.
        rate: hundredths of a percent, 1900 for 19 %.
    """

    label: str
    amount: Money
    item: UUID | None
    rate: int


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line with its share of everything.

    Args:
        line: what it is.
        discount: what all discounts take off it.
        tax: the taxes on what is left.
        total: what it adds to the order's total, without shipping; with its tax.
    """

    line: DraftLine
    discount: Money
    tax: Money
    total: Money


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the explanation: the amounts of all entries add up to the total.

    Args:
        kind: ``price``, ``discount``, ``shipping`` or ``tax``.
        label: for the customer.
        amount: what it adds; negative for discounts. A tax that is in the price already
            has its amount in ``included`` and adds nothing.
        item: the line it belongs to; None for the whole.
        source: name of the addon it comes from.
        reference: what it is there.
        included: tax that is part of the prices.
    """

    kind: str
    label: str
    amount: Money
    item: UUID | None = None
    source: str = "orders"
    reference: str = ""
    included: Money | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a draft costs, and why.

    Args:
        draft: what was quoted, with its prices.
        lines: one for each of the draft's.
        subtotal: all lines before discounts.
        discount: all that is taken off, free shipping too; zero or more.
        shipping: what sending costs before discounts.
        tax: all taxes, included ones too.
        total: what is to be paid; never negative.
        prices_include_tax: whether ``tax`` is part of the other amounts or comes on top.
        entries: the explanation.
        options: ways to send it.
        refused: codes that give nothing, with the reason.
        discounts: what was given; each knows its addon and its reference.
        problems: why it cannot be ordered as it is, one sentence each, e.g. a way of shipping is
            missing, or a code gives nothing.
    """

    draft: Draft
    lines: tuple[QuotedLine, ...]
    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money
    prices_include_tax: bool
    entries: tuple[Entry, ...]
    options: tuple[ShippingOption, ...]
    refused: tuple[RefusedCode, ...]
    discounts: tuple[Discount, ...]
    problems: tuple[str, ...]
