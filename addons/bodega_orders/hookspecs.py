"""The hooks that orders publish; other addons implement them in their plugins.

A purchase is quoted in this order: prices, discounts, shipping, taxes. Each is told the draft
with what came before.
"""

from bodega_orders.drafts import Discount, Discounts, Draft, DraftLine, ShippingOption, Tax
from bodega_orders.facts import OrderFacts
from bodega_sdk import Money, hook


@hook("filter")
def quote_line_prices(draft: Draft) -> Draft:
    """Return a draft with the prices of its lines.

    The lines have the catalogue's prices already, as its own hook ``quote_price`` says them.
    Change ``unit_price`` of lines, e.g. for a customer's own prices; nothing else that you
    change counts.
    """
    raise AssertionError("a specification is not called")


@hook("filter")
def quote_discounts(discounts: Discounts, draft: Draft) -> Discounts:
    """Return the discounts of a draft, with your own behind those that are there.

    Say of each code that is yours whether it gives something (``accepted``) or not, and why
    (``refused``): a draft with a refused code cannot be ordered, lest somebody pays more than
    they think. Nothing is used up by quoting.

    Args:
        discounts: what is given so far.
        draft: with its prices.
    """
    raise AssertionError("a specification is not called")


@hook("filter")
def quote_shipping(
    options: tuple[ShippingOption, ...], draft: Draft, discounts: tuple[Discount, ...]
) -> tuple[ShippingOption, ...]:
    """Return the ways to send a draft; none when it cannot be sent where it shall go.

    Orders itself begins with the shop's own methods. A draft of digital products only is
    not asked for. Sending is free and nothing is asked for only where the shop has no methods
    and no addon implements this.

    Args:
        options: those so far.
        draft: with its prices and its destination.
        discounts: what comes off, for thresholds.
    """
    raise AssertionError("a specification is not called")


@hook("filter")
def quote_taxes(
    taxes: tuple[Tax, ...], draft: Draft, discounts: tuple[Discount, ...], shipping: Money
) -> tuple[Tax, ...]:
    """Return the taxes of a draft.

    Orders itself begins with the shop's own rates. Where the setting
    ``orders.prices_include_tax`` says so they are part of the prices: on no line more than
    it costs.

    Args:
        taxes: those so far, of lines and of shipping.
        draft: with its prices and its destination.
        discounts: what comes off before taxes.
        shipping: what sending costs, after discounts.
    """
    raise AssertionError("a specification is not called")


@hook("veto")
def refuse_order(order: OrderFacts) -> str | None:
    """Say why an order must not be placed, or write down what you have to do with it.

    Called inside the transaction that places it, when everything of it is written and its
    stock is reserved: what you write here stays if the order does, and only then. Use up
    here what can run out, under a lock of yours, e.g. the last use of a coupon.

    Return one sentence for the customer, or None.
    """
    raise AssertionError("a specification is not called")


__all__ = [
    "DraftLine",
    "quote_discounts",
    "quote_line_prices",
    "quote_shipping",
    "quote_taxes",
    "refuse_order",
]
