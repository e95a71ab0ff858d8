"""Resetting a password: by who reads the mailbox, and it ends what others have."""

from dataclasses import replace
from typing import Any

import pytest

from bodega_accounts.models import Account, MailedToken

ASK, RESET = "/api/v1/auth/password/reset", "/api/v1/auth/password/reset/confirm"
LOGIN, PASSWORD = "/api/v1/auth/login", "/api/v1/auth/password"
NEW = "quite another password"


@pytest.fixture
def token(vera: Any, mailed: Any) -> str:
    """A token that was mailed to Vera."""
    vera.client.post(ASK, {"email": vera.email}).expect(202)
    found: str = mailed(vera.email)[-1]
    return found


def reset(person: Any, token: str, password: str = NEW) -> Any:
    return person.client.post(RESET, {"token": token, "password": password})


def test_a_reset_sets_the_password_ends_every_session_and_is_mailed(
    vera: Any, token: str, mailbox: Any, audited: Any
) -> None:
    other = vera.log_in()
    reset(vera, token).expect(200)
    assert [vera.status(), other.status(), vera.refresh().status_code] == [401] * 3
    vera.client.post(LOGIN, {"email": vera.email, "password": vera.password}).expect(401)
    assert replace(vera, password=NEW).log_in().status() == 200
    assert mailbox.to(vera.email)[-1].subject == "Your password was changed"
    assert {"password.reset_asked", "account.password_reset"} <= {*audited()}


def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    vera: Any, admin: Any, mailbox: Any, worker: Any, signed_up: Any
) -> None:
    gone = signed_up("gone")
    admin.patch(f"/api/v1/users/{gone.id}", {"is_active": False}).expect(200)
    answers = []
    for email in (vera.email, "unknown@example.com", gone.email):
        answers.append(vera.client.post(ASK, {"email": email}))
    worker.run()
    assert [len(mailbox.to(email)) for email in (vera.email, gone.email)] == [1, 0]
    assert len({answer.text for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {202}
    assert len({frozenset(answer.headers) for answer in answers}) == 1


def test_a_token_is_good_once(vera: Any, token: str) -> None:
    reset(vera, token).expect(200)
    assert reset(vera, token, "a third one").expect(422)["errors"][0]["field"] == "token"


def test_a_token_is_good_for_an_hour(vera: Any, token: str, bodega_clock: Any) -> None:
    bodega_clock.move(minutes=59)
    reset(vera, token, "short").expect(422)
    bodega_clock.move(minutes=2)
    assert reset(vera, token).expect(422)["errors"][0]["field"] == "token"


def test_a_password_that_will_not_do_leaves_the_token_good(vera: Any, token: str) -> None:
    for bad in ("short", "password", vera.email, "aaaaaaaa"):
        assert reset(vera, token, bad).expect(422)["errors"][0]["field"] == "password", bad
    reset(vera, token).expect(200)


def test_a_newer_token_takes_the_place_of_an_older_one(vera: Any, token: str, mailed: Any) -> None:
    vera.client.post(ASK, {"email": vera.email}).expect(202)
    newer = mailed(vera.email)[-1]
    reset(vera, token).expect(422)
    reset(vera, newer).expect(200)


def test_a_token_is_used_once_by_many_at_once(vera: Any, token: str, at_once: Any) -> None:
    answers = at_once(*[lambda: reset(vera, token)] * 6)
    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 5


def _change_password(vera: Any, admin: Any) -> Any:
    body = {"current_password": vera.password, "password": "chosen meanwhile"}
    return vera.api.post(PASSWORD, body)


def _be_given_one(vera: Any, admin: Any) -> Any:
    return admin.patch(f"/api/v1/users/{vera.id}", {"password": "chosen meanwhile"})


def _be_given_an_address(vera: Any, admin: Any) -> Any:
    return admin.patch(f"/api/v1/users/{vera.id}", {"email": "new@example.com"})


@pytest.mark.parametrize("act", [_change_password, _be_given_one, _be_given_an_address])
def test_a_token_dies_with_a_change_of_the_password_or_the_address(
    vera: Any, admin: Any, token: str, act: Any
) -> None:
    assert act(vera, admin).status_code == 200
    reset(vera, token).expect(422)


def test_a_token_of_another_purpose_or_person_changes_nothing_else(
    vera: Any, token: str, signed_up: Any
) -> None:
    ada = signed_up("ada")
    for path in ("/api/v1/auth/register/confirm", "/api/v1/auth/email/confirm"):
        vera.client.post(path, {"token": token}).expect(422)
    reset(vera, token).expect(200)
    assert ada.status() == 200
    ada.log_in()


def test_tokens_are_stored_as_hashes(vera: Any, token: str) -> None:
    assert token not in repr(list(MailedToken.select().dicts()))


def test_resetting_removes_what_a_stranger_left_in_an_account_of_ones_address(
    client: Any, set_to: Any, mailed: Any, admin: Any
) -> None:
    set_to("accounts.confirmation", "optional")
    body = {"email": "ada@shop.example", "password": "what a stranger knows"}
    pair = client.post("/api/v1/auth/register", body).expect(201)
    stranger = replace(client, token=pair["access"])
    begun = stranger.post("/api/v1/auth/second-factor", {"password": body["password"]}).expect(200)
    assert begun["secret"]
    client.post(ASK, {"email": body["email"]}).expect(202)
    token = mailed(body["email"])[-1]
    client.post(RESET, {"token": token, "password": NEW}).expect(200)
    assert stranger.get("/api/v1/auth/me").status_code == 401
    account = Account.get(Account.email == body["email"])
    assert (account.email_verified, account.totp_secret) == (True, "")
    client.log_in(body["email"], NEW)


# Changing it by who knows it.


def test_a_changed_password_ends_the_other_sessions_and_not_this_one(
    vera: Any, mailbox: Any, audited: Any
) -> None:
    other = vera.log_in()
    body = {"current_password": vera.password, "password": NEW}
    vera.api.post(PASSWORD, body).expect(200)
    assert [vera.status(), other.status(), vera.refresh().status_code] == [200, 401, 200]
    assert replace(vera, password=NEW).log_in().status() == 200
    assert mailbox.to(vera.email)[-1].subject == "Your password was changed"
    assert "account.password_changed" in audited()


def test_whoever_does_not_know_the_password_cannot_change_it(vera: Any) -> None:
    body = {"current_password": "a guess of mine", "password": NEW}
    for _ in range(10):
        answer = vera.api.post(PASSWORD, body)
        assert answer.expect(422)["errors"][0]["field"] == "current_password"
    body["current_password"] = vera.password
    assert int(vera.api.post(PASSWORD, body).headers["Retry-After"]) > 0
    assert vera.api.post(PASSWORD, body).status_code == 429
