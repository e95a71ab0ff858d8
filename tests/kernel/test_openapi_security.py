"""The OpenAPI document says who may call, with what, and how callers are refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from falcon import testing

from bodega.http.gate import Gate
from bodega.http.openapi import document
from bodega.http.operations import kernel_routes
from bodega_sdk import AUTHENTICATED, PUBLIC, Route

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def shown(shop: Any) -> dict[str, Any]:
    found: dict[str, Any] = testing.simulate_get(Gate(shop), "/api/schema").json
    return found


@pytest.fixture
def operations(shop: Any, shown: dict[str, Any]) -> list[tuple[Route, dict[str, Any]]]:
    """Every route that is served, with what the document says of it."""
    routes = (*shop.assembly.routes, *kernel_routes(shop.current))
    paths = shown["paths"]
    return [(r, paths[f"/api/v1{r.path}"][r.method.lower()]) for r in routes]


def asked(operation: dict[str, Any]) -> list[str]:
    return [name for item in operation.get("security", []) for name in item]


def test_what_is_not_public_asks_for_a_login_and_nothing_else_does(
    operations: list[tuple[Route, dict[str, Any]]],
) -> None:
    assert len(operations) > 50
    for route, operation in operations:
        assert ("bearer" in asked(operation)) == (route.permission != PUBLIC), route.path


def test_an_api_key_is_named_where_it_is_taken(
    operations: list[tuple[Route, dict[str, Any]]],
) -> None:
    for route, operation in operations:
        taken = route.permission not in (PUBLIC, AUTHENTICATED)
        assert ("bodegakey" in asked(operation)) == taken, route.path


def test_both_ways_to_log_in_are_described(shown: dict[str, Any]) -> None:
    schemes = shown["components"]["securitySchemes"]
    assert schemes.keys() == {"bearer", "bodegakey"}
    assert schemes["bearer"]["bearerFormat"] == "JWT"
    assert schemes["bodegakey"]["bearerFormat"].startswith("bodegakey_")
    for scheme in schemes.values():
        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
        assert scheme["description"]


def test_a_shop_without_api_keys_describes_none(notes_shop: Any) -> None:
    bare = notes_shop.assembly.__class__(1, routes=notes_shop.assembly.routes)
    found = document(bare)
    assert found["components"]["securitySchemes"].keys() == {"bearer"}


def test_whose_objects_it_is_about_is_told(operations: list[tuple[Route, dict[str, Any]]]) -> None:
    for route, operation in operations:
        assert operation["x-permission"] == route.permission
        assert operation["x-objects"] == route.objects
        assert operation.get("x-beyond", "") == route.beyond


def resolved(shown: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    found: Any = shown
    for part in item["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def test_every_operation_tells_how_it_refuses(
    shown: dict[str, Any], operations: list[tuple[Route, dict[str, Any]]]
) -> None:
    for route, operation in operations:
        wanted = {"401", "429"} | (set() if route.permission == PUBLIC else {"403"})
        assert wanted == {"401", "403", "429"} & operation["responses"].keys(), route.path
        for status in wanted:
            response = resolved(shown, operation["responses"][status])
            schema = response["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}
            assert response["description"] == operation["responses"][status]["description"]
        assert "Retry-After" in resolved(shown, operation["responses"]["429"])["headers"]
        assert "WWW-Authenticate" in resolved(shown, operation["responses"]["401"])["headers"]


def headers_of(shown: dict[str, Any], operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield response["headers"]
        elif "$ref" in response:
            yield resolved(shown, response)["headers"]


def test_every_answer_tells_how_many_requests_are_left(
    shown: dict[str, Any], operations: list[tuple[Route, dict[str, Any]]]
) -> None:
    for _, operation in operations:
        found = list(headers_of(shown, operation))
        assert len(found) >= 3
        for headers in found:
            assert {"RateLimit", "RateLimit-Policy"} <= headers.keys()
            assert resolved(shown, headers["RateLimit"])["description"]
