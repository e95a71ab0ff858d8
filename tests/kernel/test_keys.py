"""Items are addressed by their id, or by another key that they have."""

from typing import Any

import pytest

from bodega_sdk import uuid7

THINGS = "/api/v1/things"


@pytest.fixture
def lamp(things: Any) -> dict[str, Any]:
    """A thing."""
    data = {"name": "Lamp", "slug": "lamp", "code": "L-1", "size": 3}
    found: dict[str, Any] = things.post(THINGS, data).expect(201)
    return found


def test_a_thing_is_found_by_its_id_its_slug_and_its_code(things: Any, lamp: Any) -> None:
    for name in (lamp["id"], "lamp", "L-1", "l-1"):
        assert things.get(f"{THINGS}/{name}").expect(200) == lamp
    # Keys are as exact as their filters: a slug knows case, a code does not.
    things.get(f"{THINGS}/Lamp").expect(404)


def test_every_verb_and_own_routes_know_the_keys(things: Any, lamp: Any) -> None:
    assert things.get(f"{THINGS}/lamp/size").expect(200) == {"size": 3}
    assert things.get(f"{THINGS}/{lamp['id']}/size").expect(200) == {"size": 3}
    assert things.patch(f"{THINGS}/l-1", {"size": 4}).expect(200)["size"] == 4
    whole = {"name": "Lamp", "slug": "lamp", "code": "L-1", "size": 5}
    assert things.put(f"{THINGS}/lamp", whole).expect(200)["size"] == 5
    things.delete(f"{THINGS}/lamp").expect(204)
    refused = things.get(f"{THINGS}/lamp").expect(404)
    assert refused["errors"][0]["message"] == "No thing has this id or slug or code."


def test_the_first_key_wins_where_two_things_fit(things: Any, lamp: Any) -> None:
    other = {"name": "Other", "slug": "l-1", "code": "X"}
    made = things.post(THINGS, other).expect(201)
    assert things.get(f"{THINGS}/l-1").expect(200)["id"] == made["id"]
    assert things.get(f"{THINGS}/L-1").expect(200)["id"] == lamp["id"]


def test_a_slug_that_looks_like_an_id_is_found_too(things: Any) -> None:
    slug = str(uuid7())
    made = things.post(THINGS, {"name": "Odd", "slug": slug, "code": "O"}).expect(201)
    assert things.get(f"{THINGS}/{slug}").expect(200) == made


@pytest.mark.parametrize("name", ["none", "%00", "x" * 3000, "'", "%F0%9F%8D%8B", "..", "1e9"])
def test_what_is_no_key_is_not_found(things: Any, lamp: Any, name: str) -> None:
    things.get(f"{THINGS}/{name}", headers={}).expect(404 if name != "%00" else 400)


def test_what_may_not_be_seen_has_no_key_either(things: Any) -> None:
    hidden = {"name": "Ghost", "slug": "ghost", "code": "G", "is_hidden": True}
    things.post(THINGS, hidden).expect(201)
    things.get(f"{THINGS}/ghost").expect(404)
    things.as_admin().get(f"{THINGS}/ghost").expect(200)


def test_the_documentation_tells_of_the_keys(things: Any) -> None:
    path = things.get("/api/schema").expect(200)["paths"][f"{THINGS}/{{id}}"]
    assert path["get"]["description"] == "`id` is the thing's id, or its slug or code."
    assert path["parameters"][0]["schema"] == {"type": "string"}
