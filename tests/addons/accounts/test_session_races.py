"""What happens at the same time: refreshing, logging in and logging out, in many processes."""

import http.client
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bodega_accounts import logging_in, profile
from bodega_accounts.models import Account
from bodega_sdk.testing.deployment import Deployment

SESSIONS, LOGOUT, ME = "/api/v1/auth/sessions", "/api/v1/auth/logout", "/api/v1/auth/me"
EDITION = ("accounts", "products", "imports")
PASSWORD = "a long password"


def test_a_refresh_that_meets_a_logout_never_leaves_a_good_token(vera: Any, at_once: Any) -> None:
    for _ in range(15):
        person = vera.log_in()
        answers = at_once(person.refresh, partial(person.api.post, LOGOUT), person.refresh)
        assert answers[1].status_code == 204
        for answer in (answers[0], answers[2]):
            assert answer.status_code in (200, 401)
            if answer.status_code == 200:
                later = replace(person, tokens=answer.json)
                assert (later.status(), later.refresh().status_code) == (401, 401)


def test_a_refresh_that_meets_a_new_role_has_the_new_role_or_is_refused(
    vera: Any, admin: Any, at_once: Any
) -> None:
    path = f"/api/v1/users/{vera.id}"
    for role in ("staff", "vendor", "user") * 4:
        answer, changed = at_once(vera.refresh, partial(admin.patch, path, {"role": role}))
        assert changed.status_code == 200
        vera = replace(vera, tokens=answer.expect(200))
        told = vera.api.get(ME)
        assert told.status_code == 401 or told.json["role"] == role
        vera = vera.refreshed()
        assert vera.api.get(ME).json["role"] == role


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "another one entirely"}])
def test_a_login_that_meets_a_deactivation_leaves_no_session(
    signed_up: Any, admin: Any, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    vera = signed_up("vera")
    looked = logging_in.matches

    def look_slowly(stored: str | None, password: str) -> bool:
        good = looked(stored, password)
        # The password is right; now, before the session begins, somebody else comes.
        admin.patch(f"/api/v1/users/{vera.id}", change).expect(200)
        return good

    monkeypatch.setattr(logging_in, "matches", look_slowly)
    body = {"email": vera.email, "password": vera.password}
    assert vera.client.post("/api/v1/auth/login", body).status_code == 401
    admin.get(f"/api/v1/users/{vera.id}").expect(200)
    assert Account.get_by_id(vera.id).last_login_at is not None, "of the first login"


def test_a_profile_that_is_saved_late_brings_nothing_back(vera: Any, admin: Any) -> None:
    stale = Account.get_by_id(vera.id)
    changes = {"role": "staff", "is_active": False, "password": "another one entirely"}
    admin.patch(f"/api/v1/users/{vera.id}", changes).expect(200)
    before = Account.get_by_id(vera.id)
    profile.change_profile(stale, {"first_name": "Vera"})
    after = Account.get_by_id(vera.id)
    assert after.first_name == "Vera"
    for name in ("role", "is_active", "password", "totp_step"):
        assert getattr(after, name) == getattr(before, name), name


def test_two_who_end_all_sessions_at_once_do_not_wait_for_each_other(
    vera: Any, at_once: Any
) -> None:
    for _ in range(5):
        people = [vera.log_in() for _ in range(6)]
        ends = [partial(person.api.delete, SESSIONS) for person in people[:3]]
        answers = at_once(*ends, *(p.refresh for p in people[3:]))
        assert all(answer.status_code in (200, 401) for answer in answers)
        assert {p.status() for p in people} == {401}


# Real processes.


def log_in(deployment: Deployment, email: str, password: str = PASSWORD) -> Any:
    body = {"email": email, "password": password}
    return deployment.call("POST", "/api/v1/auth/login", body)[1]


def make(deployment: Deployment, email: str) -> tuple[str, str]:
    """Return an administrator's token, and the id of an account that was made."""
    admin = deployment.log_in()
    body = {"email": email, "password": PASSWORD}
    status, made, _ = deployment.call("POST", "/api/v1/users", body, admin)
    assert status == 201, made
    return admin, made["id"]


@pytest.mark.slow
def test_fifty_refreshes_over_many_processes_get_the_same_successor(
    deployment: Deployment,
) -> None:
    deployment.up()
    make(deployment, "vera@example.com")
    for _ in range(3):
        body = {"refresh": log_in(deployment, "vera@example.com")["refresh"]}
        refresh = partial(deployment.call, "POST", "/api/v1/auth/refresh", body)
        with ThreadPoolExecutor(25) as pool:
            answers = [item.result() for item in [pool.submit(refresh) for _ in range(50)]]
        assert Counter(status for status, _, _ in answers) == {200: 50}, deployment.logs()
        assert len({pair["refresh"] for _, pair, _ in answers}) == 1
        for _, pair, _ in answers[::10]:
            assert deployment.get(ME, pair["access"])[0] == 200


class Hammer(threading.Thread):
    """Calls ``GET /auth/me`` without a pause; each call is on a connection of its own.

    So it meets whichever worker takes it.
    """

    def __init__(self, port: int, token: str) -> None:
        super().__init__(daemon=True)
        self._port, self._token = port, token
        self.ends = threading.Event()
        #: When each call began, and its status.
        self.seen: list[tuple[float, int]] = []

    def run(self) -> None:
        while not self.ends.is_set():
            began = time.monotonic()
            self.seen.append((began, self._call()))

    def _call(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("GET", ME, headers={"Authorization": f"Bearer {self._token}"})
            answer = connection.getresponse()
            json.loads(answer.read())
            return answer.status
        finally:
            connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["deactivated", "logged out"])
def test_every_process_refuses_an_ended_session_from_the_answer_on(
    deployment: Deployment, how: str
) -> None:
    deployment.web_workers = 4
    deployment.up()
    admin, account = make(deployment, "vera@example.com")
    token = log_in(deployment, "vera@example.com")["access"]
    hammers = [Hammer(deployment.port, token) for _ in range(4)]
    for hammer in hammers:
        hammer.start()
    time.sleep(1.5)
    if how == "deactivated":
        path, body = f"/api/v1/users/{account}", {"is_active": False}
        assert deployment.call("PATCH", path, body, admin)[0] == 200
    else:
        assert deployment.call("POST", LOGOUT, None, token)[0] == 204
    ended = time.monotonic()
    time.sleep(1.5)
    for hammer in hammers:
        hammer.ends.set()
        hammer.join(30)
    calls = [call for hammer in hammers for call in hammer.seen]
    before = Counter(status for began, status in calls if began < ended - 0.5)
    after = Counter(status for began, status in calls if began > ended)
    assert set(before) == {200}
    assert set(after) == {401}
    assert min(before.total(), after.total()) > 20
