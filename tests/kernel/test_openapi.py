"""The OpenAPI document: valid, complete, and another one when an addon is switched."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from bodega.addons import lifecycle
from bodega.editions import read_edition
from bodega.http.gate import Gate
from bodega.http.openapi import document
from bodega.settings import Settings

# A document of routes: no engine has a say in it.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

HTTP_METHODS = {"get", "put", "post", "delete", "patch", "options"}


def operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Yield path, method, operation and the path's item."""
    for path, item in found["paths"].items():
        for method in HTTP_METHODS & item.keys():
            yield path, method, item[method], item


def references(found: Any) -> Iterator[str]:
    """Yield every ``$ref`` of a document."""
    if isinstance(found, dict):
        if isinstance(found.get("$ref"), str):
            yield found["$ref"]
        for value in found.values():
            yield from references(value)
    elif isinstance(found, list):
        for value in found:
            yield from references(value)


def resolve(found: Any, reference: str) -> Any:
    """Return what a reference points to."""
    assert reference.startswith("#/"), reference
    for part in reference[2:].split("/"):
        found = found[part]
    return found


@pytest.fixture
def settings(
    settings: Settings, engine: str, tmp_path: Path, templates: Any, request: Any
) -> Settings:
    """Settings of a copy of the shop that people start, for tests of ``shop``."""
    if "shop" not in request.fixturenames:
        return settings
    found: Settings = templates.copy(engine, read_edition("storefront").addons, tmp_path / "s", "")
    return found


@pytest.fixture
def shown(shop: Any) -> dict[str, Any]:
    """The document of a shop with all addons of the house, as the API serves it."""
    answer = testing.simulate_get(Gate(shop), "/api/schema")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json
    return found


