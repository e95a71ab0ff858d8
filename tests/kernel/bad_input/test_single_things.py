"""Single things: ids that are none, and ETags of garbage."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.kernel.bad_input.attacks import JSON, NOT_FOUND, Attack, Target, filled
from tests.kernel.bad_input.bodies import as_json, members, writing

from bodega_sdk import Route

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow


def test_an_id_that_is_no_uuid_is_named(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=body, headers=JSON, names=None if "\0" in path else "id")
        for route, body in _items(target)
        if "{id}" in route.path
        for path in _bad_paths(target, route)
    )


def test_the_id_of_no_row_is_not_found(target: Target) -> None:
    target.survive(
        Attack(
            route.method, _at(route, NOT_FOUND), body=body, headers=JSON, names=_parameter(route)
        )
        for route, body in _items(target)
    )


def test_the_name_of_nothing_is_not_found(target: Target) -> None:
    target.survive(
        Attack(route.method, _at(route, name), body=body, headers=JSON)
        for route, body in _items(target)
        if "{id}" not in route.path
        for name in ("..", "é", "🙈", "\0", "\udcff", "x" * 9999, "'", "%", "Products", "products.")
    )


def _items(target: Target) -> Iterator[tuple[Route, bytes]]:
    """Yield the routes of single things, with a good body."""
    good = {(r.method, r.path): as_json(good or _change(r)) for r, _, good in writing(target)}
    for route in target.routes:
        if "{" in route.path:
            yield route, good.get((route.method, route.path), b"")


def _change(route: Route) -> dict[str, Any]:
    """Return a change that a route takes which wants no member."""
    known = {
        "name": "New", "first_name": "New", "position": 9, "low_stock_threshold": 9,
        "alt": "New", "text": "New", "note": "New", "carrier": "New", "combinable": False,
        "label": "New", "codes": [],
    }  # fmt: skip
    own = members(route)
    return {name: v for name, v in known.items() if name in own and not own[name].dump_only}


def _parameter(route: Route) -> str:
    return str(re.findall(r"{(\w+)}", route.path)[0])


def _at(route: Route, key: str) -> str:
    return "/api/v1" + re.sub(r"{\w+}", lambda _: key, filled(route))


def _bad_paths(target: Target, route: Route) -> Iterator[str]:
    for bad in _bad_ids(_key(target, route)):
        yield _at(route, bad)


def _key(target: Target, route: Route) -> str:
    """Return what stands in the place of a route's first parameter."""
    return target.path(route).split("/")[3:][_parts(route).index("{id}")]


def _parts(route: Route) -> list[str]:
    return route.path.strip("/").split("/")


def _bad_ids(good: str) -> tuple[str, ...]:
    bare = good.replace("-", "")
    return (
        "x", "0", "-1", "null", "\0", good + "\0", good[:-1], good + "0", "x" * 36, "%7Bid%7D",
        f"{{{good}}}", f"{{{bare}}}", f"urn:uuid:{good}", f"urn:{bare}", f"----{bare}",
        f"{bare[:8]}-{bare[8:]}---", "_".join("0" * 16) + "0", "+" + "1" * 31, "١" * 32,
        "\udcff" * 32, "é" * 36, "x" * 10_000, good.replace("-", "_"), f" {good}", f"{good} ",
    )  # fmt: skip


def test_the_id_in_capital_letters_is_the_same(target: Target) -> None:
    for route, _ in _items(target):
        if route.method == "GET" and "{id}" in route.path:
            path = target.path(route)
            loud = _at(route, _key(target, route).upper())
            assert target.send(Attack("GET", loud)).body == target.send(Attack("GET", path)).body


def test_an_etag_of_garbage_matches_nothing(target: Target) -> None:
    garbage = ("x", '"', '"x"', 'W/"x"', ",,,", '"x", "y"', "\xe9", '"' + "a" * 100_000 + '"', "\0")
    target.survive(
        Attack(route.method, target.path(route), body=body, headers=JSON | {"If-Match": tag},
               names="If-Match")
        for route, body in _items(target)
        if route.method in ("PUT", "PATCH", "DELETE")
        # A login has no representation of its own, and so no ETag.
        if not route.path.startswith("/auth/sessions/")
        # An upload has its offset instead.
        and not route.path.startswith("/imports/uploads/")
        # Neither has a vote, nor that a list is shared.
        and not route.path.endswith(("/helpful", "/share"))
        # Nor a cart, which others change by themselves: prices, stock, what is sold.
        and not route.path.startswith("/carts/")
        for tag in garbage
    )  # fmt: skip
    for route, _ in _items(target):
        if route.method == "GET":
            for tag in garbage:
                seen = target.send(
                    Attack("GET", target.path(route), headers={"If-None-Match": tag})
                )
                assert seen.status == 200
