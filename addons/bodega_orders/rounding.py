"""How amounts are rounded and split, in one place.

*Rounding* is half up: half a minor unit goes away from zero (rule B of ISO 80000-1, annex B). It
is done once for each line, so that the shown lines add up to the shown total: a "line calculation",
each rounded to the nearest penny, as HMRC's VAT Notice 700, 17.5 describes it; the EU leaves the
method to its members (CJEU C-484/06, Ahold). Another rule is another addon's ``quote_taxes``.

*Splitting* gives everybody the whole minor units of their share, and those that are left one each
to the largest remainders (Hamilton's method), the first of equals first: the parts add up to the
whole, and none is a unit or more away from its exact share.
"""

from collections.abc import Sequence

from bodega_sdk import Money

#: Hundredths of a percent in one.
WHOLE = 10_000


def share(amount: int, numerator: int, denominator: int) -> int:
    """Return ``amount * numerator / denominator``, rounded half up.

    Args:
        amount, numerator: zero or more.
        denominator: more than zero.

    Example::

        >>> share(999, 1900, 10_000), share(50, 1, 100)
        (190, 1)
    """
    return (2 * amount * numerator + denominator) // (2 * denominator)


def tax_on_top(net: Money, rate: int) -> Money:
    """Return the tax on an amount without it.

    Args:
        rate: hundredths of a percent.
    """
    return Money(share(net.minor, rate, WHOLE), net.currency)


def tax_within(gross: Money, rate: int) -> Money:
    """Return the tax that is part of an amount.

    Args:
        rate: hundredths of a percent.
    """
    return Money(share(gross.minor, rate, WHOLE + rate), gross.currency)


def split(whole: Money, weights: Sequence[int]) -> tuple[Money, ...]:
    """Split an amount by weights; the parts add up to it.

    Args:
        whole: zero or more.
        weights: zero or more each; all alike when they are all zero.

    Raises:
        ValueError: there is something to split and nobody to have it.

    Example::

        >>> [str(part) for part in split(Money(100, "EUR"), (1, 1, 1))]
        ['0.34', '0.33', '0.33']
    """
    if whole.minor and not weights:
        raise ValueError(f"{whole} {whole.currency} cannot be split among nobody")
    if not any(weights):
        weights = [1] * len(weights)
    total = sum(weights)
    parts = [whole.minor * weight // total for weight in weights]
    left = whole.minor - sum(parts)
    by_rest = sorted(
        range(len(weights)), key=lambda place: -(whole.minor * weights[place] % total)
    )  # fmt: skip
    for place in by_rest[:left]:
        parts[place] += 1
    return tuple(Money(part, whole.currency) for part in parts)
