"""API keys: they hold what they were made for, as far as their maker still does."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bodega_accounts.models import ApiKey
from bodega_sdk import now
from bodega_sdk.testing.deployment import Deployment

KEYS, USERS, ME = "/api/v1/api-keys", "/api/v1/users", "/api/v1/auth/me"
READ, WRITE = "accounts.read", "accounts.write"


def make(maker: Any, *scopes: str, **more: Any) -> Any:
    body = {"name": "sync", "scopes": list(scopes)} | more
    return maker.post(KEYS, body).expect(201)


def holding(client: Any, made: Any) -> Any:
    """Return a client that sends a key."""
    return replace(client, token=made["key"])


@pytest.fixture
def staff(signed_up: Any) -> Any:
    return signed_up("staff", role="staff")


@pytest.fixture
def key(staff: Any, client: Any) -> Any:
    """A client that sends a key of the staff's, for reading accounts."""
    return holding(client, make(staff.api, READ))


def test_a_key_is_shown_once_and_kept_as_a_hash(staff: Any, audited: Any) -> None:
    made = make(staff.api, READ)
    assert made["key"].startswith("bodegakey_")
    assert made["key"].startswith(made["prefix"])
    assert len(made["key"]) > len(made["prefix"]) + 30
    assert "key" not in staff.api.get(f"{KEYS}/{made['id']}").json
    assert "key" not in staff.api.get(KEYS).json["results"][0]
    stored = repr(list(ApiKey.select().dicts()))
    assert made["key"] not in stored
    assert made["key"].removeprefix("bodegakey_") not in stored
    assert "api_key.created" in audited()


def test_a_key_may_what_it_was_made_for_and_nothing_else(admin: Any, client: Any) -> None:
    key = holding(client, make(admin, READ))
    assert key.get(USERS).status_code == 200
    body = {"email": "new@example.com", "password": "a long password"}
    assert key.post(USERS, body).status_code == 403
    assert key.get("/api/v1/audit").status_code == 403


def test_a_key_cannot_hold_more_than_its_maker(staff: Any, vera: Any) -> None:
    for maker, scopes in (
        (staff, [WRITE]), (staff, [READ, WRITE]), (vera, [READ]), (vera, ["nobody.declared_it"]),
        (vera, ["authenticated"]), (vera, ["public"]), (staff, ["*"]), (staff, ["admin"]),
    ):  # fmt: skip
        answer = maker.api.post(KEYS, {"name": "more", "scopes": scopes})
        assert answer.expect(403)["errors"][0]["field"] == "scopes", scopes
    for bad in ([], None, "accounts.read", [5], {}):
        assert staff.api.post(KEYS, {"name": "bad", "scopes": bad}).status_code == 422
    assert not ApiKey.select().count()


def test_routes_for_people_refuse_keys_and_a_key_makes_no_keys(key: Any, staff: Any) -> None:
    body = {"name": "another", "scopes": [READ]}
    (row,) = staff.api.get(KEYS).json["results"]
    for answer in (
        key.get(ME), key.patch(ME, {"first_name": "x"}), key.get("/api/v1/auth/sessions"),
        key.get(KEYS), key.post(KEYS, body), key.delete(f"{KEYS}/{row['id']}"),
        key.post(f"{KEYS}/{row['id']}/rotate", {}), key.get("/api/v1/addresses"),
        key.post("/api/v1/auth/logout"),
    ):  # fmt: skip
        assert answer.status_code == 403, answer
    assert key.get(USERS).status_code == 200


def test_keys_are_ones_own(staff: Any, signed_up: Any, admin: Any) -> None:
    other, made = signed_up("other", role="staff"), make(staff.api, READ)
    path = f"{KEYS}/{made['id']}"
    for stranger in (other.api, admin):
        assert stranger.get(path).status_code == 404
        assert stranger.delete(path).status_code == 404
        assert stranger.post(f"{path}/rotate", {}).status_code == 404
        assert stranger.get(KEYS).json["count"] == 0


def test_an_expired_key_is_refused(staff: Any, client: Any, bodega_clock: Any) -> None:
    ends = (now() + timedelta(seconds=50)).isoformat()
    key = holding(client, make(staff.api, READ, expires_at=ends))
    assert key.get(USERS).status_code == 200
    bodega_clock.move(seconds=51)
    assert key.get(USERS).status_code == 401
    late = {"name": "late", "scopes": [READ], "expires_at": "2020-01-01T00:00:00Z"}
    assert staff.api.post(KEYS, late).expect(422)["errors"][0]["field"] == "expires_at"


def test_a_revoked_key_is_refused_at_once_and_stays_listed(
    staff: Any, key: Any, audited: Any
) -> None:
    assert key.get(USERS).status_code == 200
    (row,) = staff.api.get(KEYS).json["results"]
    staff.api.delete(f"{KEYS}/{row['id']}").expect(204)
    assert key.get(USERS).status_code == 401
    assert staff.api.get(f"{KEYS}/{row['id']}").json["revoked_at"] is not None
    assert staff.api.post(f"{KEYS}/{row['id']}/rotate", {}).status_code == 409
    assert "api_key.revoked" in audited()


