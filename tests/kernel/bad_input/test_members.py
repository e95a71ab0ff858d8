"""Members of bodies: of a wrong type, of a bad value, missing."""

from typing import Any

import pytest
from marshmallow import fields
from tests.kernel.bad_input.attacks import JSON, ONE_ENGINE, Attack, Target
from tests.kernel.bad_input.bodies import as_json, members, writing

from bodega_sdk import Route
from bodega_sdk import schemas as kinds

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow


_OF_ALL_TYPES: tuple[Any, ...] = (
    None, True, 5, 1.5, "text", [], {}, [[]], {"a": 1}, ["text"], 10**30,
)  # fmt: skip


@ONE_ENGINE
def test_a_member_of_a_wrong_type_is_named(target: Target) -> None:
    target.survive(
        _with(route, path, good, name, value)
        for route, path, good in writing(target)
        for name, item in members(route).items()
        for value in _OF_ALL_TYPES
        if not _allowed(item, value)
    )


def test_a_member_of_a_bad_value_is_named(target: Target) -> None:
    target.survive(
        _with(route, path, good, name, value)
        for route, path, good in writing(target)
        for name, item in members(route).items()
        if not item.dump_only
        for value in _bad_values(name, item)
    )


def test_a_required_member_that_is_missing_is_named(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=_without(name, good), headers=JSON, names=name)
        for route, path, good in writing(target)
        for name in good
    )


def _without(name: str, good: dict[str, Any]) -> bytes:
    return as_json({key: value for key, value in good.items() if key != name})


def _with(route: Route, path: str, good: dict[str, Any], name: str, value: Any) -> Attack:
    body = as_json(good | {name: value})
    return Attack(route.method, path, body=body, headers=JSON, names=name)


#: What JSON a field reads; the first class that fits counts.
_READS: tuple[tuple[Any, tuple[type, ...]], ...] = (
    ((kinds.Email, kinds.Url, kinds.Uuid, kinds.Timestamp), ()),
    (kinds.String, (str,)),
    (kinds.Boolean, (bool,)),
    (kinds.Integer, (int,)),
    (kinds.Amount, (int, float)),
    (kinds.List, (list,)),
    ((kinds.Dict, kinds.Nested), (dict,)),
)


def _allowed(item: fields.Field[Any], value: Any) -> bool:
    if item.dump_only:
        return False
    if value is None:
        return item.allow_none
    reads = next((types for kind, types in _READS if isinstance(item, kind)), (type(value),))
    # A choice, a slug or a SKU that exists is a matter of values, not of types.
    return type(value) in reads and value != 10**30


_TEXTS = ("a\0b", "\0", "x" * 1_000_000, "🙈" * 200_000)
_AMOUNTS = (
    "", "NaN", "sNaN", "Infinity", "-Infinity", "-1", "-0.01", -5, -0.5, 10**30, "1e400",
    "1e999999999", "-1e999999999", "1e-5", "1e-999999999", "29.999", 29.999, "9" * 39, "9" * 5000,
    "1.00000000000000000000000000000000001", "1_000", "1,000", "1.000,00", "0x10", "١", " 1", "1 ",
    "+1", "$5", "1\n", "one",
)  # fmt: skip
_BY_NAME: dict[str, tuple[Any, ...]] = {
    "slug": ("", "Upper", "a b", "-a", "a-", "a--b", "é", "a/b", "..", "a\n", "a" * 300),
    "currency": ("", "usd", "EURO", "US", "U$D", "USD\n", " USD", "ÄÖÜ"),
    "category": ("no-such-category", "Lamps", "' OR 1=1 --", "%"),
    "role": ("", "root", "Admin", "admin\n", "user,admin"),
    "sku": ("", " ", "\t\n", "x" * 101, "l-1" * 40),
    "name": ("x" * 300,),
    "password": ("", "short", "x" * 129),
}
_BY_KIND: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (kinds.Email, ("", "x", "@", "a@", "@b.example", "a@b@c.example", "a b@c.example",
                   "a\r\nBcc: x@y.example", "x" * 250 + "@example.com", "a@.")),
    (kinds.Url, ("x", "javascript:alert(1)", "ftp://x.example/", "http://", "//x.example",
                 "http:// x", "data:text/html,x", "http://x.example/" + "x" * 2000)),
    (kinds.Amount, _AMOUNTS),
    (kinds.Integer, (2**63, -(2**63) - 1, "1", 1.0)),
)  # fmt: skip


def _bad_values(name: str, item: fields.Field[Any]) -> tuple[Any, ...]:
    of_kind = next((values for kind, values in _BY_KIND if isinstance(item, kind)), ())
    texts = _TEXTS if isinstance(item, fields.String) else ()
    # A password that is short is good to log in with: it is wrong, not malformed.
    own = _BY_NAME.get(name, ()) if not (name == "password" and _logs_in(item)) else ("x" * 129,)
    if name == "sku" and not item.required:
        own = own[3:]  # Without one, it is empty.
    return (*texts, *of_kind, *own)


def _logs_in(item: fields.Field[Any]) -> bool:
    return type(item.parent).__name__ == "LoginSchema"
