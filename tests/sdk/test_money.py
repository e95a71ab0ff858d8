"""Money: exact, in one currency, and never a float."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_sdk import Money
from bodega_sdk.money import LARGEST, exponent

currencies = st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLP", "TND", "XXX"])
minors = st.integers(-LARGEST, LARGEST)


@given(minors, currencies)
def test_what_is_shown_is_read_as_the_same(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.parse(str(money), currency) == money
    assert Money.parse(Decimal(str(money)), currency) == money


@given(minors, currencies)
def test_an_amount_is_shown_with_exactly_the_decimals_of_its_currency(
    minor: int, currency: str
) -> None:
    shown = str(Money(minor, currency))
    assert "E" not in shown
    assert len(shown.partition(".")[2]) == exponent(currency)
    assert Decimal(shown) * 10 ** exponent(currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (2999, "EUR", "29.99"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "-0.05"),
        (0, "EUR", "0.00"),
        (2999, "JPY", "2999"),
        (2999, "KWD", "2.999"),
        (10**15, "USD", "10000000000000.00"),
    ],
)
def test_amounts_are_shown_as_people_write_them(minor: int, currency: str, shown: str) -> None:
    assert str(Money(minor, currency)) == shown


@given(minors, minors, currencies)
def test_sums_and_differences_undo_each_other(a: int, b: int, currency: str) -> None:
    first, second = Money(a, currency), Money(b, currency)
    assert first + second - second == first
    assert first + second == second + first
    assert (first - second).minor == a - b


@given(minors, st.integers(0, 1000), currencies)
def test_a_multiple_is_as_many_sums(minor: int, count: int, currency: str) -> None:
    assert (Money(minor, currency) * count).minor == minor * count


def test_currencies_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="cannot reckon EUR with USD"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError, match="cannot reckon EUR with USD"):
        Money(1, "EUR") - Money(1, "USD")
    assert Money(1, "EUR") != Money(1, "USD")


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "EU", "E1R", "€", "EUR\n"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)


@pytest.mark.parametrize("minor", [1.0, 1.5, "1", Decimal(1), None])
def test_minor_units_are_whole_numbers(minor: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Money(minor, "EUR")


def test_a_multiple_is_of_a_whole_number() -> None:
    with pytest.raises((TypeError, ValueError)):
        Money(100, "EUR") * 1.5  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", "x", "1,5", "1.2.3", "€5", "--1", "0x10", "1 000"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a decimal amount such as '29\.99'"):
        Money.parse(text, "EUR")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_an_amount_is_finite(text: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        Money.parse(text, "EUR")


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.001", "EUR"),
        ("0.5", "JPY"),
        ("1.0001", "KWD"),
        ("1.000000000000000000000000000000000000001", "EUR"),
        ("0.000000000000000000000000000000000000001", "EUR"),
    ],
)
def test_more_decimals_than_the_currency_has_are_refused(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=rf"{currency} has \d decimals"):
        Money.parse(text, currency)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=40), currencies)
def test_an_amount_is_read_exactly_or_not_at_all(value: Decimal, currency: str) -> None:
    try:
        money = Money.parse(value, currency)
    except ValueError:
        return
    assert Decimal(str(money)) == value


def test_zeros_behind_the_last_decimal_are_no_decimals() -> None:
    assert Money.parse("1.500", "EUR") == Money(150, "EUR")
    assert Money.parse("7.0", "JPY") == Money(7, "JPY")
    assert Money.parse("1e2", "EUR") == Money(10_000, "EUR")


def test_an_amount_is_not_larger_than_a_column_holds() -> None:
    assert Money.parse("10000000000000", "EUR").minor == LARGEST
    for text in ("10000000000000.01", "-10000000000000.01", "1e99", "1e999999"):
        with pytest.raises(ValueError, match="the amount is larger than 10000000000000"):
            Money.parse(text, "EUR")
