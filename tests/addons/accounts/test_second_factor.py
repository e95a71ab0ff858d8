"""The second factor: codes of an app, each good once, and codes for who loses the app."""

import base64
import time
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from bodega_accounts.models import Account, RecoveryCode

FACTOR, LOGIN = "/api/v1/auth/second-factor", "/api/v1/auth/login"


@dataclass
class Device:
    """Somebody with an authenticator app."""

    person: Any
    secret: str
    recovery: list[str]
    clock: Any

    def code(self, steps: int = 0) -> str:
        """Return what the app shows so many steps from now."""
        return pyotp.TOTP(self.secret).at(int(time.time()) + 30 * steps)

    def next_code(self) -> str:
        """Wait until the app shows another code."""
        self.clock.move(seconds=30)
        return self.code()

    def log_in(self, code: str = "", **more: Any) -> Any:
        body = {"email": self.person.email, "password": self.person.password, "code": code}
        return self.person.client.post(LOGIN, body | more)

    def prove(self, path: str, code: str, password: str = "") -> Any:
        body = {"password": password or self.person.password, "code": code}
        return self.person.api.post(f"{FACTOR}/{path}", body)


def begin(person: Any) -> Any:
    return person.api.post(FACTOR, {"password": person.password})


@pytest.fixture
def device(vera: Any, bodega_clock: Any) -> Device:
    """Vera, with a second factor."""
    secret = begin(vera).expect(200)["secret"]
    made = Device(vera, secret, [], bodega_clock)
    told = vera.api.post(f"{FACTOR}/confirm", {"code": made.code()}).expect(200)
    return replace(made, recovery=told["recovery_codes"])


def test_it_is_asked_for_once_its_first_code_was_seen(
    device: Device, mailbox: Any, audited: Any
) -> None:
    state = device.person.api.get(FACTOR).expect(200)
    assert (state["enabled"], state["recovery_codes_left"]) == (True, 10)
    refused = device.log_in()
    assert refused.expect(401)["type"] == "/api/problems/second-factor-required"
    assert device.log_in("000000").expect(401)["type"] == "/api/problems/unauthenticated"
    pair = device.log_in(device.next_code()).expect(200)
    assert pair["user"]["second_factor"] is True
    assert mailbox.to(device.person.email)[-1].subject == "Your second factor was changed"
    assert "account.second_factor_added" in audited()


def test_until_then_it_is_not(vera: Any) -> None:
    begin(vera).expect(200)
    assert vera.api.get(FACTOR).json["enabled"] is False
    vera.log_in()
    assert vera.api.post(f"{FACTOR}/confirm", {"code": "000000"}).status_code == 422
    vera.log_in()


def test_without_the_password_nobody_is_told_whether_there_is_one(device: Device) -> None:
    answer = device.log_in(device.next_code(), password="not the password")
    assert answer.expect(401)["type"] == "/api/problems/unauthenticated"
    unknown = device.log_in("123456", password="not the password", email="unknown@example.com")
    assert unknown.json["detail"] == answer.json["detail"]


def test_beginning_needs_the_password(vera: Any) -> None:
    refused = vera.api.post(FACTOR, {"password": "not the password"})
    assert refused.expect(422)["errors"][0]["field"] == "password"


def test_the_address_and_the_picture_are_what_apps_read(vera: Any, set_to: Any) -> None:
    set_to("accounts.issuer", "Ada's Lamps")
    told = begin(vera).expect(200)
    address = urlsplit(told["uri"])
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == f"/Ada's Lamps:{vera.email}"
    assert parse_qs(address.query)["secret"] == [told["secret"]]
    head, _, data = told["qr"].partition(",")
    assert head.startswith("data:image/svg+xml")
    text = base64.b64decode(data) if head.endswith("base64") else unquote(data)
    assert ET.fromstring(text).tag.endswith("svg")
    assert pyotp.parse_uri(told["uri"]).now() == pyotp.TOTP(told["secret"]).now()


def test_a_code_is_good_once(device: Device) -> None:
    assert device.log_in(device.code()).status_code == 401, "it was used to confirm"
    code = device.next_code()
    assert device.log_in(code).status_code == 200
    assert device.log_in(code).status_code == 401
    assert device.log_in(f" {device.next_code()[:3]} {device.code()[3:]} ").status_code == 200


def test_a_code_is_good_for_one_of_many_at_once(device: Device, at_once: Any) -> None:
    code = device.next_code()
    answers = at_once(*[partial(device.log_in, code)] * 5)
    assert Counter(answer.status_code for answer in answers)[200] == 1


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (1, 200), (2, 401)])
def test_a_clock_may_be_wrong_by_one_step(device: Device, steps: int, status: int) -> None:
    device.clock.move(seconds=300)
    assert device.log_in(device.code(steps)).status_code == status


