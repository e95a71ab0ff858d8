"""What hooks may return when a purchase is quoted; whatever breaks a rule fails it.

An addon that returns nonsense fails as one that raises does: 503, naming who and where.
"""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from bodega_orders.drafts import Discount, Discounts, Draft, ShippingOption, Tax
from bodega_sdk import Money
from bodega_sdk.errors import HookFailed, Unavailable


class BadAnswer(HookFailed):
    """An addon answered a hook with what cannot be.

    Args:
        hook: which one.
        told: what is wrong with the answer.
        addon: who answered, where the answer says so.
    """

    def __init__(self, hook: str, told: str, addon: str = "") -> None:
        message = (
            f"{addon or 'An addon'} answered {hook} with what cannot be: {told}. Nothing was "
            f"changed. 'bodega explain orders.{hook}' shows an operator who answers."
        )
        Unavailable.__init__(
            self, message, retry_after=5, extra={"addon": addon, "hook": hook}
        )  # fmt: skip
        self.addon, self.hook = addon, hook


def priced(asked: Draft, told: Draft) -> Draft:
    """Return the draft that was asked about, with the prices that were told.

    Raises:
        BadAnswer: other lines were told, or a price that can be none.
    """
    prices = {line.item: line.unit_price for line in told.lines}
    if prices.keys() != {line.item for line in asked.lines} or len(prices) != len(told.lines):
        raise BadAnswer("quote_line_prices", "the lines are others than before")
    _check(asked, prices.values(), "quote_line_prices")
    return replace(
        asked,
        lines=tuple(replace(line, unit_price=prices[line.item]) for line in asked.lines),
    )


def cut(draft: Draft, told: Discounts) -> tuple[Discount, ...]:
    """Return discounts, none of which takes more off a line than those before it left.

    Those that give nothing then are left out, so that nobody uses them up.

    Raises:
        BadAnswer: a discount is on something else, negative, or in another currency.
    """
    left = {line.item: line.subtotal for line in draft.lines}
    given = []
    for discount in told.given:
        if not discount.amounts.keys() <= left.keys():
            told_of = "something is discounted that is not bought"
            raise BadAnswer("quote_discounts", told_of, discount.source)
        _check(draft, discount.amounts.values(), "quote_discounts", discount.source)
        off = {item: min(amount, left[item]) for item, amount in discount.amounts.items()}
        left |= {item: left[item] - amount for item, amount in off.items()}
        amounts = {item: amount for item, amount in off.items() if amount.minor}
        if amounts or discount.free_shipping:
            given.append(replace(discount, amounts=amounts))
    return tuple(given)


def options(draft: Draft, told: tuple[ShippingOption, ...]) -> tuple[ShippingOption, ...]:
    """Return ways to send.

    Raises:
        BadAnswer: a code is empty or comes twice, a price is negative or in another currency.
    """
    codes = {option.code for option in told}
    if len(codes) != len(told) or "" in codes:
        raise BadAnswer("quote_shipping", "a code is empty or comes twice")
    _check(draft, (option.price for option in told), "quote_shipping")
    return told


def taxes(
    draft: Draft, told: tuple[Tax, ...], net: dict[UUID | None, Money], *, included: bool
) -> tuple[Tax, ...]:
    """Return taxes.

    Args:
        net: by item, and of shipping by None: what they may be on.
        included: whether they are part of these amounts, so that they cannot be more.

    Raises:
        BadAnswer: a tax is on something else, negative, in another currency, or more than
            what it is part of.
    """
    left = dict(net)
    for tax in told:
        if tax.item not in left:
            raise BadAnswer("quote_taxes", "something is taxed that is not bought")
        _check(draft, (tax.amount,), "quote_taxes")
        left[tax.item] -= tax.amount
    if included and any(amount.minor < 0 for amount in left.values()):
        raise BadAnswer("quote_taxes", "a tax is more than what it is part of")
    return told


def _check(draft: Draft, amounts: Iterable[Money], hook: str, addon: str = "") -> None:
    for amount in amounts:
        if amount.currency != draft.currency:
            raise BadAnswer(hook, f"an amount is in {amount.currency}", addon)
        if amount.minor < 0:
            raise BadAnswer(hook, f"an amount is negative, {amount}", addon)