def test_the_document_has_what_openapi_asks_for(shown: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d", shown["openapi"])
    assert shown["info"]["title"]
    assert shown["info"]["version"]
    assert shown["paths"].keys()
    for path in shown["paths"]:
        assert path.startswith("/api/v1/")
        assert not path.endswith("/")


def test_every_reference_points_to_something(shown: dict[str, Any]) -> None:
    found = set(references(shown))
    assert "#/components/schemas/Problem" in found
    for reference in found:
        assert resolve(shown, reference)


def test_component_names_are_ones_that_openapi_allows(shown: dict[str, Any]) -> None:
    for kind in shown["components"].values():
        for name in kind:
            assert re.fullmatch(r"[A-Za-z0-9._-]+", name)


def test_every_operation_is_named_once_and_explained(shown: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation, _ in operations(shown)]
    assert len(names) == len(set(names)) > 10
    for path, method, operation, _ in operations(shown):
        assert operation["summary"], f"{method} {path}"
        assert operation["tags"], f"{method} {path}"


def test_every_parameter_of_a_path_is_declared_and_no_other(shown: dict[str, Any]) -> None:
    for path, item in shown["paths"].items():
        declared = {one["name"] for one in item.get("parameters", []) if one["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path)), path
        assert all(one["required"] for one in item.get("parameters", []) if one["in"] == "path")


def test_parameters_are_unique_described_and_typed(shown: dict[str, Any]) -> None:
    for path, method, operation, item in operations(shown):
        parameters = [*item.get("parameters", []), *operation["parameters"]]
        places = [(one["in"], one["name"]) for one in parameters]
        assert len(places) == len(set(places)), f"{method} {path}"
        for one in operation["parameters"]:
            assert one["description"], f"{method} {path} {one['name']}"
            assert one["schema"]["type"], f"{method} {path} {one['name']}"


def test_every_operation_tells_its_success_and_its_problems(shown: dict[str, Any]) -> None:
    for path, method, operation, _ in operations(shown):
        responses = operation["responses"]
        success = [status for status in responses if status.startswith("2")]
        assert len(success) == 1, f"{method} {path}"
        assert all(response["description"] for response in responses.values())
        problem = responses["4XX"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/Problem"}


def test_a_body_is_described_where_one_is_read(shown: dict[str, Any]) -> None:
    for path, method, operation, _ in operations(shown):
        if method in ("get", "delete"):
            assert "requestBody" not in operation, f"{method} {path}"
    create = shown["paths"]["/api/v1/products"]["post"]
    schema = create["requestBody"]["content"]["application/json"]["schema"]
    product = resolve(shown, schema["$ref"])
    assert {"name", "sku", "price"} <= set(product["required"])
    assert product["properties"]["id"]["readOnly"]


def test_a_partial_body_requires_nothing(shown: dict[str, Any]) -> None:
    change = shown["paths"]["/api/v1/products/{id}"]["patch"]
    schema = change["requestBody"]["content"]["application/json"]["schema"]
    assert not resolve(shown, schema["$ref"]).get("required")


def test_a_list_is_described_with_its_envelope(shown: dict[str, Any]) -> None:
    listing = shown["paths"]["/api/v1/products"]["get"]
    schema = listing["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["count", "next", "previous", "results"]
    items = schema["properties"]["results"]["items"]
    assert resolve(shown, items["$ref"])["properties"]["sku"]


def test_security_is_asked_for_where_it_is_needed_and_nowhere_else(shown: dict[str, Any]) -> None:
    assert "bearer" in shown["components"]["securitySchemes"]
    for _, _, operation, _ in operations(shown):
        assert ("security" in operation) == (operation["x-permission"] != "public")
        for asked in operation.get("security", []):
            assert asked.keys() <= shown["components"]["securitySchemes"].keys()
    assert "security" not in shown["paths"]["/api/v1/auth/login"]["post"]


def test_every_route_of_the_enabled_addons_is_listed(shop: Any, shown: dict[str, Any]) -> None:
    declared = {(f"/api/v1{route.path}", route.method.lower()) for route in shop.assembly.routes}
    assert declared <= {(path, method) for path, method, _, _ in operations(shown)}


def test_every_operation_that_is_listed_is_served(shop: Any, shown: dict[str, Any]) -> None:
    some_id = "00000000-0000-7000-8000-000000000000"
    for path, method, _, _ in operations(shown):
        address = re.sub(r"{\w+}", some_id, path)
        answer = testing.simulate_request(Gate(shop), method.upper(), address)
        assert answer.status_code != 405, f"{method} {path}"
        if answer.status_code == 404:
            assert "nothing at this address" not in answer.json["detail"], f"{method} {path}"


def test_switching_an_addon_changes_the_document_by_exactly_its_routes(
    notes_shop: Any,
) -> None:
    before = document(notes_shop.assembly)
    lifecycle.disable(notes_shop, "notes")
    after = document(notes_shop.refresh())
    gone = before["paths"].keys() - after["paths"].keys()
    assert gone == {"/api/v1/notes", "/api/v1/notes/{id}"}
    assert not any("Note" in name for name in after["components"]["schemas"])
    assert "notes" not in {tag["name"] for tag in after.get("tags", [])}
    lifecycle.enable(notes_shop, "notes")
    assert document(notes_shop.refresh()) == before


def test_the_document_is_not_sent_again_while_it_is_the_same(notes_shop: Any) -> None:
    tag = testing.simulate_get(Gate(notes_shop), "/api/schema").headers["ETag"]
    again = testing.simulate_get(Gate(notes_shop), "/api/schema", headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.text == ""
    lifecycle.disable(notes_shop, "notes")
    notes_shop.refresh()
    assert testing.simulate_get(Gate(notes_shop), "/api/schema").headers["ETag"] != tag


def test_two_addons_may_name_their_schemas_alike(notes_shop: Any, site: Any) -> None:
    site.write(
        "letters",
        "from bodega_sdk import PUBLIC, Route, hookimpl\n"
        "from bodega_sdk.schemas import Schema, String\n"
        "class NoteSchema(Schema):\n"
        "    sender = String()\n"
        "@hookimpl\n"
        "def register_routes(routes):\n"
        "    routes.add(Route('GET', '/letters', lambda r: {}, PUBLIC, 'x', returns=NoteSchema))\n",
    )
    lifecycle.enable(notes_shop, "letters")
    found = document(notes_shop.refresh())
    letters = found["paths"]["/api/v1/letters"]["get"]["responses"]["200"]
    schema = letters["content"]["application/json"]["schema"]
    assert resolve(found, schema["$ref"])["properties"].keys() == {"sender"}
    notes = found["paths"]["/api/v1/notes/{id}"]["get"]["responses"]["200"]
    schema = notes["content"]["application/json"]["schema"]
    assert "title" in resolve(found, schema["$ref"])["properties"]
