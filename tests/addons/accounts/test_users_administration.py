"""Administering accounts: finding, making, changing, closing and deleting them."""

from typing import Any

import pytest

from bodega.database.tables import EventRow
from bodega_accounts.models import Account

USERS, ME = "/api/v1/users", "/api/v1/auth/me"
PASSWORD = "a long password"


def emails(answer: Any) -> list[str]:
    return [item["email"] for item in answer.expect(200)["results"]]


@pytest.fixture
def several(signed_up: Any, admin: Any) -> dict[str, Any]:
    """Three accounts beside the administrator's."""
    found = {
        "ada": signed_up("ada", role="staff", first_name="Ada", last_name="Lovelace"),
        "bob": signed_up("bob", role="vendor", username="bobby", last_name="100%"),
        "eve": signed_up("eve", last_name="Zuse"),
    }
    admin.patch(f"{USERS}/{found['eve'].id}", {"is_active": False}).expect(200)
    return found


def test_accounts_are_filtered_searched_and_ordered(admin: Any, several: Any) -> None:
    assert emails(admin.get(f"{USERS}?role=vendor")) == ["bob@example.com"]
    assert emails(admin.get(f"{USERS}?email=ADA@example.com")) == ["ada@example.com"]
    assert emails(admin.get(f"{USERS}?is_active=false")) == ["eve@example.com"]
    assert emails(admin.get(f"{USERS}?search=love")) == ["ada@example.com"]
    assert emails(admin.get(f"{USERS}?search=BOBBY")) == ["bob@example.com"]
    assert emails(admin.get(f"{USERS}?search=%25")) == ["bob@example.com"]
    assert emails(admin.get(f"{USERS}?search=_o_bby")) == []
    found = emails(admin.get(f"{USERS}?ordering=email"))
    assert found == ["ada@example.com", "admin@example.com", "bob@example.com", "eve@example.com"]
    assert admin.get(f"{USERS}?password=x").status_code == 400


def test_an_account_is_shown_without_its_secrets(admin: Any, several: Any) -> None:
    shown = admin.get(f"{USERS}/{several['ada'].id}").expect(200)
    assert (shown["role"], shown["email_verified"], shown["organization"]) == ("staff", True, None)
    assert not {"password", "totp_secret", "totp_step"} & shown.keys()


def test_an_address_and_a_username_belong_to_one_account(admin: Any, several: Any) -> None:
    path = f"{USERS}/{several['eve'].id}"
    for name, value in (("email", "BOB@example.com"), ("username", "Bobby")):
        body = {"email": "new@example.com", "password": PASSWORD} | {name: value}
        for answer in (admin.post(USERS, body), admin.patch(path, {name: value})):
            assert answer.expect(409)["errors"][0]["field"] == name


def test_of_two_who_make_the_same_account_at_once_one_does(admin: Any, at_once: Any) -> None:
    body = {"email": "new@example.com", "password": PASSWORD, "username": "new"}
    answers = at_once(*[lambda: admin.post(USERS, body)] * 4)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "no address"), ("email", "a@b@c.de"), ("email", "a b@shop.example"),
        ("email", "a\r\nBcc: x@shop.example"), ("email", "a\0@shop.example"),
        ("email", "x" * 250 + "@shop.example"), ("email", ["a@shop.example"]), ("email", None),
        ("email", '"a b"@shop.example'), ("email", "a@shop.example, b@shop.example"),
        ("username", "ab"), ("username", "a@b.de"), ("username", "x" * 51), ("username", "a b"),
        ("username", "-ab"), ("username", "аda"), ("username", ""), ("role", "root"),
        ("role", "Admin"), ("role", None), ("role", ["admin"]), ("is_active", "no"),
        ("date_of_birth", "1899-12-31"), ("date_of_birth", "2999-01-01"),
        ("date_of_birth", "20000101"), ("phone", "call me"), ("phone", "<b>"),
        ("first_name", "x" * 201), ("first_name", "a\0"), ("first_name", {"a": 1}),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_by_name(admin: Any, vera: Any, name: str, value: Any) -> None:
    body = {"email": "new@example.com", "password": PASSWORD}
    path = f"{USERS}/{vera.id}"
    for answer in (
        admin.post(USERS, body | {name: value}),
        admin.put(path, body | {name: value}),
        admin.patch(path, {name: value}),
    ):
        assert [item["field"] for item in answer.expect(422)["errors"]] == [name]


def test_addresses_that_differ_by_case_or_look_alike_are_kept_apart_as_mail_does(
    admin: Any, client: Any
) -> None:
    # The sign of Kelvin is a capital k to Unicode, and to mail after lower-casing as well.
    made = admin.post(USERS, {"email": "\u212aat@Shop.Example", "password": PASSWORD}).expect(201)
    assert made["email"] == "kat@shop.example"
    assert admin.post(USERS, {"email": "KAT@shop.example", "password": PASSWORD}).status_code == 409
    cyrillic = admin.post(USERS, {"email": "k\u0430t@shop.example", "password": PASSWORD})
    assert cyrillic.status_code in (201, 422)
    client.log_in("Kat@SHOP.example", PASSWORD)
    assert Account.get(Account.email == "kat@shop.example").id.hex == made["id"].replace("-", "")


