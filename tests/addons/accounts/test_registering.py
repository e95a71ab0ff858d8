"""Registering: by mail, without telling who is known, and nobody takes another one's address."""

import re
from typing import Any

import pytest

from bodega.database.tables import JobRow
from bodega_accounts.models import Account, MailedToken

REGISTER, CONFIRM = "/api/v1/auth/register", "/api/v1/auth/register/confirm"
RESEND, LOGIN, ME = "/api/v1/auth/register/resend", "/api/v1/auth/login", "/api/v1/auth/me"
RESET = "/api/v1/auth/password/reset/confirm"
CHANGING = ("x-request-id", "date", "etag", "ratelimit", "x-assembly-generation", "content-length")
ADA, PASSWORD = "ada@shop.example", "the first of many"


def register(client: Any, email: str = ADA, password: str = PASSWORD, **more: Any) -> Any:
    options = {name: more.pop(name) for name in ("remote_addr",) if name in more}
    return client.post(REGISTER, {"email": email, "password": password} | more, **options)


def may_log_in(client: Any, password: str, email: str = ADA) -> bool:
    answer = client.post(LOGIN, {"email": email, "password": password})
    assert answer.status_code in (200, 401)
    return bool(answer.status_code == 200)


def same(one: Any, other: Any) -> None:
    """Assert that two answers tell nothing apart."""
    assert one.status_code == other.status_code
    known, unknown = ({**answer.json, "request_id": ""} for answer in (one, other))
    assert known == unknown
    headers = (
        {name: text for name, text in answer.headers.items() if name.lower() not in CHANGING}
        for answer in (one, other)
    )
    assert next(headers) == next(headers)
    assert one.headers.keys() == other.headers.keys()


def test_whoever_follows_the_mail_can_log_in(client: Any, mailed: Any, mailbox: Any) -> None:
    told = register(client, username="Ada_L", first_name="Ada", phone="+49 30 1234")
    assert told.status_code == 202
    assert "access" not in told.json
    (token,) = mailed(ADA)
    assert not may_log_in(client, PASSWORD)
    client.post(CONFIRM, {"token": token}).expect(200)
    assert mailbox.to(ADA)[0].subject == "Confirm your address"
    pair = client.post(LOGIN, {"username": "ada_l", "password": PASSWORD}).expect(200)
    user = pair["user"]
    assert (user["email"], user["email_verified"], user["role"]) == (ADA, True, "user")
    assert (user["first_name"], user["phone"]) == ("Ada", "+49 30 1234")


def test_a_token_is_good_once_for_its_purpose_and_for_three_days(
    client: Any, mailed: Any, bodega_clock: Any
) -> None:
    register(client)
    (token,) = mailed(ADA)
    for path, body in (
        (RESET, {"password": "another one"}), ("/api/v1/auth/email/confirm", {}),
        (CONFIRM, {"token": token[:-1]}), (CONFIRM, {"token": token + "x"}),
        (CONFIRM, {"token": ""}), (CONFIRM, {"token": "\0"}), (CONFIRM, {"token": "x" * 9000}),
    ):  # fmt: skip
        answer = client.post(path, {"token": token} | body)
        assert answer.expect(422)["errors"][0]["field"] == "token", path
    client.post(CONFIRM, {"token": token}).expect(200)
    client.post(CONFIRM, {"token": token}).expect(422)
    register(client, "bob@shop.example")
    (late,) = mailed("bob@shop.example")
    bodega_clock.move(hours=73)
    client.post(CONFIRM, {"token": late}).expect(422)


def test_a_token_is_taken_once_by_many_at_once(client: Any, mailed: Any, at_once: Any) -> None:
    register(client)
    (token,) = mailed(ADA)
    answers = at_once(*[lambda: client.post(CONFIRM, {"token": token})] * 8)
    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 7


def test_a_known_address_gets_the_same_answer_and_another_mail(
    client: Any, vera: Any, worker: Any, mailbox: Any
) -> None:
    same(register(client, vera.email), register(client, "unknown@example.com"))
    worker.run()
    (mail,) = mailbox.to(vera.email)
    assert mail.subject == "You have an account already"
    assert not re.search(r"token:\n", mail.text)
    assert may_log_in(client, vera.password, vera.email)
    assert not may_log_in(client, PASSWORD, vera.email)


def test_asking_for_the_mail_again_tells_nothing_either(
    client: Any, vera: Any, worker: Any, mailbox: Any
) -> None:
    register(client)
    worker.run()
    answers = [client.post(RESEND, {"email": e}) for e in (ADA, vera.email, "x@example.com")]
    assert answers[0].status_code == 202
    same(answers[0], answers[1])
    same(answers[0], answers[2])
    worker.run()
    assert [len(mailbox.to(e)) for e in (ADA, vera.email, "x@example.com")] == [2, 0, 0]


