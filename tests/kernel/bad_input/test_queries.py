"""Query parameters: unknown, sent twice, of bad values."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from tests.kernel.bad_input.attacks import ONE_ENGINE, Attack, Target, faults

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow


@ONE_ENGINE
def test_an_unknown_query_parameter_is_refused_naming_the_known_ones(target: Target) -> None:
    target.survive(
        Attack(route.method, target.path(route), query, names=name)
        for route in target.routes
        for name, query in (("nope", "nope=1"), ("nope", "nope"), ("", "=1"), ("Page", "Page=1"),
                            ("page[]", "page[]=1"), ("é", "%C3%A9=1"), ("\0", "%00=1"))
    )  # fmt: skip
    for route in target.routes:
        answer = target.send(Attack(route.method, target.path(route), "nope=1"))
        message = orjson.loads(answer.body)["errors"][0]["message"]
        assert all(item.name in message for item in route.parameters)


@ONE_ENGINE
def test_a_query_parameter_sent_twice_is_named(target: Target) -> None:
    target.survive(
        Attack("GET", path, f"{name}=1&{name}=1", names=name)
        for path, name, _ in _parameters(target)
    )


def test_a_query_parameter_of_a_bad_value_is_named(target: Target) -> None:
    target.survive(
        Attack("GET", path, f"{name}={value}", names=name)
        for path, name, item in _parameters(target)
        for value in _bad_query(item)
    )


def test_a_query_of_garbage_provokes_nothing(target: Target) -> None:
    garbage = ("%", "%zz=%zz", "&&&=&", "a" * 5000, "%ff=%ff", "\xff", "?", "page", "page_size=")
    values = ("%20", "%25" * 300, "_%25%5C", "%F0%9F%98%80", "%EF%B7%BA" * 300, "%ED%A0%80", "'",
              "%27%3B--", "%ff", "1e20", "1e-20", "")  # fmt: skip
    known = [(path, f"{name}={value}") for path, name, _ in _parameters(target) for value in values]
    unknown = [(path, query) for path in {path for path, _ in known} for query in garbage]
    for path, query in known + unknown:
        answer = target.send(Attack("GET", path, query))
        assert answer.status == 200 or not list(faults(answer)), f"{path}?{query}: {answer}"


def _parameters(target: Target) -> Iterator[tuple[str, str, Any]]:
    for route in target.routes:
        if route.method == "GET":
            for item in route.parameters:
                yield target.path(route), item.name, item


def _bad_query(item: Any) -> Iterator[str]:
    yield from ("%00", "x%00y", "x" * 5000, "%F0%9F%98%80" * 1500)
    if item.choices:
        yield from ("nope", "", "-", f"{item.choices[0]}x", f"--{item.choices[0]}")
    yield from {
        int: ("", "abc", "1.5", "1e3", "0x1", "9" * 30, "-" + "9" * 30, "--1", "%2B1", "NaN"),
        bool: ("", "maybe", "2", "-1", "yes", "null"),
        Decimal: ("", "abc", "NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1e999999999",
                        "1e-999999999", "1e16", "1,5", "9" * 900),
        UUID: ("", "abc", "5", "g" * 32),
    }.get(item.type, ())  # fmt: skip
    if item.name.startswith("price"):
        yield "0.001"
    if item.minimum is not None:
        yield str(item.minimum - 1)
    if item.maximum is not None:
        yield str(item.maximum + 1)