def test_putting_replaces_the_whole_account(admin: Any, several: Any) -> None:
    path = f"{USERS}/{several['bob'].id}"
    body = {"email": "bob@example.com", "password": "yet another one"}
    replaced = admin.put(path, body).expect(200)
    assert (replaced["role"], replaced["username"], replaced["last_name"]) == ("user", None, "")
    assert several["bob"].status() == 401


def test_a_deactivated_account_can_be_opened_again(admin: Any, several: Any, client: Any) -> None:
    eve = several["eve"]
    assert eve.status() == 401
    admin.patch(f"{USERS}/{eve.id}", {"is_active": True}).expect(200)
    assert eve.status() == 401, "what was ended stays so"
    assert eve.log_in().status() == 200


def test_an_account_that_changed_meanwhile_is_not_overwritten(admin: Any, several: Any) -> None:
    path = f"{USERS}/{several['ada'].id}"
    tag = admin.get(path).headers["ETag"]
    admin.patch(path, {"first_name": "Augusta"}).expect(200)
    late = admin.patch(path, {"first_name": "x"}, headers={"If-Match": tag})
    assert late.status_code == 412


def test_what_administrators_do_is_audited_and_told(admin: Any, vera: Any, audited: Any) -> None:
    admin.patch(f"{USERS}/{vera.id}", {"role": "staff"}).expect(200)
    admin.delete(f"{USERS}/{vera.id}").expect(204)
    assert audited()[-2:] == ["account.changed", "account.deleted"]
    names = [row.name for row in EventRow.select()]
    assert {"account.created", "account.changed", "account.deleted"} <= {*names}


# One's own profile.


def test_people_change_their_own_profile(vera: Any) -> None:
    changes = {
        "first_name": "Vera", "last_name": "Ö", "phone": "+49 (0)30 / 12-34",
        "date_of_birth": "1990-02-28", "username": "Vera.1", "preferences": {"theme": "dark"},
    }  # fmt: skip
    vera.api.patch(ME, changes).expect(200)
    me = vera.api.get(ME).expect(200)
    assert {name: me[name] for name in changes} == changes | {"username": "vera.1"}
    assert vera.status() == 200
    assert vera.api.patch(ME, {"preferences": {"a": 1}}).json["preferences"] == {"a": 1}


@pytest.mark.parametrize(
    "value",
    [
        {"a": "x" * 10_001}, {"x" * 101: 1}, [], "x", None, {"a": "nul\0"}, {"nul\0": 1},
        {"a": {"b": ["deep", {"c": "\0"}]}},
    ],
)  # fmt: skip
def test_preferences_that_cannot_be_kept_are_refused(vera: Any, value: Any) -> None:
    answer = vera.api.patch(ME, {"preferences": value})
    assert answer.status_code == 422, answer
    assert answer.json["errors"][0]["field"].startswith("preferences")
    assert vera.api.get(ME).json["preferences"] == {}


def test_preferences_that_are_deep_or_odd_break_nothing(vera: Any) -> None:
    deep: Any = 1
    for _ in range(600):
        deep = [deep]
    large = (10**300, 1e308, -1e308, 1e19, 2**63, -(2**63))
    for value, status in [(deep, 422), *((n, 422) for n in large), (1e18, 200), (2**62, 200)]:
        assert vera.api.patch(ME, {"preferences": {"a": value}}).status_code == status
        assert vera.status() == 200


def test_people_close_their_own_account(vera: Any, audited: Any) -> None:
    path, other = "/api/v1/auth/deactivate", vera.log_in()
    assert vera.api.post(path, {"password": "not the password"}).status_code == 422
    vera.api.post(path, {"password": vera.password}).expect(204)
    assert [vera.status(), other.status(), vera.refresh().status_code] == [401] * 3
    assert audited()[-1] == "account.deactivated"


def test_no_route_reaches_another_persons_things(vera: Any, signed_up: Any) -> None:
    ada = signed_up("ada")
    for method, path in (
        ("GET", f"{USERS}/{ada.id}"), ("PATCH", f"{USERS}/{ada.id}"),
        ("PUT", f"{USERS}/{ada.id}"), ("DELETE", f"{USERS}/{ada.id}"),
        ("GET", f"{USERS}/{ada.id}/avatar"), ("DELETE", f"{USERS}/{ada.id}/sessions"),
        ("DELETE", f"{USERS}/{ada.id}/second-factor"), ("GET", USERS), ("POST", USERS),
    ):  # fmt: skip
        answer = vera.api.request(method, path, {"first_name": "x"} if "P" in method else None)
        assert answer.status_code == 403, (method, path)
    assert ada.status() == 200
