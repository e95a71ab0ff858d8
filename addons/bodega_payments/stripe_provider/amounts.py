"""Amounts as Stripe counts them, which is not always how ISO 4217 does.

https://docs.stripe.com/currencies: charges in three-decimal currencies end in 0; ISK and UGX
have no decimals but are written with two, ``00``; MGA is written without any.
Nothing is rounded here: what Stripe cannot take exactly is refused before it is asked.
"""

from decimal import Decimal

from bodega_payments.providers import Refused
from bodega_sdk.money import decimal_text, exponent

_NONE = frozenset(
    (
        "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV",
        "XAF", "XOF", "XPF",
    )
)  # fmt: skip
_THREE = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
#: Three decimals by ISO 4217, and not taken by Stripe.
_NOT_TAKEN = frozenset(("IQD", "LYD"))
#: Stripe's minor units that an amount must be a multiple of.
_STEPS = dict.fromkeys(_THREE, 10) | {"ISK": 100, "UGX": 100}


def to_stripe(minor: int, currency: str) -> int:
    """Return an amount of ours as Stripe counts it.

    Args:
        minor: minor units, as :class:`bodega_sdk.Money` has them.
        currency: ISO 4217, in capitals.

    Raises:
        Refused: Stripe cannot take exactly this amount, or not this currency.

    Example::

        >>> to_stripe(500, "JPY"), to_stripe(5, "ISK"), to_stripe(5120, "KWD")
        (500, 500, 5120)
    """
    if currency in _NOT_TAKEN:
        raise Refused("currency_not_supported", f"Stripe takes no payments in {currency}.")
    scaled = Decimal(minor).scaleb(_places(currency) - exponent(currency))
    step = _STEPS.get(currency, 1)
    if scaled % step:
        smallest = Decimal(step).scaleb(-_places(currency))
        raise Refused(
            "amount_not_representable",
            f"Stripe takes {currency} in steps of {smallest}, and {decimal_text(minor, currency)} "
            "is none. Let prices, taxes and shipping in this currency be multiples of it.",
        )
    return int(scaled)


def from_stripe(amount: int, currency: str) -> int:
    """Return an amount of Stripe's in our minor units.

    Args:
        amount: as Stripe counts it.
        currency: ISO 4217, in whichever case.

    Example::

        >>> from_stripe(500, "isk"), from_stripe(500, "eur")
        (5, 500)
    """
    currency = currency.upper()
    scaled = Decimal(amount).scaleb(exponent(currency) - _places(currency))
    # Sums, e.g. of balances, can be finer than any payment: cut towards zero.
    return int(scaled)


def _places(currency: str) -> int:
    return 0 if currency in _NONE else 3 if currency in _THREE else 2
