"""Cursors that were tampered with, or belong to another list."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from tests.kernel.bad_input.attacks import ONE_ENGINE, Attack, Target

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow


def test_a_cursor_that_was_tampered_with_is_refused(target: Target) -> None:
    target.survive(
        Attack("GET", path, f"cursor={cursor}&page_size=1{ordering}", names="cursor")
        for path, ordering in _orderings(target)
        for cursor in _tampered(_cursor(target, path, ordering))
    )


def test_a_cursor_of_another_ordering_is_refused(target: Target) -> None:
    made = {(path, o): _cursor(target, path, o) for path, o in _orderings(target)}
    target.survive(
        Attack("GET", path, f"cursor={cursor}{other}", names="cursor")
        for (path, ordering), cursor in made.items()
        for same, other in made
        if cursor and same == path and ordering and other and other != ordering
    )


@ONE_ENGINE
def test_a_cursor_with_a_page_is_refused(target: Target) -> None:
    target.survive(
        Attack("GET", path, "cursor=&page=1", names="cursor") for path, _ in _orderings(target)
    )


def _orderings(target: Target) -> Iterator[tuple[str, str]]:
    """Yield each list with each of its orderings, as a piece of a query."""
    for route in target.routes:
        known = {item.name: item for item in route.parameters}
        choices = known["ordering"].choices if "ordering" in known else ()
        # Without pages it is a plain offset, and none of them is wrong.
        if {"cursor", "page"} <= set(known):
            yield from ((target.path(route), f"&ordering={c}") for c in choices)
            yield target.path(route), ""


def _cursor(target: Target, path: str, ordering: str) -> str:
    """Return the cursor of the second page, empty when there is none."""
    answer = target.send(Attack("GET", path, f"cursor=&page_size=1{ordering}"))
    found = re.search("cursor=([^&]*)", orjson.loads(answer.body)["next"] or "")
    return found[1].replace("%3D", "=") if found else ""


_JUNK: tuple[Any, ...] = (
    None, True, 5, -1.5, "x", "a\0b", "5", [], {}, [1], 2**63, 2**64, 1e300, "9" * 30,
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "é" * 9999,
)  # fmt: skip


def _tampered(good: str) -> Iterator[str]:
    texts = [
        "",
        "5",
        "null",
        "{}",
        '"abcd"',
        "[1,2]",
        '{"a":1,"b":2,"c":3,"d":4}',
        "[[[[[[",
        "\xff",
    ]
    place = json.loads(base64.urlsafe_b64decode(good)) if good else []
    for at, value in enumerate(place):
        # The same type is a place in the list like another one, unless it cannot be stored.
        texts += [
            json.dumps([*place[:at], junk, *place[at + 1 :]])
            for junk in _JUNK
            if type(junk) is not type(value) or _unstorable(junk, value)
        ]
    yield from (base64.urlsafe_b64encode(text.encode("latin-1")).decode() for text in texts if text)
    yield from ("x", "%3D%3D%3D%3D", "%C3%A9", "a" * 1000, "%FF", good[:-4] + "x")


def _unstorable(junk: Any, value: Any) -> bool:
    if isinstance(junk, str):
        return "\0" in junk or re.match(r"\d{4}-\d\d-\d\d|[0-9a-f]{32}\Z", value) is not None
    return isinstance(junk, int) and abs(junk) >= 2**63
