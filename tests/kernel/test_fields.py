"""Callers get the members that they ask for, out of those that they may see."""

from typing import Any
from uuid import UUID

import pytest

from bodega.addons import lifecycle
from bodega.errors import AddonError
from bodega_sdk import transaction, uuid7

THINGS = "/api/v1/things"
LAMP = {"name": "Lamp", "slug": "lamp", "code": "L"}


@pytest.fixture
def lamp(things: Any) -> dict[str, Any]:
    """A thing that costs 5, made by somebody who may not know that."""
    found: dict[str, Any] = things.post(THINGS, LAMP).expect(201)
    return found


def test_a_request_says_which_members_it_wants(things: Any, lamp: Any) -> None:
    listed = things.get(f"{THINGS}?fields=name,id").expect(200)
    assert listed["results"] == [{"id": lamp["id"], "name": "Lamp"}]
    assert listed["count"] == 1
    assert things.get(f"{THINGS}/lamp?fields=extras").expect(200) == {
        "extras": {"stock": 0, "seen": 0, "note": ""}
    }
    assert things.get(f"{THINGS}/largest?fields=unit").expect(200) == [{"unit": "m"}]


def test_links_to_other_pages_keep_the_members(things: Any, lamp: Any) -> None:
    things.post(THINGS, {"name": "Cup", "slug": "cup", "code": "C"}).expect(201)
    link = things.get(f"{THINGS}?fields=name&page_size=1&cursor=").expect(200)["next"]
    path = link.partition("falconframework.org")[2]
    assert things.get(path).expect(200)["results"] == [{"name": "Lamp"}]


@pytest.mark.parametrize("sent", ["colour", "name,colour", "", "name,,id", "Name", "extras.stock"])
def test_a_member_that_is_not_there_is_refused(things: Any, sent: str) -> None:
    refused = things.get(f"{THINGS}?fields={sent}").expect(400)
    assert refused["errors"][0]["field"] == "fields"
    assert "created_at" in refused["detail"]


def test_members_are_for_those_who_hold_their_permission(things: Any, lamp: Any) -> None:
    assert "cost" not in lamp
    assert lamp["extras"] == {"stock": 0, "seen": 0, "note": ""}
    may = things.as_user("vendor")
    for path in (THINGS, f"{THINGS}/lamp", f"{THINGS}/largest"):
        answer = may.get(path).expect(200)
        shown = answer if isinstance(answer, list) else answer.get("results", answer)
        shown = shown[0] if isinstance(shown, list) else shown
        assert (shown["cost"], shown["extras"]["secret"]) == (5, "none")
        hidden = things.get(path).text
        assert "cost" not in hidden
        assert "secret" not in hidden


def test_members_that_are_for_others_cannot_be_asked_for(things: Any, lamp: Any) -> None:
    refused = things.get(f"{THINGS}?fields=name,cost").expect(403)
    assert refused["errors"][0] == {
        "field": "fields", "message": "'cost' needs the permission 'things.cost'.",
    }  # fmt: skip
    nobody = type(things)(things.gate, things.shop)
    nobody.get(f"{THINGS}?fields=cost").expect(401)
    may = things.as_user("vendor")
    assert may.get(f"{THINGS}?fields=cost").expect(200)["results"] == [{"cost": 5}]


def test_members_that_are_for_others_cannot_be_written(things: Any, lamp: Any) -> None:
    item = f"{THINGS}/lamp"
    writes = {
        "cost": {"cost": 1},
        "extras.secret": {"extras": {"stock": 3, "secret": "x"}},
        "extras.note": {"extras": {"stock": 3, "note": "x"}},
    }
    for name, data in writes.items():
        for refused in (
            things.patch(item, data),
            things.put(item, LAMP | data),
            things.post(THINGS, {"name": "B", "slug": "b", "code": "B"} | data),
        ):
            assert refused.expect(403)["errors"][0]["field"] == name
    assert things.get(THINGS).expect(200)["results"] == [lamp]


def test_a_put_of_somebody_who_may_not_see_a_member_leaves_it(things: Any, lamp: Any) -> None:
    may = things.as_user("vendor")
    may.patch(f"{THINGS}/lamp", {"cost": 9, "extras": {"secret": "s"}}).expect(200)
    things.put(f"{THINGS}/lamp", LAMP | {"size": 2}).expect(200)
    shown = may.get(f"{THINGS}/lamp").expect(200)
    assert (shown["cost"], shown["size"], shown["extras"]["secret"]) == (9, 2, "s")
    things.put(f"{THINGS}/lamp", LAMP | {"extras": {"stock": 4}}).expect(200)
    assert may.get(f"{THINGS}/lamp").expect(200)["extras"] == {
        "stock": 4, "secret": "s", "seen": 0, "note": "",
    }  # fmt: skip
    may.put(f"{THINGS}/lamp", LAMP | {"extras": {}}).expect(200)
    again = may.get(f"{THINGS}/lamp").expect(200)["extras"]
    assert again == {"stock": 0, "secret": "none", "seen": 0, "note": ""}


