"""Sessions: refreshing, what looks stolen, and ending them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bodega.database.tables import RevocationRow
from bodega_accounts.models import RefreshToken, Session
from bodega_sdk import issue_token, now, read_token

SESSIONS, LOGOUT = "/api/v1/auth/sessions", "/api/v1/auth/logout"
NOBODY = "01a1fd7c-0000-7000-8000-000000000000"
GRACE = "accounts.refresh_grace_seconds"


def leaves(session: str) -> int:
    """Return how many refresh tokens of a session nobody has used."""
    mine = (RefreshToken.session == session) & RefreshToken.used_at.is_null()
    found: int = RefreshToken.select().where(mine).count()
    return found


# Refreshing.


def test_each_refresh_gives_another_pair_and_the_session_stays(vera: Any) -> None:
    seen, person = {vera.tokens["refresh"]}, vera
    for number in range(4):
        person = person.refreshed()
        seen.add(person.tokens["refresh"])
        assert len(seen) == number + 2
        assert (person.status(), person.session) == (200, vera.session)
    assert leaves(vera.session) == 1


def test_within_the_grace_a_token_has_the_same_successor(vera: Any) -> None:
    first, again = vera.refreshed(), vera.refreshed()
    assert first.tokens["refresh"] == again.tokens["refresh"]
    assert first.status() == again.status() == 200
    assert leaves(vera.session) == 1


def test_after_the_grace_a_used_token_ends_the_whole_session(
    vera: Any, mailbox: Any, audited: Any, bodega_clock: Any
) -> None:
    other, successor = vera.log_in(), vera.refreshed()
    bodega_clock.move(seconds=31)
    answer = vera.refresh()
    assert "used before" in answer.expect(401)["detail"]
    assert [vera.status(), successor.status(), successor.refresh().status_code] == [401] * 3
    assert other.status() == 200
    (mail,) = mailbox.to(vera.email)
    assert "ended" in mail.subject
    assert audited()[-1] == "session.stolen"


def test_who_sends_a_stolen_token_many_times_causes_one_mail(
    vera: Any, mailbox: Any, at_once: Any, set_to: Any, bodega_clock: Any
) -> None:
    vera.refreshed()
    bodega_clock.move(seconds=31)
    answers = at_once(*[vera.refresh] * 8)
    assert {answer.status_code for answer in answers} == {401}
    assert len(mailbox.to(vera.email)) == 1


def test_without_a_grace_the_second_use_ends_the_session(vera: Any, set_to: Any) -> None:
    set_to(GRACE, 0)
    vera.refreshed()
    assert vera.refresh().status_code == 401
    assert vera.status() == 401


def test_fifty_refreshes_of_one_token_at_once_get_the_same_successor(
    vera: Any, at_once: Any
) -> None:
    answers = at_once(*[vera.refresh] * 50)
    assert [answer.status_code for answer in answers] == [200] * 50
    pairs = [answer.json for answer in answers]
    assert len({pair["refresh"] for pair in pairs}) == 1
    assert {replace(vera, tokens=pair).status() for pair in pairs} == {200}
    assert leaves(vera.session) == 1


def test_a_refresh_token_is_good_for_its_days_and_each_one_anew(
    vera: Any, bodega_clock: Any
) -> None:
    bodega_clock.move(days=6)
    later = vera.refreshed()
    bodega_clock.move(days=6)
    later = later.refreshed()
    bodega_clock.move(days=7, seconds=1)
    assert later.refresh().status_code == 401


def test_a_session_ends_after_its_days_however_often_it_was_used(
    vera: Any, set_to: Any, bodega_clock: Any
) -> None:
    set_to("accounts.session_days", 10)
    person = vera.log_in()
    for _ in range(2):
        bodega_clock.move(days=4)
        person = person.refreshed()
    bodega_clock.move(days=2, seconds=1)
    assert person.refresh().status_code == 401


def test_refresh_tokens_are_stored_as_hashes(vera: Any) -> None:
    stored = repr(list(RefreshToken.select().dicts()) + list(Session.select().dicts()))
    assert vera.tokens["refresh"] not in stored
    assert vera.tokens["refresh"].removeprefix("refresh_") not in stored


def test_old_sessions_and_used_tokens_are_forgotten(
    vera: Any, worker: Any, bodega_clock: Any
) -> None:
    worker.sweep()
    for _ in range(3):
        vera = vera.refreshed()
    for days, model in ((8, RefreshToken), (120, Session)):
        assert model.select().count()
        bodega_clock.move(days=days)
        worker.sweep()
        worker.run()
        assert not model.select().count()


# Ending.


def test_logging_out_ends_this_session_only_and_at_once(vera: Any, audited: Any) -> None:
    other = vera.log_in()
    vera.api.post(LOGOUT).expect(204)
    assert [vera.status(), vera.refresh().status_code, other.status()] == [401, 401, 200]
    assert audited()[-1] == "account.logged_out"


def test_logging_out_everywhere_ends_all_of_ones_own(vera: Any, signed_up: Any) -> None:
    others, ada = [vera.log_in() for _ in range(3)], signed_up("ada")
    told = vera.api.delete(SESSIONS).expect(200)
    assert told["detail"].startswith("4 ")
    assert {person.status() for person in (vera, *others)} == {401}
    assert ada.status() == 200


def test_a_refresh_token_can_be_sent_to_end_its_session(vera: Any, client: Any) -> None:
    successor = vera.refreshed()
    for token in ("nothing", vera.tokens["refresh"], vera.tokens["refresh"]):
        client.post("/api/v1/auth/revoke", {"refresh": token}).expect(204)
    assert (successor.status(), successor.refresh().status_code) == (401, 401)


def test_ones_own_sessions_are_listed(vera: Any, signed_up: Any, bodega_clock: Any) -> None:
    signed_up("ada")
    bodega_clock.move(seconds=5)
    other = vera.log_in(remote_addr="192.0.2.7", headers={"User-Agent": "Tablet"})
    found = vera.api.get(SESSIONS).expect(200)
    assert (found["count"], found["next"]) == (2, None)
    tablet, first = found["results"]
    assert (tablet["address"], tablet["agent"], tablet["current"]) == ("192.0.2.7", "Tablet", False)
    assert (first["id"], first["current"]) == (vera.session, True)
    assert other.session == tablet["id"]
    other.api.post(LOGOUT).expect(204)
    assert vera.api.get(SESSIONS).json["count"] == 1


def test_one_ends_ones_own_sessions_and_nobody_elses(vera: Any, signed_up: Any) -> None:
    ada, other = signed_up("ada"), vera.log_in()
    for refused in (ada.session, NOBODY, "x"):
        vera.api.delete(f"{SESSIONS}/{refused}").expect(404)
    vera.api.delete(f"{SESSIONS}/{other.session}").expect(204)
    assert [other.status(), vera.status(), ada.status()] == [401, 200, 200]


def test_the_fifty_first_session_ends_the_one_that_was_unused_for_longest(
    vera: Any, bodega_clock: Any
) -> None:
    second = vera.log_in()
    for _ in range(48):
        bodega_clock.move(seconds=400)
        vera.log_in()
    assert vera.api.get(SESSIONS).status_code == 401, "its access token expired meanwhile"
    vera = vera.refreshed()
    newest = vera.log_in()
    assert newest.api.get(SESSIONS).json["count"] == 50
    assert second.refresh().status_code == 401
    assert vera.refreshed().status() == 200


# What is changed while somebody is logged in.


def test_a_new_role_is_in_the_next_tokens_and_the_old_ones_are_refused(
    vera: Any, admin: Any
) -> None:
    admin.patch(f"/api/v1/users/{vera.id}", {"role": "staff"}).expect(200)
    assert vera.status() == 401
    vera = vera.refreshed()
    assert vera.api.get("/api/v1/auth/me").json["role"] == "staff"
    assert vera.api.get("/api/v1/users").status_code == 200
    admin.patch(f"/api/v1/users/{vera.id}", {"role": "user"}).expect(200)
    assert vera.api.get("/api/v1/users").status_code == 401
    assert vera.refreshed().api.get("/api/v1/users").status_code == 403


@pytest.mark.parametrize("how", ["deactivated", "deleted", "password", "ended"])
def test_an_administrator_ends_all_sessions_at_once(vera: Any, admin: Any, how: str) -> None:
    path, other = f"/api/v1/users/{vera.id}", vera.log_in()
    acts: dict[str, Callable[[], Any]] = {
        "deactivated": lambda: admin.patch(path, {"is_active": False}),
        "deleted": lambda: admin.delete(path),
        "password": lambda: admin.patch(path, {"password": "another one entirely"}),
        "ended": lambda: admin.delete(f"{path}/sessions"),
    }
    assert acts[how]().status_code in (200, 204)
    assert [vera.status(), other.status(), vera.refresh().status_code] == [401] * 3


def test_an_access_token_of_no_account_finds_none(client: Any) -> None:
    token = issue_token(NOBODY, ("user",), "access", timedelta(minutes=1))
    assert replace(client, token=token).get("/api/v1/auth/me").status_code == 404


def test_what_is_revoked_stays_so_until_no_token_can_be_good(vera: Any) -> None:
    claims = read_token(vera.tokens["access"], "access")
    vera.api.post(LOGOUT).expect(204)
    row = RevocationRow.get()
    # Tokens are read for some seconds longer than they are good.
    assert row.until.timestamp() > claims["exp"] + 5
    assert row.until > now()
