"""Query parameters: read strictly, and refused by name with what was expected."""

import re
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_sdk import PUBLIC, Parameter, Route
from bodega_sdk.errors import BadRequest
from bodega_sdk.http import LONGEST_PARAMETER

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def route(*parameters: Parameter) -> Route:
    return Route("GET", "/things", lambda request: {}, PUBLIC, "Things", parameters=parameters)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (str, "", ""),
        (str, "Größe 5", "Größe 5"),
        (int, "7", 7),
        (int, "-7", -7),
        (int, "007", 7),
        (bool, "true", True),
        (bool, "False", False),
        (bool, "1", True),
        (bool, "0", False),
        (Decimal, "29.99", Decimal("29.99")),
        (Decimal, "-1", Decimal(-1)),
        (UUID, ID, UUID(ID)),
        (UUID, ID.upper(), UUID(ID)),
    ],
)
def test_a_good_value_is_read(kind: type, text: str, expected: Any) -> None:
    assert Parameter("p", kind).parse(text) == expected


@pytest.mark.parametrize(
    ("kind", "texts", "told"),
    [
        (int, ["", "x", "1.0", "1e3", "--1", "1 ", " 1", "1_0", "9" * 20, "٣"], "a whole number"),
        (bool, ["", "yes", "2", "on", " true"], "true or false"),
        (Decimal, ["", "x", "NaN", "Infinity", "1e999", "1,5", "1e-99"], "a decimal number"),
        (UUID, ["", "x", ID[:-1], ID + "0", "{" + ID + "}", f"urn:uuid:{ID}"], "a UUID"),
    ],
)
def test_a_bad_value_is_refused_with_what_was_expected(
    kind: type, texts: list[str], told: str
) -> None:
    for text in texts:
        with pytest.raises(BadRequest) as caught:
            Parameter("p", kind).parse(text)
        (error,) = caught.value.errors
        assert (error.field, error.found) == ("p", text)
        assert told in error.message
        assert "'p'" in caught.value.detail


@given(st.text(alphabet="0123456789.-+eE_ ١", max_size=10))
def test_a_decimal_is_what_its_documented_pattern_says(text: str) -> None:
    matches = re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII)
    try:
        Parameter("p", Decimal).parse(text)
    except BadRequest:
        assert not matches
    else:
        assert matches


@pytest.mark.parametrize("kind", [str, int, bool, Decimal, UUID])
def test_nul_and_endless_text_are_refused(kind: type) -> None:
    for text in ("a\0b", "1" * (LONGEST_PARAMETER + 1)):
        with pytest.raises(BadRequest):
            Parameter("p", kind).parse(text)


def test_bounds_are_inclusive_and_named() -> None:
    page = Parameter("page", int, minimum=1, maximum=10)
    assert [page.parse(text) for text in ("1", "10")] == [1, 10]
    with pytest.raises(BadRequest, match="Must be at least 1"):
        page.parse("0")
    with pytest.raises(BadRequest, match="Must be at most 10"):
        page.parse("11")


def test_choices_are_named() -> None:
    colour = Parameter("colour", str, choices=("red", "blue"))
    assert colour.parse("red") == "red"
    with pytest.raises(BadRequest, match="Expected one of: red, blue"):
        colour.parse("Red")


def test_a_route_reads_what_was_sent_and_fills_in_defaults() -> None:
    things = route(Parameter("page", int, default=1), Parameter("colour"), Parameter("size", int))
    assert things.load_query({}) == {"page": 1}
    assert things.load_query({"size": "3", "page": "2"}) == {"page": 2, "size": 3}


def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named() -> None:
    things = route(Parameter("size", int), Parameter("colour"))
    with pytest.raises(BadRequest, match="this address knows: colour, size") as caught:
        things.load_query({"colur": "red"})
    assert caught.value.errors[0].field == "colur"
    with pytest.raises(BadRequest, match="this address knows: none"):
        route().load_query({"x": "1"})


def test_a_parameter_is_sent_once() -> None:
    with pytest.raises(BadRequest, match="once only"):
        route(Parameter("size", int)).load_query({"size": ["1", "2"]})


@given(st.text(max_size=40), st.sampled_from([str, int, bool, Decimal, UUID]))
def test_whatever_is_sent_is_read_or_refused_but_never_breaks(text: str, kind: type) -> None:
    # Anything but a value or a BadRequest would be an internal error of the API.
    with suppress(BadRequest):
        assert isinstance(Parameter("p", kind).parse(text), kind)
