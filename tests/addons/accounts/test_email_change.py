"""Changing one's address: who reads the new one confirms it, who reads the old one is told."""

from dataclasses import replace
from typing import Any

import pytest

EMAIL, CONFIRM = "/api/v1/auth/email", "/api/v1/auth/email/confirm"
ME, LOGIN, NEW = "/api/v1/auth/me", "/api/v1/auth/login", "new@shop.example"


def ask(person: Any, email: str = NEW, password: str = "") -> Any:
    return person.api.post(EMAIL, {"email": email, "password": password or person.password})


def test_the_address_changes_once_the_new_one_is_confirmed(
    vera: Any, mailed: Any, mailbox: Any, audited: Any
) -> None:
    ask(vera, "NEW@shop.example").expect(202)
    (token,) = mailed(NEW)
    assert vera.api.get(ME).json["email"] == vera.email
    vera.client.post(CONFIRM, {"token": token}).expect(200)
    me = vera.api.get(ME).expect(200)
    assert (me["email"], me["email_verified"]) == (NEW, True)
    vera.client.post(LOGIN, {"email": vera.email, "password": vera.password}).expect(401)
    assert replace(vera, email=NEW).log_in().status() == 200
    (mail,) = mailbox.to(vera.email)
    assert NEW in mail.text
    assert "account.email_changed" in audited()
    vera.client.post(CONFIRM, {"token": token}).expect(422)


def test_it_needs_the_password(vera: Any, mailed: Any) -> None:
    assert ask(vera, NEW, "a wrong password").expect(422)["errors"][0]["field"] == "password"
    assert mailed(NEW) == []


def test_an_address_that_somebody_has_gets_the_same_answer_and_no_mail(
    vera: Any, signed_up: Any, mailed: Any
) -> None:
    ada = signed_up("ada")
    taken, free = ask(vera, ada.email), ask(vera)
    assert taken.expect(202) == free.expect(202)
    assert taken.headers.keys() == free.headers.keys()
    assert (mailed(ada.email), len(mailed(NEW))) == ([], 1)


def test_an_address_that_somebody_took_meanwhile_is_refused_and_the_token_stays(
    vera: Any, signed_up: Any, mailed: Any, admin: Any
) -> None:
    ask(vera).expect(202)
    (token,) = mailed(NEW)
    other = signed_up("other")
    admin.patch(f"/api/v1/users/{other.id}", {"email": NEW}).expect(200)
    assert vera.client.post(CONFIRM, {"token": token}).expect(409)["errors"][0]["field"] == "email"
    assert vera.api.get(ME).json["email"] == vera.email


def test_two_who_want_one_address_do_not_both_get_it(
    vera: Any, signed_up: Any, mailed: Any, at_once: Any
) -> None:
    ada = signed_up("ada")
    for person in (vera, ada):
        ask(person).expect(202)
    tokens = mailed(NEW)
    answers = at_once(
        *[lambda token=token: vera.client.post(CONFIRM, {"token": token}) for token in tokens]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert sorted(person.api.get(ME).json["email"] == NEW for person in (vera, ada)) == [
        False,
        True,
    ]


def test_only_the_last_address_that_was_asked_for_can_be_confirmed(vera: Any, mailed: Any) -> None:
    ask(vera).expect(202)
    (first,) = mailed(NEW)
    ask(vera, "newer@shop.example").expect(202)
    (second,) = mailed("newer@shop.example")
    vera.client.post(CONFIRM, {"token": first}).expect(422)
    vera.client.post(CONFIRM, {"token": second}).expect(200)
    assert vera.api.get(ME).json["email"] == "newer@shop.example"


def test_a_token_for_another_purpose_is_refused(vera: Any, mailed: Any) -> None:
    ask(vera).expect(202)
    (token,) = mailed(NEW)
    vera.client.post("/api/v1/auth/register/confirm", {"token": token}).expect(422)
    body = {"token": token, "password": "quite another one"}
    vera.client.post("/api/v1/auth/password/reset/confirm", body).expect(422)
    vera.client.post(CONFIRM, {"token": token}).expect(200)


@pytest.mark.parametrize("how", ["changed", "reset"])
def test_a_token_dies_with_the_password_of_whoever_asked_for_it(
    vera: Any, mailed: Any, how: str
) -> None:
    ask(vera).expect(202)
    (token,) = mailed(NEW)
    if how == "changed":
        body = {"current_password": vera.password, "password": "quite another one"}
        vera.api.post("/api/v1/auth/password", body).expect(200)
    else:
        vera.client.post("/api/v1/auth/password/reset", {"email": vera.email}).expect(202)
        body = {"token": mailed(vera.email)[-1], "password": "quite another one"}
        vera.client.post("/api/v1/auth/password/reset/confirm", body).expect(200)
    vera.client.post(CONFIRM, {"token": token}).expect(422)


def test_nobody_floods_a_mailbox_with_it(vera: Any, mailbox: Any, worker: Any) -> None:
    answers = [ask(vera).status_code for _ in range(12)]
    assert answers == [202] * 10 + [429] * 2
    worker.run()
    assert len(mailbox.to(NEW)) == 3