def test_logging_in_tells_nothing_about_an_address_that_is_not_confirmed(
    client: Any, worker: Any
) -> None:
    register(client)
    worker.run()
    same(
        client.post(LOGIN, {"email": ADA, "password": PASSWORD}),
        client.post(LOGIN, {"email": "unknown@example.com", "password": PASSWORD}),
    )


def test_the_mail_of_ones_own_registration_gives_ones_own_password(
    client: Any, mailed: Any, signed_up: Any
) -> None:
    theirs, own = "what an attacker knows", "what only ada knows"
    register(client, password=theirs, first_name="Mallory", username="mallory")
    mailed(ADA)
    register(client, password=own, first_name="Ada")
    register(client, password=theirs)
    _, mine, _ = mailed(ADA)
    client.post(CONFIRM, {"token": mine}).expect(200)
    assert may_log_in(client, own)
    assert not may_log_in(client, theirs)
    assert Account.get(Account.email == ADA).first_name == "Ada"
    assert Account.get(Account.email == ADA).username is None
    assert not MailedToken.select().count()


def test_a_mail_that_is_asked_for_again_confirms_nobodys_password_but_the_readers(
    client: Any, mailed: Any
) -> None:
    theirs, own = "what an attacker knows", "what only ada knows"
    register(client, password=theirs)
    register(client, password=own)
    client.post(RESEND, {"email": ADA}).expect(202)
    again = mailed(ADA)[-1]
    client.post(CONFIRM, {"token": again}).expect(422)
    client.post(RESET, {"token": again, "password": own}).expect(200)
    assert may_log_in(client, own)
    assert not may_log_in(client, theirs)


def test_registering_does_not_change_an_account_that_is_confirmed(client: Any, mailed: Any) -> None:
    register(client)
    register(client, password="what an attacker knows")
    own, theirs = mailed(ADA)
    client.post(CONFIRM, {"token": own}).expect(200)
    client.post(CONFIRM, {"token": theirs}).expect(422)
    assert may_log_in(client, PASSWORD)


def test_a_username_that_is_taken_is_refused_and_one_taken_meanwhile_is_left_out(
    client: Any, mailed: Any, signed_up: Any
) -> None:
    signed_up("vera", username="vera")
    refused = register(client, username="VERA")
    assert refused.expect(409)["errors"][0]["field"] == "username"
    register(client, username="ada")
    register(client, "other@shop.example", username="ada")
    for email in (ADA, "other@shop.example"):
        client.post(CONFIRM, {"token": mailed(email)[0]}).expect(200)
        assert may_log_in(client, PASSWORD, email)
    assert Account.select().where(Account.username == "ada").count() == 1


def test_no_job_holds_what_was_registered(client: Any) -> None:
    register(client, first_name="Ada")
    stored = repr(list(JobRow.select().dicts()))
    assert "accounts.register" in stored
    for secret in (ADA, PASSWORD, "argon2"):
        assert secret not in stored


def test_two_passwords_that_differ_are_refused(client: Any) -> None:
    answer = register(client, password_confirm=PASSWORD + "x")
    assert answer.expect(422)["errors"][0]["field"] == "password_confirm"
    assert PASSWORD not in answer.text
    assert register(client, password_confirm=PASSWORD).status_code == 202


def test_a_shop_can_let_nobody_register(client: Any, set_to: Any) -> None:
    set_to("accounts.registration", False)
    assert "lets nobody register" in register(client).expect(403)["detail"]


def test_where_confirming_is_optional_one_is_logged_in_at_once(
    client: Any, set_to: Any, mailed: Any
) -> None:
    set_to("accounts.confirmation", "optional")
    pair = register(client).expect(201)
    me = client.get(ME, headers={"Authorization": f"Bearer {pair['access']}"}).expect(200)
    assert (me["email"], me["email_verified"]) == (ADA, False)
    assert register(client).expect(409)["errors"][0]["field"] == "email"
    assert may_log_in(client, PASSWORD)
    client.post(RESEND, {"email": ADA}).expect(202)
    client.post(CONFIRM, {"token": mailed(ADA)[-1]}).expect(200)
    assert Account.get(Account.email == ADA).email_verified
    assert may_log_in(client, PASSWORD)


@pytest.mark.parametrize("path", [RESEND, "/api/v1/auth/password/reset"])
def test_an_address_is_mailed_to_so_often_and_no_more(
    client: Any, mailbox: Any, worker: Any, path: str
) -> None:
    register(client)
    worker.run()
    mailbox.forget()
    for number in range(5):
        client.post(path, {"email": ADA}, remote_addr=f"192.0.2.{number}").expect(202)
    worker.run()
    assert len(mailbox.to(ADA)) == 3


def test_registrations_of_one_address_are_mailed_to_it_ten_times(
    client: Any, mailbox: Any, worker: Any
) -> None:
    for number in range(12):
        register(client, remote_addr=f"192.0.2.{number}")
    worker.run()
    assert len(mailbox.to(ADA)) == 10
