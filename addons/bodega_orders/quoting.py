"""What a draft costs and why: prices, discounts, shipping and taxes, in this order.

Each is a hook over what came before it, and :mod:`bodega_orders.guarding` sees to what they
return. The amounts of all entries add up to the total, to the minor unit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from bodega_orders import guarding, shipping, taxes
from bodega_orders.drafts import (
    Discount,
    Discounts,
    Draft,
    DraftLine,
    Entry,
    Quote,
    QuotedLine,
    RefusedCode,
    ShippingOption,
    Tax,
)
from bodega_orders.guessing import UNKNOWN
from bodega_orders.hookspecs import (
    quote_discounts,
    quote_line_prices,
    quote_shipping,
    quote_taxes,
)
from bodega_sdk import Money

#: Minor units that a total may have: sums of them still fit into a column.
LARGEST = 10**15


def quote(draft: Draft) -> Quote:
    """Return what a draft costs. Nothing is written and nothing used up.

    Raises:
        HookFailed: an addon that has a say in it failed, or said what cannot be.
    """
    draft = guarding.priced(draft, quote_line_prices(draft))
    told = quote_discounts(Discounts(), draft)
    given = guarding.cut(draft, told)
    sending = _sending(draft, given)
    net = _net(draft, given) | {None: sending.to_pay}
    included = taxes.included()
    taxed = guarding.taxes(
        draft,
        quote_taxes(taxes.own(draft, net), draft, given, sending.to_pay),
        net,
        included=included,
    )
    refused = _refused(draft, told)
    return _sum_up(draft, given, sending, taxed, refused, included=included)


@dataclass(frozen=True, slots=True)
class _Sending:
    """How a draft is sent.

    Args:
        options: ways to send it.
        chosen: one of them; None when nothing has to be chosen, or nothing was.
        free: the discount that lets it cost nothing, if there is one.
        problem: why it cannot be sent as it is; empty when it can.
    """

    draft: Draft
    options: tuple[ShippingOption, ...] = ()
    chosen: ShippingOption | None = None
    free: Discount | None = None
    problem: str = ""

    @property
    def price(self) -> Money:
        """What it costs before discounts."""
        return self.chosen.price if self.chosen else Money(0, self.draft.currency)

    @property
    def to_pay(self) -> Money:
        """What it costs after them."""
        return Money(0, self.draft.currency) if self.free else self.price


def _sending(draft: Draft, given: tuple[Discount, ...]) -> _Sending:
    """Return how a draft is sent: not at all, for nothing, or as it was chosen."""
    if not shipping.has_to_be_sent(draft):
        return _Sending(draft)
    ways = shipping.own(draft, given)
    options = guarding.options(draft, quote_shipping(ways.options, draft, given))
    if not (ways.any or options or quote_shipping.implemented):
        return _Sending(draft)
    chosen = next((one for one in options if one.code == draft.shipping_method), None)
    free = next((one for one in given if one.free_shipping), None) if chosen else None
    problem = "" if chosen else _unsent(draft, options)
    return _Sending(draft, options, chosen, free, problem)


def _unsent(draft: Draft, options: Sequence[ShippingOption]) -> str:
    if not draft.destination.country:
        return "Say which country it shall be sent to."
    if not options:
        return "There is no way to send this there."
    if draft.shipping_method:
        return f"It cannot be sent by {draft.shipping_method!r}; choose another way."
    return "Choose how it shall be sent."


def _net(draft: Draft, given: tuple[Discount, ...]) -> dict[UUID | None, Money]:
    """Return what is left of each line, by its item."""
    return {line.item: line.subtotal - _off(line, given) for line in draft.lines}


def _off(line: DraftLine, given: tuple[Discount, ...]) -> Money:
    zero = Money(0, line.unit_price.currency)
    return sum((one.amounts.get(line.item, zero) for one in given), zero)


def _refused(draft: Draft, told: Discounts) -> tuple[RefusedCode, ...]:
    """Return the codes of a draft that give nothing, in its order; unknown ones too."""
    reasons = {one.code: one for one in told.refused}
    return tuple(
        reasons.get(code) or RefusedCode(code, UNKNOWN)
        for code in draft.codes
        if code in reasons or code not in told.accepted
    )


def _sum_up(
    draft: Draft,
    given: tuple[Discount, ...],
    sending: _Sending,
    taxed: tuple[Tax, ...],
    refused: tuple[RefusedCode, ...],
    *,
    included: bool,
) -> Quote:
    entries = tuple(_entries(draft, given, sending, taxed, included=included))
    zero = Money(0, draft.currency)
    discounts = [entry.amount for entry in entries if entry.kind == "discount"]
    total = sum((entry.amount for entry in entries), zero)
    return Quote(
        draft=draft,
        lines=tuple(_line(line, given, taxed, included=included) for line in draft.lines),
        subtotal=draft.subtotal,
        discount=sum(discounts, zero) * -1,
        shipping=sending.price,
        tax=sum((tax.amount for tax in taxed), zero),
        total=total,
        prices_include_tax=included,
        entries=entries,
        options=sending.options,
        refused=refused,
        discounts=given,
        problems=tuple(_problems(draft, sending, refused, total)),
    )


def _line(
    line: DraftLine, given: tuple[Discount, ...], taxed: tuple[Tax, ...], *, included: bool
) -> QuotedLine:
    zero = Money(0, line.unit_price.currency)
    off = _off(line, given)
    tax = sum((one.amount for one in taxed if one.item == line.item), zero)
    total = line.subtotal - off
    return QuotedLine(line, off, tax, total if included else total + tax)


#: How problems begin, and the member of an order that they are about.
_ABOUT = {
    "The code ": "codes",
    "Choose how": "shipping_method",
    "It cannot be sent by": "shipping_method",
    "Say which country": "shipping_address",
    "There is no way": "shipping_address",
}


def member_of(problem: str) -> str:
    """Return the member of an order that a problem of its quote is about; or ``order``."""
    return next((name for begin, name in _ABOUT.items() if problem.startswith(begin)), "order")


def _problems(
    draft: Draft, sending: _Sending, refused: tuple[RefusedCode, ...], total: Money
) -> Iterator[str]:
    if not draft.lines:
        yield "There is nothing to order."
    if sending.problem:
        yield sending.problem
    yield from (f"The code {one.code} gives nothing: {one.reason}" for one in refused)
    if max(draft.subtotal, total, sending.price).minor > LARGEST:
        yield f"The total is more than {Money(LARGEST, draft.currency)} {draft.currency}."


def _entries(
    draft: Draft,
    given: tuple[Discount, ...],
    sending: _Sending,
    taxed: tuple[Tax, ...],
    *,
    included: bool,
) -> Iterator[Entry]:
    """Explain the total: of each amount where it comes from."""
    for line in draft.lines:
        yield Entry("price", _named(line), line.subtotal, line.item)
    for one in given:
        for item, amount in one.amounts.items():
            yield Entry("discount", one.label, amount * -1, item, one.source, one.reference)
    if sending.chosen:
        yield Entry("shipping", sending.chosen.label, sending.price, reference=sending.chosen.code)
    if sending.free and sending.price.minor:
        free = sending.free
        yield Entry(
            "discount", free.label, sending.price * -1, None, free.source, free.reference
        )  # fmt: skip
    for tax in taxed:
        within = tax.amount if included else None
        yield Entry("tax", tax.label, tax.amount * (not included), tax.item, included=within)


def _named(line: DraftLine) -> str:
    options = ", ".join(f"{name}: {value}" for name, value in line.options.items())
    form = f" ({options})" if options else ""
    return f"{line.quantity} × {line.name}{form}"
