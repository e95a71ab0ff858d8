"""Organizations: whom vendors act for, as their tokens and keys say."""

from dataclasses import replace
from typing import Any

import pytest

from bodega_accounts.models import Account
from bodega_sdk import read_token

PATH, USERS = "/api/v1/organizations", "/api/v1/users"


@pytest.fixture
def lamps(admin: Any) -> Any:
    """An organization."""
    return admin.post(PATH, {"name": "Ada's Lamps"}).expect(201)


@pytest.fixture
def vendor(signed_up: Any, lamps: Any) -> Any:
    """Somebody who sells for it."""
    return signed_up("vendor", role="vendor", organization=lamps["id"])


def organization_of(person: Any) -> str:
    found: str = read_token(person.tokens["access"], "access")["org"]
    return found


def test_an_organization_is_made_read_changed_listed_and_deleted(
    admin: Any, lamps: Any, audited: Any
) -> None:
    path = f"{PATH}/{lamps['id']}"
    assert admin.get(path).json == lamps
    assert admin.patch(path, {"name": "Lamps"}).json["name"] == "Lamps"
    assert admin.put(path, {"name": "Lamps Ltd"}).json["is_active"] is True
    assert admin.get(PATH).json["count"] == 1
    admin.delete(path).expect(204)
    assert admin.get(path).status_code == 404
    assert audited()[-2:] == ["organization.changed", "organization.deleted"]


def test_a_name_is_given_once_and_is_not_empty(admin: Any, lamps: Any) -> None:
    assert admin.post(PATH, {"name": lamps["name"]}).status_code == 409
    for bad in ("", "  ", None, 5, "x" * 201, "a\0b"):
        assert admin.post(PATH, {"name": bad}).expect(422)["errors"][0]["field"] == "name"


def test_only_who_administers_accounts_sees_and_changes_them(people: Any, lamps: Any) -> None:
    path = f"{PATH}/{lamps['id']}"
    for who, read, write in (
        ("nobody", 401, 401), ("user", 403, 403), ("vendor", 403, 403), ("staff", 200, 403),
    ):  # fmt: skip
        client = people[who]
        assert [client.get(PATH).status_code, client.get(path).status_code] == [read] * 2
        for answer in (
            client.post(PATH, {"name": "x"}), client.patch(path, {"name": "x"}),
            client.put(path, {"name": "x"}), client.delete(path),
        ):  # fmt: skip
            assert answer.status_code == write


def test_its_people_act_for_it(vendor: Any, vera: Any, lamps: Any) -> None:
    assert organization_of(vendor) == lamps["id"]
    assert vendor.api.get("/api/v1/auth/me").json["organization"] == {
        "id": lamps["id"], "name": lamps["name"],
    }  # fmt: skip
    assert organization_of(vera) == ""


def test_an_organization_that_does_not_exist_is_refused(admin: Any, vera: Any) -> None:
    nowhere = "01a1fd7c-0000-7000-8000-000000000000"
    path = f"{USERS}/{vera.id}"
    for bad in (nowhere, "x", 5, [nowhere]):
        answer = admin.patch(path, {"organization": bad})
        assert answer.expect(422)["errors"][0]["field"] == "organization"


def test_who_joins_or_leaves_one_has_it_in_the_next_tokens(
    vera: Any, admin: Any, lamps: Any
) -> None:
    path = f"{USERS}/{vera.id}"
    for wanted in (lamps["id"], None):
        admin.patch(path, {"organization": wanted}).expect(200)
        assert vera.status() == 401
        vera = vera.refreshed()
        assert organization_of(vera) == (wanted or "")


@pytest.mark.parametrize("how", ["closed", "deleted"])
def test_of_one_that_ends_nobody_acts_any_more(
    vendor: Any, admin: Any, lamps: Any, how: str
) -> None:
    other, path = vendor.log_in(), f"{PATH}/{lamps['id']}"
    if how == "closed":
        admin.patch(path, {"is_active": False}).expect(200)
    else:
        admin.delete(path).expect(204)
    for person in (vendor, other):
        assert person.status() == 401
        assert organization_of(person.refreshed()) == ""
    assert organization_of(vendor.log_in()) == ""
    assert Account.get_by_id(vendor.id).is_active
    if how == "closed":
        admin.patch(path, {"is_active": True}).expect(200)
        assert organization_of(vendor.log_in()) == lamps["id"]


def test_a_key_acts_for_the_organization_of_its_owner(
    admin: Any, lamps: Any, client: Any, signed_up: Any
) -> None:
    staff = signed_up("staff", role="staff", organization=lamps["id"])
    body = {"name": "sync", "scopes": ["accounts.read"]}
    made = staff.api.post("/api/v1/api-keys", body).expect(201)
    shop = client.shop
    assert shop.current.identify(made["key"]).organization == lamps["id"]
    admin.patch(f"{PATH}/{lamps['id']}", {"is_active": False}).expect(200)
    assert shop.current.identify(made["key"]).organization == ""


def test_people_do_not_choose_their_own(vendor: Any, vera: Any, lamps: Any) -> None:
    for person in (vendor, vera):
        answer = person.api.patch("/api/v1/auth/me", {"organization": lamps["id"]})
        assert answer.expect(422)["errors"][0]["field"] == "organization"
    stranger = replace(vera, tokens=vera.tokens)
    assert (
        stranger.api.patch(f"{USERS}/{vera.id}", {"organization": lamps["id"]}).status_code == 403
    )
