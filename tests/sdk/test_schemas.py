"""Schemas: as strict as JSON is, and every bad field is named with what was found."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_sdk.errors import InvalidInput
from bodega_sdk.money import LARGEST
from bodega_sdk.schemas import (
    Amount,
    Boolean,
    Email,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Timestamp,
    Url,
    Uuid,
    load,
    validate,
)

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Line(Schema):
    """A part of a thing."""

    count = Integer(required=True, minimum=1)


class Thing(Schema):
    """One field of each kind."""

    name = String(min_length=2, max_length=5, strip=True)
    text = String()
    role = String(validate=validate.OneOf(["user", "staff"]))
    count = Integer(minimum=0, maximum=10)
    large = Integer()
    good = Boolean()
    key = Uuid()
    mail = Email()
    link = Url()
    at = Timestamp()
    price = Amount()
    change = Amount(negative=True)
    lines = List(Nested(Line))
    made_at = Timestamp(dump_only=True)


GOOD: dict[str, list[tuple[Any, Any]]] = {
    "name": [("ab", "ab"), (" abc ", "abc"), ("äöüßé", "äöüßé")],
    "text": [("", ""), ("x" * 200, "x" * 200), (" kept ", " kept "), ("a\nb", "a\nb")],
    "role": [("user", "user")],
    "count": [(0, 0), (10, 10)],
    "large": [(2**63 - 1, 2**63 - 1), (-(2**63), -(2**63))],
    "good": [(True, True), (False, False)],
    "key": [(ID, UUID(ID)), (ID.upper(), UUID(ID))],
    "mail": [("A@Shop.Example", "a@shop.example"), (" a@b.co ", "a@b.co")],
    "link": [
        ("https://shop.example/x?y=1", "https://shop.example/x?y=1"),
        ("http://a", "http://a"),
    ],
    "at": [
        ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2024-02-29T12:00:00+02:00", datetime(2024, 2, 29, 10, tzinfo=UTC)),
    ],
    "price": [("29.99", Decimal("29.99")), (0, Decimal(0)), (29.99, Decimal("29.99"))],
    "change": [("-5.00", Decimal("-5.00"))],
    "lines": [([{"count": 1}], [{"count": 1}]), ([], [])],
}
BAD: dict[str, list[Any]] = {
    "name": ["a", " a ", "      ", "abcdef", 12, None, ["ab"], {"a": 1}, True, "a\0b"],
    "text": ["x" * 201, "nul \0", 7, None],
    "role": ["admin", "", "USER", 1],
    "count": [-1, 11, "1", 1.0, 1.5, True, None, [], "x"],
    "large": [2**63, -(2**63) - 1, 10**30, 1e300],
    "good": ["true", "yes", 1, 0, "", None, []],
    "key": ["", "x", ID[:-1], 7, None, [ID], "{" + ID + "}", f"urn:uuid:{ID}"],
    "mail": ["", "a", "a@", "@b.co", "a b@c.co", "x" * 250 + "@b.co", "a@b.co\0", 7],
    "link": ["", "shop.example", "ftp://a.b", "javascript:alert(1)", "//a.b", "http://", 7],
    "at": ["2024-02-29T12:00:00", "2024-02-30T12:00:00Z", "yesterday", 0, None, "2024-02-29"],
    "price": ["-1", -1, "", "x", "1,5", "NaN", "Infinity", True, None, [], "1" * 41, 10**16],
    "change": ["-" + "9" * 20, "−5"],
    "lines": [[{"count": 0}], [{}], [7], {"count": 1}, None, "x", [{"count": 1, "more": 2}]],
}


def cases(table: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(field, value, id=f"{field}-{number}")
        for field, values in table.items()
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(("field", "value"), cases(GOOD))
def test_a_good_value_is_taken(field: str, value: tuple[Any, Any]) -> None:
    sent, expected = value
    assert load(Thing(), {field: sent}) == {field: expected}


@pytest.mark.parametrize(("field", "value"), cases(BAD))
def test_a_bad_value_is_refused_and_its_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(Thing(), {field: value})
    (error,) = caught.value.errors
    assert error.field.partition(".")[0] == field
    assert error.message
    assert field in caught.value.detail


@given(st.text(alphabet="0123456789.-+eE_ \t١", max_size=12))
def test_an_amount_is_what_its_documented_pattern_says(text: str) -> None:
    field = Amount(negative=True)
    pattern = field.metadata["pattern"]
    try:
        field.deserialize(text)
    except Exception:
        assert not re.fullmatch(pattern, text, re.ASCII) or abs(Decimal(text)) > LARGEST
    else:
        assert re.fullmatch(pattern, text, re.ASCII)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        load(Thing(), {"name": "a", "count": 11, "lines": [{"count": 1}, {"count": 0}]})
    found = {error.field: error.found for error in caught.value.errors}
    assert found == {"name": "a", "count": 11, "lines.1.count": 0}


def test_a_member_that_nobody_knows_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidInput) as caught:
        load(Thing(), {"nmae": "ab"})
    assert caught.value.errors[0].field == "nmae"


def test_what_is_only_shown_cannot_be_sent() -> None:
    with pytest.raises(InvalidInput, match="made_at"):
        load(Thing(), {"made_at": "2024-02-29T12:00:00Z"})


def test_what_is_required_may_be_missing_from_a_partial_body_only() -> None:
    with pytest.raises(InvalidInput) as caught:
        load(Line(), {})
    assert caught.value.errors[0].field == "count"
    assert load(Line(), {}, partial=True) == {}


@pytest.mark.parametrize("body", [[], "x", 7, None, True, [{"count": 1}]])
def test_a_body_is_an_object(body: Any) -> None:
    with pytest.raises(InvalidInput, match="Expected a JSON object"):
        load(Line(), body)


def test_an_instant_is_shown_in_utc_wherever_it_was_taken() -> None:
    there = timezone(timedelta(hours=2))
    for at in (datetime(2024, 2, 29, 10, tzinfo=UTC), datetime(2024, 2, 29, 12, tzinfo=there)):
        assert Thing().dump({"at": at}) == {"at": "2024-02-29T10:00:00Z"}
    assert Thing().dump({"at": None}) == {"at": None}


def test_an_amount_is_shown_as_text() -> None:
    assert Thing().dump({"price": Decimal("29.90")}) == {"price": "29.90"}


def test_a_rule_of_ones_own_stands_beside_the_length() -> None:
    (error,) = refusals({"role": "x" * 300})
    assert "at most 200 characters" in error.message
    assert "Must be one of: user, staff" in error.message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=6,
    ),
    st.sampled_from(sorted(GOOD)),
)
def test_whatever_is_sent_is_taken_or_refused_but_never_breaks(value: Any, field: str) -> None:
    for body in ({field: value}, value):
        found = refusals(body)
        assert all(isinstance(item.as_json(), dict) for item in found)


def refusals(body: Any) -> tuple[Any, ...]:
    """Return the errors that a body is refused with; none when it is taken."""
    try:
        load(Thing(), body)
    except InvalidInput as error:
        return error.errors
    return ()
