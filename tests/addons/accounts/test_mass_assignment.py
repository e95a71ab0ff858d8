"""Members that are not for the sender: refused by name, or without effect."""

from dataclasses import replace
from typing import Any

import pytest

from bodega_accounts.models import Account

USERS, ME, REGISTER = "/api/v1/users", "/api/v1/auth/me", "/api/v1/auth/register"
SOME_ID = "01a1fd7c-0000-7000-8000-000000000000"
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA"
#: What nobody may send anywhere.
NEVER: dict[str, Any] = {
    "id": SOME_ID, "is_admin": True, "is_staff": True, "is_superuser": True, "admin": True,
    "roles": ["admin"], "permissions": ["accounts.write"], "scopes": ["accounts.write"],
    "balance": "1000000", "credit": 1, "points": 5, "password_hash": HASH, "_password": HASH,
    "email_verified": True, "email_verified_at": "2020-01-01T00:00:00Z", "created_at": "x",
    "updated_at": "2020-01-01T00:00:00Z", "last_login_at": None, "totp_secret": "x",
    "totp_since": "2020-01-01T00:00:00Z", "totp_step": 0, "second_factor": True,
    "organization_id": SOME_ID, "version": 9, "avatar": "../../secret.key", "account": SOME_ID,
    "__class__": "x", "role__in": ["admin"], "Role": "admin", "role ": "admin",
}  # fmt: skip
#: What only administrators may send.
NOT_ONES_OWN: dict[str, Any] = {"role": "admin", "organization": SOME_ID, "is_active": False}


def state() -> list[dict[str, Any]]:
    return list(Account.select().order_by(Account.id).dicts())


def assert_refused(answer: Any, name: str) -> None:
    assert answer.status_code in (403, 422), (name, answer)
    assert [item["field"] for item in answer.json["errors"]] == [name]


def test_one_cannot_give_oneself_anything_in_ones_profile(vera: Any) -> None:
    before = state()
    for name, value in (NEVER | NOT_ONES_OWN | {"email": "x@example.com"}).items():
        assert_refused(vera.api.patch(ME, {"first_name": "V", name: value}), name)
    assert_refused(vera.api.patch(ME, {"password": "another one entirely"}), "password")
    assert state() == before


def test_one_cannot_give_oneself_anything_by_registering(client: Any, worker: Any) -> None:
    before = state()
    body = {"email": "ada@shop.example", "password": "a long password"}
    for name, value in (NEVER | NOT_ONES_OWN).items():
        assert_refused(client.post(REGISTER, body | {name: value}), name)
    worker.run()
    assert state() == before
    client.post(REGISTER, body).expect(202)
    worker.run()
    made = Account.get(Account.email == body["email"])
    assert (made.role, made.organization_id, made.email_verified) == ("user", None, False)


@pytest.mark.parametrize("verb", ["post", "put", "patch"])
def test_not_even_an_administrator_sends_what_is_no_member(
    admin: Any, vera: Any, verb: str
) -> None:
    before = state()
    path = USERS if verb == "post" else f"{USERS}/{vera.id}"
    body = {"email": "new@example.com", "password": "a long password"}
    for name, value in NEVER.items():
        sent = {name: value} if verb == "patch" else body | {name: value}
        assert_refused(getattr(admin, verb)(path, sent), name)
    assert state() == before


def test_other_routes_take_nothing_else_either(vera: Any, client: Any) -> None:
    before = state()
    for path, body in (
        ("/api/v1/auth/login", {"email": vera.email, "password": vera.password}),
        ("/api/v1/auth/refresh", {"refresh": vera.tokens["refresh"]}),
        ("/api/v1/auth/password/reset", {"email": vera.email}),
        ("/api/v1/auth/password", {"current_password": vera.password, "password": "other one!"}),
        ("/api/v1/auth/email", {"email": "n@example.com", "password": vera.password}),
        ("/api/v1/auth/second-factor", {"password": vera.password}),
        ("/api/v1/auth/deactivate", {"password": vera.password}),
        ("/api/v1/addresses", {"name": "V", "line1": "1", "city": "B", "country": "DE"}),
        ("/api/v1/api-keys", {"name": "k", "scopes": ["accounts.read"]}),
    ):
        for name in ("role", "account", "account_id", "owner", "subject", "user_id"):
            answer = vera.api.post(path, body | {name: SOME_ID})
            assert_refused(answer, name)
    assert state() == before
    assert vera.status() == 200


@pytest.fixture
def writer(client: Any, signed_up: Any) -> Any:
    """Whoever holds ``accounts.write`` and ``accounts.read`` and no more, as some keys do."""
    staff = signed_up("staff", role="staff")
    shop = client.shop
    grants = dict(shop.assembly.grants)
    held = {"accounts.read", "accounts.write"}
    shop.adopt(replace(shop.assembly, grants=grants | {"writer": frozenset(held)}))
    return client.as_user("writer", subject=staff.id)


def test_who_may_change_accounts_makes_nobody_mightier_than_oneself(
    writer: Any, admin: Any, vera: Any
) -> None:
    body = {"email": "new@example.com", "password": "a long password"}
    for answer in (
        writer.post(USERS, body | {"role": "admin"}),
        writer.patch(f"{USERS}/{vera.id}", {"role": "admin"}),
        writer.put(f"{USERS}/{vera.id}", body | {"role": "admin"}),
    ):
        assert_refused(answer, "role")
    own = writer.get(f"{USERS}?email=staff@example.com").json["results"][0]["id"]
    assert writer.patch(f"{USERS}/{own}", {"role": "admin"}).status_code == 403
    assert Account.select().where(Account.role == "admin").count() == 1


def test_who_may_change_accounts_touches_no_administrator(writer: Any, admin: Any) -> None:
    own = admin.get(ME).json["id"]
    before, path = state(), f"{USERS}/{own}"
    body = {"email": "mine@example.com", "password": "a long password"}
    for answer in (
        writer.patch(path, {"password": "a long password"}),
        writer.patch(path, {"email": "mine@example.com"}),
        writer.patch(path, {"first_name": "x"}),
        writer.patch(path, {"is_active": False}),
        writer.patch(path, {"role": "user"}),
        writer.put(path, body),
        writer.delete(path),
        writer.delete(f"{path}/sessions"),
        writer.delete(f"{path}/second-factor"),
    ):
        assert answer.status_code == 403, answer
    assert state() == before
    assert admin.get(ME).status_code == 200


def test_a_key_for_accounts_is_no_key_to_the_administrator(admin: Any) -> None:
    body = {"name": "sync", "scopes": ["accounts.read", "accounts.write"]}
    key = replace(admin, token=admin.post("/api/v1/api-keys", body).expect(201)["key"])
    own = admin.get(ME).json["id"]
    for answer in (
        key.patch(f"{USERS}/{own}", {"first_name": "x"}),
        key.delete(f"{USERS}/{own}"),
        key.post(USERS, {"email": "n@example.com", "password": "a long one", "role": "admin"}),
    ):
        assert answer.status_code == 403


def test_an_administrator_takes_neither_the_own_role_nor_the_own_access(admin: Any) -> None:
    own = admin.get(ME).json["id"]
    for name, value in (("role", "user"), ("is_active", False)):
        assert_refused(admin.patch(f"{USERS}/{own}", {name: value}), name)
    assert admin.delete(f"{USERS}/{own}").status_code == 403
    assert admin.get(ME).json["role"] == "admin"