def test_a_member_that_others_write_is_seen_by_everybody(things: Any, lamp: Any) -> None:
    item, may = f"{THINGS}/lamp", things.as_user("vendor")
    may.patch(item, {"extras": {"note": "kept dry"}}).expect(200)
    assert things.get(item).expect(200)["extras"]["note"] == "kept dry"
    assert things.get(f"{THINGS}?fields=extras").expect(200)["count"] == 1
    put = things.put(item, LAMP | {"extras": {"stock": 1}}).expect(200)
    assert put["extras"] == {"stock": 1, "seen": 0, "note": "kept dry"}
    assert may.put(item, LAMP | {"extras": {}}).expect(200)["extras"]["note"] == ""


def test_a_put_leaves_what_is_no_member_of_an_extension(things: Any, lamp: Any) -> None:
    (extension,) = things.shop.assembly.extensions["things.thing"]
    key = UUID(lamp["id"])
    extension.model.write(key, hits=9)
    things.put(f"{THINGS}/lamp", LAMP | {"extras": {"stock": 1}}).expect(200)
    assert extension.model.read(key).hits == 9


def test_a_put_leaves_what_is_read_only_in_an_extension(things: Any, lamp: Any) -> None:
    (extension,) = things.shop.assembly.extensions["things.thing"]
    extension.model.write(UUID(lamp["id"]), seen=7)
    put = things.put(f"{THINGS}/lamp", LAMP | {"extras": {"stock": 1}}).expect(200)
    assert put["extras"] == {"stock": 1, "seen": 7, "note": ""}
    assert things.put(f"{THINGS}/lamp", LAMP | {"extras": {}}).expect(200)["extras"]["seen"] == 7


def test_companions_are_made_and_held_in_the_order_of_their_ids(things: Any, lamp: Any) -> None:
    (extension,) = things.shop.assembly.extensions["things.thing"]
    cup = things.post(THINGS, {"name": "Cup", "slug": "cup", "code": "C"}).expect(201)
    first, second, model = UUID(lamp["id"]), UUID(cup["id"]), extension.model
    model.write(second, seen=3)
    with transaction():
        held = model.hold_many([second, first, first, uuid7()])
        assert [(key, row.seen) for key, row in held.items()] == [(first, 0), (second, 3)]
        assert model.hold(first).secret == "none"
        with pytest.raises(model.DoesNotExist):
            model.hold(uuid7())
    assert model.select().count() == 2


def test_an_etag_is_of_what_its_caller_sees(things: Any, lamp: Any) -> None:
    item = f"{THINGS}/lamp"
    may = things.as_user("vendor")
    for caller in (things, may):
        tag = caller.get(item).headers["ETag"]
        changed = caller.patch(item, {"size": 7}, headers={"If-Match": tag})
        assert changed.status_code == 200, changed.text
        assert changed.headers["ETag"] == caller.get(item).headers["ETag"]


def test_the_documentation_tells_of_members_and_permissions(things: Any) -> None:
    found = things.get("/api/schema").expect(200)
    members = found["components"]["schemas"]["sample_things.Thing"]["properties"]
    assert members["cost"]["x-permission"] == "things.cost"
    added = found["components"]["schemas"]["sample_extras.Extra"]["properties"]
    assert added["note"]["x-write-permission"] == "extras.secret"
    assert "x-permission" not in added["note"]
    for path in (THINGS, f"{THINGS}/{{id}}", f"{THINGS}/largest"):
        told = {item["name"]: item for item in found["paths"][path]["get"]["parameters"]}
        assert "created_at, updated_at, extras" in told["fields"]["description"]


BAD = {
    "do not declare": ('"permission": "things.cost"', '"permission": "things.price"'),
    "neither required nor have": ("cost = Integer(", "cost = Integer(load_default=1, "),
}


@pytest.mark.parametrize("reason", BAD)
def test_a_member_with_a_bad_permission_is_refused(shop: Any, site: Any, reason: str) -> None:
    site.install("things", gallery=site.things)
    plugin = site.package("things") / "plugin.py"
    assert BAD[reason][0] in plugin.read_text()
    plugin.write_text(plugin.read_text().replace(*BAD[reason]))
    with pytest.raises(AddonError, match=reason):
        lifecycle.enable(shop, "things")
