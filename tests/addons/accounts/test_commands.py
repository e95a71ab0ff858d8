"""``bodega users …``, as an operator types it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bodega.settings import Settings
from bodega_accounts.models import Account

PASSWORD = "a long password"
Users = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def users(settings: Settings) -> Users:
    """Run ``bodega users …`` in a process of its own, on the shop of the test."""
    told = {
        "BODEGA_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "BODEGA_SECRET_KEY": settings.secret_key,
        "BODEGA_LOG_LEVEL": "warning",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }

    def run(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "bodega", "users", *arguments]
        return subprocess.run(
            command, env=os.environ | told, input=given, capture_output=True, text=True, timeout=60
        )

    return run


def done(ran: "subprocess.CompletedProcess[str]") -> str:
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def refused(ran: "subprocess.CompletedProcess[str]") -> str:
    assert (ran.returncode, ran.stdout) == (1, ""), ran
    assert "Traceback" not in ran.stderr
    return ran.stderr


def test_an_account_is_made_and_can_log_in(users: Users, client: Any, audited: Any) -> None:
    options = ("--email", "Ada@Shop.example", "--username", "Ada", "--role", "vendor")
    told = done(users("create", *options, "--password-stdin", given=f"{PASSWORD}\n"))
    assert "Made vendor ada@shop.example" in told
    assert PASSWORD not in told
    me = client.post("/api/v1/auth/login", {"username": "ada", "password": PASSWORD}).expect(200)
    assert (me["user"]["role"], me["user"]["email_verified"]) == ("vendor", True)
    assert audited()[-2:] == ["account.created", "account.logged_in"]


@pytest.mark.slow
def test_what_will_not_do_is_one_sentence_and_makes_nothing(users: Users, vera: Any) -> None:
    for options, given, told in (
        (("--email", vera.email), PASSWORD, "has this address"),
        (("--email", "no address"), PASSWORD, "email"),
        (("--email", "a@shop.example"), "short", "8 to 128"),
        (("--email", "a@shop.example"), "password", "most common"),
        (("--email", "a@shop.example", "--username", "a"), PASSWORD, "username"),
    ):
        sentence = refused(users("create", *options, "--password-stdin", given=f"{given}\n"))
        assert told in sentence
    assert users("create", "--email", "a@shop.example", "--role", "root").returncode == 2
    assert Account.select().count() == 2


def test_accounts_are_listed_with_their_state(users: Users, vera: Any, admin: Any) -> None:
    admin.patch(f"/api/v1/users/{vera.id}", {"is_active": False}).expect(200)
    lines = done(users("list")).splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["admin@example.com", "admin"], ["vera@example.com", "user"],
    ]  # fmt: skip
    assert "(deactivated)" in lines[1]
    (only,) = json.loads(done(users("list", "--role", "user", "--json")))
    assert (only["id"], only["is_active"]) == (vera.id, False)
    assert not {"password", "totp_secret"} & only.keys()


def test_a_promoted_account_has_its_role_at_once(users: Users, vera: Any, audited: Any) -> None:
    assert vera.status() == 200
    assert "vera@example.com is staff now" in done(users("promote", vera.email, "--role", "staff"))
    assert vera.status() == 401
    assert vera.refreshed().api.get("/api/v1/users").status_code == 200
    assert audited()[-1] == "account.changed"
    assert "there is no account" in refused(users("promote", "nobody@example.com"))


def test_a_password_is_reset_by_a_token_or_set(users: Users, vera: Any, audited: Any) -> None:
    told = done(users("reset-password", vera.email))
    assert vera.status() == 200
    token = re.search(r"token:\n\n(\S+)", told)
    assert token, told
    body = {"token": token[1], "password": "the first new one"}
    vera.client.post("/api/v1/auth/password/reset/confirm", body).expect(200)
    vera.password = "the first new one"
    vera = vera.log_in()
    options = ("reset-password", vera.email, "--password-stdin")
    assert "8 to 128" in refused(users(*options, given="short\n"))
    assert vera.status() == 200
    told = done(users(*options, given="the second new one\n"))
    assert "every login was ended" in told
    assert "second new" not in told
    assert vera.status() == 401
    vera.client.log_in(vera.email, "the second new one")
    assert {"password.reset_asked", "account.password_reset"} <= {*audited()}


@pytest.mark.slow
def test_every_command_tells_how_it_is_used(users: Users) -> None:
    for command in ("create", "list", "promote", "reset-password"):
        assert f"bodega users {command}" in done(users(command, "--help"))