def test_a_replaced_key_is_good_for_a_while_beside_its_successor(
    staff: Any, client: Any, bodega_clock: Any
) -> None:
    made = make(staff.api, READ)
    old = holding(client, made)
    assert old.get(USERS).status_code == 200
    path = f"{KEYS}/{made['id']}/rotate"
    successor = staff.api.post(path, {"overlap_minutes": 5}).expect(201)
    new = holding(client, successor)
    assert (successor["name"], successor["scopes"]) == (made["name"], made["scopes"])
    assert staff.api.get(f"{KEYS}/{made['id']}").json["successor"] == successor["id"]
    assert [old.get(USERS).status_code, new.get(USERS).status_code] == [200, 200]
    assert staff.api.post(path, {}).status_code == 409
    bodega_clock.move(minutes=5, seconds=1)
    assert [old.get(USERS).status_code, new.get(USERS).status_code] == [401, 200]


def test_replacing_a_key_without_an_overlap_refuses_it_at_once(staff: Any, client: Any) -> None:
    made = make(staff.api, READ)
    old = holding(client, made)
    assert old.get(USERS).status_code == 200
    staff.api.post(f"{KEYS}/{made['id']}/rotate", {"overlap_minutes": 0}).expect(201)
    assert old.get(USERS).status_code == 401


def test_a_key_is_replaced_once_by_many_at_once(staff: Any, at_once: Any) -> None:
    path = f"{KEYS}/{make(staff.api, READ)['id']}/rotate"
    answers = at_once(*[lambda: staff.api.post(path, {})] * 5)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4
    assert ApiKey.select().count() == 2


def test_a_key_loses_what_its_owner_loses(staff: Any, key: Any, admin: Any) -> None:
    path = f"{USERS}/{staff.id}"
    assert key.get(USERS).status_code == 200
    admin.patch(path, {"role": "user"}).expect(200)
    assert key.get(USERS).status_code == 403
    admin.patch(path, {"role": "staff"}).expect(200)
    assert key.get(USERS).status_code == 200
    admin.patch(path, {"is_active": False}).expect(200)
    assert key.get(USERS).status_code == 401
    admin.patch(path, {"is_active": True}).expect(200)
    assert key.get(USERS).status_code == 200
    admin.delete(path).expect(204)
    assert key.get(USERS).status_code == 401
    assert not ApiKey.select().count()


def test_a_scope_that_the_owner_gained_later_is_not_the_keys(
    staff: Any, key: Any, admin: Any
) -> None:
    admin.patch(f"{USERS}/{staff.id}", {"role": "admin"}).expect(200)
    assert key.get(USERS).status_code == 200
    assert key.delete(f"{USERS}/{staff.id}").status_code == 403


def test_when_it_was_last_used_is_known_to_the_minute(
    staff: Any, key: Any, bodega_clock: Any
) -> None:
    (row,) = staff.api.get(KEYS).json["results"]
    assert row["last_used_at"] is None
    key.get(USERS).expect(200)
    (row,) = staff.api.get(KEYS).json["results"]
    assert row["last_used_at"] is not None


def test_a_key_that_is_unknown_is_refused(client: Any, key: Any) -> None:
    for token in (
        "bodegakey_", "bodegakey_x", key.token[:-1], key.token + "x", key.token.upper(),
        f" {key.token}x", "otherkey_abc", key.token.removeprefix("bodegakey_"),
        "bodegakey_" + "x" * 5000, "bodegakey_é",
    ):  # fmt: skip
        answer = replace(client, token=token).get(USERS)
        assert answer.status_code == 401, token
        assert token not in answer.text or len(token) < 12


@pytest.mark.slow
def test_every_process_refuses_a_revoked_key_from_the_answer_on(deployment: Deployment) -> None:
    deployment.web_workers = 4
    deployment.up()
    admin = deployment.log_in()
    made = deployment.call("POST", KEYS, {"name": "sync", "scopes": [READ]}, admin)[1]
    ends, seen = threading.Event(), []

    def use() -> None:
        while not ends.is_set():
            began = time.monotonic()
            seen.append((began, deployment.get(USERS, made["key"])[0]))

    threads = [threading.Thread(target=use, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    assert deployment.call("DELETE", f"{KEYS}/{made['id']}", None, admin)[0] == 204
    revoked = time.monotonic()
    time.sleep(1.5)
    ends.set()
    for thread in threads:
        thread.join(30)
    before = {status for began, status in seen if began < revoked - 0.5}
    after = [status for began, status in seen if began > revoked]
    assert (before, {*after}) == ({200}, {401})
    assert len(after) > 20
