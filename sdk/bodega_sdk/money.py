"""Money: whole minor units and an ISO 4217 currency; never a float."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# ISO 4217 currencies whose minor unit is not a hundredth.
_EXPONENTS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
     "XAF", "XOF", "XPF"), 0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)  # fmt: skip
_CURRENCY = re.compile(r"[A-Z]{3}")
_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
#: The largest amount in minor units; leaves room for sums in a 64-bit column.
LARGEST = 10**15


def exponent(currency: str) -> int:
    """Return how many decimals a currency has (ISO 4217): EUR 2, JPY 0, KWD 3.

    Args:
        currency: ISO 4217 code; 2 is returned for those that are not known.

    Example::

        >>> exponent("EUR"), exponent("JPY"), exponent("XOF")
        (2, 0, 0)
    """
    return _EXPONENTS.get(currency, 2)


def by_decimals() -> dict[int, tuple[str, ...]]:
    """Return the currencies that do not have two decimals, by how many they have.

    Example::

        >>> "JPY" in by_decimals()[0], "KWD" in by_decimals()[3]
        (True, True)
    """
    found: dict[int, list[str]] = {}
    for code, places in _EXPONENTS.items():
        found.setdefault(places, []).append(code)
    return {places: tuple(codes) for places, codes in found.items()}


def read_decimal(text: str) -> Decimal:
    """Read a decimal number of ASCII digits: no exponent, no sign but ``-``, no underscore.

    Raises:
        ValueError: it is none, or has more than 20 digits on either side of the point.
    """
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{text!r} is no decimal number such as 29.99")
    return Decimal(text)


def decimal_text(minor: int, currency: str) -> str:
    """Return an amount as a decimal string: what ``str(Money(minor, currency))`` is, at once.

    Args:
        minor: the amount in minor units (cents).
        currency: ISO 4217 code.

    Example::

        >>> decimal_text(2999, "EUR"), decimal_text(-5, "KWD"), decimal_text(500, "JPY")
        ('29.99', '-0.005', '500')
    """
    places = _EXPONENTS.get(currency, 2)
    if places == 2 and minor >= 0:
        return f"{minor // 100}.{minor % 100:02}"
    digits = str(abs(minor)).rjust(places + 1, "0")
    sign = "-" if minor < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money.

    Args:
        minor: the amount in minor units (cents), may be negative.
        currency: ISO 4217 code, e.g. ``"EUR"``.

    Example::

        >>> str(Money.parse("29.99", "EUR") + Money(1, "EUR"))
        '30.00'
        >>> Money(500, "JPY") * 2
        Money(minor=1000, currency='JPY')
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are whole numbers, found {self.minor!r}")
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"{self.currency!r} is no ISO 4217 code such as 'EUR'")

    def __str__(self) -> str:
        """Return the amount as a decimal string, e.g. ``"29.99"``, without the currency."""
        return decimal_text(self.minor, self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other).minor

    def __mul__(self, count: int) -> "Money":
        return Money(self.minor * count, self.currency)

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot reckon {self.currency} with {other.currency}")
        return other

    @classmethod
    def parse(cls, text: str | int | Decimal, currency: str) -> "Money":
        """Read a decimal amount.

        Raises:
            ValueError: not a finite decimal, too large, or more decimals than the
                currency has; the message says which.
        """
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise ValueError(f"expected a decimal amount such as '29.99', found {text!r}") from None
        if not value.is_finite():
            raise ValueError(f"expected a finite amount, found {text!r}")
        return cls(_minor_units(value, exponent(currency), currency), currency)


def _minor_units(value: Decimal, places: int, currency: str) -> int:
    if value.adjusted() > 30 or abs(value) > LARGEST // 10**places:
        raise ValueError(f"the amount is larger than {LARGEST // 10**places}")
    # By digits: arithmetic would round to the context's precision and hide what is too fine.
    sign, digits, power = value.as_tuple()
    whole = int("".join(map(str, digits)))
    shift = int(power) + places
    if whole and shift < 0 and (shift < -100 or whole % 10**-shift):
        raise ValueError(f"{currency} has {places} decimals, found {value}")
    minor: int = whole * 10**shift if shift >= 0 else (whole // 10**-shift if whole else 0)
    return -minor if sign else minor
