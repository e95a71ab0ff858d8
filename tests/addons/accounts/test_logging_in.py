"""Logging in, refreshing, and what an answer does not tell."""

import time
from datetime import timedelta
from typing import Any

import pytest

from bodega_sdk import issue_token, read_token

LOGIN, REFRESH, USERS = "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/users"


@pytest.fixture
def vera(admin: Any, password: str) -> dict[str, Any]:
    """An account that can log in."""
    made = admin.post(USERS, {"email": "vera@example.com", "password": password, "role": "vendor"})
    found: dict[str, Any] = made.json
    return found


def _log_in(
    client: Any, password: str, email: str = "vera@example.com", address: str = "127.0.0.1"
) -> Any:
    return client.post(LOGIN, {"email": email, "password": password}, remote_addr=address)


def _without_id(answer: Any) -> tuple[int, dict[str, Any]]:
    return answer.status_code, answer.json | {"request_id": None}


def test_a_pair_of_tokens_logs_in_and_gets_the_next_pair(
    client: Any, vera: dict[str, Any], password: str
) -> None:
    pair = _log_in(client, password).json
    again = client.post(REFRESH, {"refresh": pair["refresh"]})
    assert again.status_code == 200
    for access in (pair["access"], again.json["access"]):
        seen = client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {access}"})
        assert seen.json["id"] == vera["id"]
    assert again.json["expires_in"] == 900


def test_the_address_is_read_without_regard_to_case(
    client: Any, vera: dict[str, Any], password: str
) -> None:
    assert _log_in(client, password, " VERA@Example.COM ").status_code == 200


def test_unknown_wrong_and_deactivated_get_the_same_answer(
    client: Any, admin: Any, vera: dict[str, Any], password: str
) -> None:
    wrong = _without_id(_log_in(client, "not the password"))
    unknown = _without_id(_log_in(client, password, "nobody@example.com"))
    admin.patch(f"{USERS}/{vera['id']}", {"is_active": False})
    deactivated = _without_id(_log_in(client, password))
    assert wrong[0] == 401
    assert wrong == unknown == deactivated


def test_an_unknown_account_takes_as_long_as_a_wrong_password(
    client: Any, vera: dict[str, Any]
) -> None:
    unknown = _quickest(client, "nobody@example.com")
    wrong = _quickest(client, "vera@example.com")
    assert 0.4 < unknown / wrong < 2.5


def _quickest(client: Any, email: str) -> float:
    taken = []
    for number in range(7):
        # From an address each: of one, five are let through.
        began, address = time.perf_counter(), f"192.0.2.{number}"
        assert _log_in(client, "not the password", email, address).status_code == 401
        taken.append(time.perf_counter() - began)
    return min(taken)


def test_a_deactivated_account_neither_logs_in_nor_refreshes(
    client: Any, admin: Any, vera: dict[str, Any], password: str
) -> None:
    pair = _log_in(client, password).json
    admin.patch(f"{USERS}/{vera['id']}", {"is_active": False})
    assert _log_in(client, password).status_code == 401
    assert client.post(REFRESH, {"refresh": pair["refresh"]}).status_code == 401
    admin.patch(f"{USERS}/{vera['id']}", {"is_active": True})
    assert _log_in(client, password).status_code == 200


def test_a_deleted_account_neither_logs_in_nor_refreshes(
    client: Any, admin: Any, vera: dict[str, Any], password: str
) -> None:
    pair = _log_in(client, password).json
    assert admin.delete(f"{USERS}/{vera['id']}").status_code == 204
    assert _log_in(client, password).status_code == 401
    assert client.post(REFRESH, {"refresh": pair["refresh"]}).status_code == 401
    seen = client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {pair['access']}"})
    assert 400 <= seen.status_code < 500


def test_a_refresh_token_of_no_account_is_refused(client: Any, admin: Any) -> None:
    nobody = "01a1fd7c-0000-7000-8000-000000000000"
    token = issue_token(nobody, ("admin",), "refresh", timedelta(minutes=1))
    assert client.post(REFRESH, {"refresh": token}).status_code == 401


def test_refreshing_takes_over_a_changed_role(
    client: Any, admin: Any, vera: dict[str, Any], password: str
) -> None:
    pair = _log_in(client, password).json
    admin.patch(f"{USERS}/{vera['id']}", {"role": "user"})
    again = client.post(REFRESH, {"refresh": pair["refresh"]}).json
    assert read_token(again["access"], "access")["roles"] == ["user"]


def test_a_changed_password_replaces_the_old_one(
    client: Any, admin: Any, vera: dict[str, Any], password: str
) -> None:
    changed = admin.patch(f"{USERS}/{vera['id']}", {"password": "another password"})
    assert changed.status_code == 200
    assert _log_in(client, password).status_code == 401
    assert _log_in(client, "another password").status_code == 200


def test_a_password_of_8_to_128_characters_is_taken(admin: Any, client: Any) -> None:
    for number, good in enumerate(
        ("8 chars!", "xyz" * 42 + "12", "🙈🙉🙊" * 3, "pass\twörd ñ", " x y    ")
    ):
        email = f"n{number}@example.com"
        assert admin.post(USERS, {"email": email, "password": good}).status_code == 201
        assert _log_in(client, good, email).status_code == 200


def test_another_password_is_refused_and_named(
    admin: Any, client: Any, vera: dict[str, Any], password: str
) -> None:
    email, path = "vera@example.com", f"{USERS}/{vera['id']}"
    for bad in ("", "7 chars", "x" * 129, "🙈" * 7, "long enough\0", None, 12345678, ["x" * 8]):
        for answer in (
            admin.post(USERS, {"email": "n@example.com", "password": bad}),
            admin.put(path, {"email": email, "password": bad}),
            admin.patch(path, {"password": bad}),
        ):
            assert answer.status_code == 422, bad
            assert [item["field"] for item in answer.json["errors"]] == ["password"], bad
    assert admin.get(f"{USERS}?email=n@example.com").json["count"] == 0
    assert _log_in(client, password).status_code == 200