def test_an_older_code_is_refused_after_a_newer_one(device: Device) -> None:
    device.clock.move(seconds=300)
    older = device.code(-1)
    assert device.log_in(device.code()).status_code == 200
    assert device.log_in(older).status_code == 401


def test_a_recovery_code_takes_its_place_once(device: Device) -> None:
    first, second = device.recovery[:2]
    assert device.log_in(first.upper()).status_code == 200
    assert device.log_in(first).status_code == 401
    assert device.log_in(second).status_code == 200
    assert device.person.api.get(FACTOR).json["recovery_codes_left"] == 8


def test_a_recovery_code_is_good_for_one_of_many_at_once(device: Device, at_once: Any) -> None:
    answers = at_once(*[partial(device.log_in, device.recovery[0])] * 5)
    assert Counter(answer.status_code for answer in answers)[200] == 1


def test_a_recovery_code_of_somebody_else_is_refused(device: Device, signed_up: Any) -> None:
    ada = signed_up("ada")
    other = Device(ada, begin(ada).expect(200)["secret"], [], device.clock)
    ada.api.post(f"{FACTOR}/confirm", {"code": other.code()}).expect(200)
    assert other.log_in(device.recovery[0]).status_code == 401
    assert device.log_in(device.recovery[0]).status_code == 200


def test_new_recovery_codes_take_the_place_of_the_old_ones(device: Device) -> None:
    new = device.prove("recovery-codes", device.next_code()).expect(200)["recovery_codes"]
    assert len({*new}) == 10
    assert not {*new} & {*device.recovery}
    assert device.log_in(device.recovery[0]).status_code == 401
    assert device.log_in(new[0]).status_code == 200


def test_it_is_removed_with_the_password_and_a_code(device: Device, audited: Any) -> None:
    assert device.prove("remove", device.next_code(), "not the password").status_code == 422
    assert device.prove("remove", "000000").status_code == 401
    device.prove("remove", device.code()).expect(204)
    assert device.log_in().status_code == 200
    assert "account.second_factor_removed" in audited()
    assert device.prove("remove", device.next_code()).status_code == 409


def test_who_knows_the_password_does_not_try_all_the_codes(device: Device) -> None:
    found = [device.prove("remove", f"{number:06}").status_code for number in range(14)]
    assert found == [401] * 10 + [429] * 4
    assert device.prove("recovery-codes", device.next_code()).status_code == 429


def test_wrong_codes_count_as_wrong_passwords_do(device: Device) -> None:
    found = [device.log_in(f"{number:06}").status_code for number in range(7)]
    assert found == [401] * 5 + [429] * 2
    assert device.log_in(device.next_code()).status_code == 429


def test_there_is_one_at_a_time(device: Device) -> None:
    assert begin(device.person).status_code == 409
    answer = device.person.api.post(f"{FACTOR}/confirm", {"code": device.next_code()})
    assert answer.status_code == 409
    assert device.log_in(device.code()).status_code == 200


def test_resetting_the_password_does_not_remove_it(device: Device, mailed: Any) -> None:
    person = device.person
    person.client.post("/api/v1/auth/password/reset", {"email": person.email}).expect(202)
    body = {"token": mailed(person.email)[-1], "password": "quite another one"}
    person.client.post("/api/v1/auth/password/reset/confirm", body).expect(200)
    again = device.log_in(password="quite another one")
    assert again.json["type"] == "/api/problems/second-factor-required"
    assert device.log_in(device.next_code(), password="quite another one").status_code == 200


def test_an_administrator_removes_it_and_ends_the_sessions(device: Device, admin: Any) -> None:
    admin.delete(f"/api/v1/users/{device.person.id}/second-factor").expect(200)
    assert device.person.status() == 401
    assert device.log_in().status_code == 200


def test_the_secret_is_sealed_and_the_recovery_codes_are_hashes(device: Device) -> None:
    stored = repr(list(Account.select().dicts()) + list(RecoveryCode.select().dicts()))
    assert device.secret not in stored
    for code in device.recovery:
        assert code not in stored
        assert code.replace("-", "") not in stored


def test_the_problem_that_asks_for_a_code_explains_itself(client: Any) -> None:
    told = client.get("/api/problems/second-factor-required").expect(200)
    assert (told["status"], told["title"]) == (401, "A code is needed as well")
