"""Guessing passwords: few guesses for each account and address, and nobody is locked out."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from typing import Any

import pytest

from bodega.settings import Settings
from bodega_sdk.testing.deployment import ADMIN, Deployment

LOGIN, UNKNOWN = "/api/v1/auth/login", "unknown@example.com"
HERE, ELSEWHERE, PROXY = "192.0.2.1", "198.51.100.7", "10.1.2.3"
EDITION = ("accounts", "products", "imports")
WRONG = "not the password"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A shop that trusts one proxy."""
    return replace(settings, trusted_proxies=(ip_network(f"{PROXY}/32"),))


def guess(
    client: Any, login: str, password: str = WRONG, address: str = HERE, **headers: str
) -> Any:
    name = "email" if "@" in login else "username"
    body = {name: login, "password": password}
    return client.post(LOGIN, body, remote_addr=address, headers=headers)


def guesses(client: Any, number: int, login: str, address: str = HERE) -> list[int]:
    return [guess(client, login, address=address).status_code for _ in range(number)]


def test_after_five_wrong_guesses_the_right_password_is_refused_too(
    vera: Any, bodega_clock: Any
) -> None:
    assert guesses(vera.client, 7, vera.email) == [401] * 5 + [429] * 2
    refused = guess(vera.client, vera.email, vera.password)
    assert refused.json["type"] == "/api/problems/too-many-requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 300
    bodega_clock.move(seconds=int(refused.headers["Retry-After"]) + 1)
    assert guess(vera.client, vera.email, vera.password).status_code == 200


def test_forty_guesses_at_once_let_five_through(vera: Any, at_once: Any) -> None:
    answers = at_once(*[partial(guess, vera.client, vera.email)] * 40)
    assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 35}


def test_another_address_and_another_account_are_not_concerned(vera: Any, signed_up: Any) -> None:
    ada = signed_up("ada")
    guesses(vera.client, 6, vera.email)
    assert guess(vera.client, vera.email, vera.password, ELSEWHERE).status_code == 200
    assert guess(vera.client, ada.email, ada.password).status_code == 200


def test_who_logs_in_is_forgiven_the_wrong_guesses_before(vera: Any) -> None:
    for _ in range(4):
        assert guesses(vera.client, 4, vera.email) == [401] * 4
        assert guess(vera.client, vera.email, vera.password).status_code == 200


def test_an_unknown_account_is_throttled_as_a_known_one_however_it_is_typed(vera: Any) -> None:
    for email in (vera.email, UNKNOWN):
        typed = (email, email.upper(), f" {email}", f"{email}  ", email.title(), f"\t{email}")
        found = [guess(vera.client, login).status_code for login in typed]
        assert found == [401] * 5 + [429], email


def test_one_account_by_two_names_has_one_count(signed_up: Any) -> None:
    vera = signed_up("vera", username="vera_1")
    assert guesses(vera.client, 3, "vera_1") == [401] * 3
    assert guesses(vera.client, 3, vera.email) == [401, 401, 429]


@pytest.mark.parametrize("known", [True, False])
def test_an_attack_from_everywhere_is_stopped_and_the_owner_still_logs_in(
    vera: Any, known: bool, bodega_clock: Any
) -> None:
    login = vera.email if known else UNKNOWN
    vera.log_in(remote_addr=HERE)
    attack = [guess(vera.client, login, address=f"203.0.113.{n}").status_code for n in range(40)]
    assert attack == [401] * 30 + [429] * 10
    if known:
        assert guess(vera.client, login, vera.password, ELSEWHERE).status_code == 429
        assert guess(vera.client, login, vera.password, HERE).status_code == 200
        bodega_clock.move(hours=1, seconds=1)
        assert guess(vera.client, login, vera.password, ELSEWHERE).status_code == 200


def test_one_address_tries_fifty_times_whichever_the_accounts(vera: Any) -> None:
    spray = [guess(vera.client, f"user{n}@example.com").status_code for n in range(55)]
    assert spray == [401] * 50 + [429] * 5
    assert guess(vera.client, vera.email, vera.password).status_code == 429
    assert guess(vera.client, vera.email, vera.password, ELSEWHERE).status_code == 200


def test_addresses_of_one_ipv6_network_are_one(vera: Any) -> None:
    near = [guess(vera.client, vera.email, address=f"2001:db8:1:2::{n}") for n in range(1, 8)]
    assert [answer.status_code for answer in near] == [401] * 5 + [429] * 2
    vera.log_in(remote_addr="2001:db8:1:3::1")
    for number in range(40):
        guess(vera.client, vera.email, address=f"203.0.113.{number}")
    same, other = "2001:db8:1:3:ffff::9", "2001:db8:1:4::1"
    assert guess(vera.client, vera.email, vera.password, other).status_code == 429
    assert guess(vera.client, vera.email, vera.password, same).status_code == 200


def test_a_header_that_anybody_can_write_is_no_way_around(vera: Any) -> None:
    forged = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP")
    found = []
    for number in range(8):
        headers = dict.fromkeys(forged, f"203.0.113.{number}")
        headers["Forwarded"] = f"for=203.0.113.{number}"
        found.append(guess(vera.client, vera.email, **headers).status_code)
    assert found == [401] * 5 + [429] * 3


def test_behind_an_own_proxy_the_address_that_it_saw_counts(vera: Any) -> None:
    found = []
    for number in range(8):
        told = {"X-Forwarded-For": f"203.0.113.{number}, {ELSEWHERE}"}
        found.append(guess(vera.client, vera.email, address=PROXY, **told).status_code)
    assert found == [401] * 5 + [429] * 3
    told = {"X-Forwarded-For": HERE}
    assert guess(vera.client, vera.email, vera.password, PROXY, **told).status_code == 200


def test_a_body_that_is_no_login_counts_for_nobody(vera: Any) -> None:
    for body in ({}, {"email": vera.email}, {"email": vera.email, "password": 5}):
        for _ in range(6):
            vera.client.post(LOGIN, body, remote_addr=HERE).expect(422)
    assert guess(vera.client, vera.email, vera.password).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "amount", "status"),
    [
        ("register", {"email": "{}@shop.example", "password": "a long password"}, 20, 202),
        ("register/resend", {"email": "{}@shop.example"}, 10, 202),
        ("password/reset", {"email": "{}@shop.example"}, 10, 202),
    ],
)
def test_one_address_registers_and_has_mailed_so_often(
    client: Any, path: str, body: dict[str, str], amount: int, status: int
) -> None:
    def ask(number: int, address: str = HERE) -> Any:
        sent = {name: text.replace("{}", f"user{number}") for name, text in body.items()}
        forged = {"X-Forwarded-For": f"203.0.113.{number}"}
        return client.post(f"/api/v1/auth/{path}", sent, remote_addr=address, headers=forged)

    found = [ask(number).status_code for number in range(amount + 2)]
    assert found == [status] * amount + [429] * 2
    assert int(ask(99).headers["Retry-After"]) > 0
    assert ask(99, ELSEWHERE).status_code == status


@pytest.mark.slow
def test_no_process_lets_more_through_and_no_header_helps(deployment: Deployment) -> None:
    deployment.up()

    def try_it(number: int, password: str = WRONG) -> int:
        body = {"email": ADMIN[0], "password": password}
        forged = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"}
        return deployment.call("POST", LOGIN, body, **forged)[0]

    with ThreadPoolExecutor(20) as pool:
        found = Counter(pool.map(try_it, range(40)))
    assert found == {401: 5, 429: 35}, deployment.logs()
    assert try_it(99, ADMIN[1]) == 429
