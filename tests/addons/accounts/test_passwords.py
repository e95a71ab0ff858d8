"""Passwords: which ones are taken, and how they are kept."""

from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters

from bodega_accounts.models import Account
from bodega_accounts.passwords import check, hash_password, is_outdated, matches
from bodega_sdk.errors import InvalidInput

USERS, LOGIN = "/api/v1/users", "/api/v1/auth/login"


@pytest.mark.parametrize(
    "good",
    ["8 chars!", "xyz" * 42 + "12", "🙈🙉🙊" * 3, "pass\twörd ñ", "   x y   ", "correct horse"],
)
def test_eight_to_128_characters_of_any_kind_will_do(good: str) -> None:
    assert check(good) == good
    assert matches(hash_password(good), good)


@pytest.mark.parametrize("bad", ["", "7 chars", "🙈🙉🙊🙈🙉🙊🙈", "xyz" * 43])
def test_a_shorter_or_longer_one_will_not(bad: str) -> None:
    with pytest.raises(InvalidInput, match="8 to 128"):
        check(bad)


@pytest.mark.parametrize(
    "bad", ["password", "Password1", "12345678", "qwertyuiop", "ILOVEYOU", "trustno1", "princess"]
)
def test_those_that_are_tried_first_will_not_however_they_are_written(bad: str) -> None:
    with pytest.raises(InvalidInput, match="most common"):
        check(bad)


@pytest.mark.parametrize(
    "bad", ["ADA.lovelace@shop.example", "ada.lovelace", "lady_ada", "aaaaaaab"]
)
def test_ones_own_names_and_mere_repetitions_will_not(bad: str) -> None:
    with pytest.raises(InvalidInput, match="too easy"):
        check(bad, "ada.lovelace@shop.example", "lady_ada")


def test_every_way_to_set_a_password_has_the_same_rules(
    vera: Any, admin: Any, mailed: Any, client: Any
) -> None:
    client.post("/api/v1/auth/password/reset", {"email": vera.email}).expect(202)
    token, path = mailed(vera.email)[-1], f"{USERS}/{vera.id}"
    for bad in ("short", "password1", "x" * 129, vera.email):
        own = {"current_password": vera.password, "password": bad}
        for answer in (
            vera.api.post("/api/v1/auth/password", own),
            client.post("/api/v1/auth/password/reset/confirm", {"token": token, "password": bad}),
            client.post("/api/v1/auth/register", {"email": vera.email, "password": bad}),
            admin.post(USERS, {"email": vera.email, "password": bad}),
            admin.patch(path, {"password": bad}),
            admin.put(path, {"email": vera.email, "password": bad}),
        ):
            assert answer.status_code == 422, (bad, answer)
            assert [item["field"] for item in answer.json["errors"]] == ["password"]
            assert bad not in answer.text or bad == vera.email
    vera.log_in()


def test_a_password_is_kept_by_argon2id_with_the_parameters_that_owasp_names(vera: Any) -> None:
    kept = extract_parameters(Account.get_by_id(vera.id).password)
    assert kept.type.name == "ID"
    assert (kept.memory_cost, kept.time_cost, kept.parallelism) == (19 * 1024, 2, 1)
    assert hash_password("a long password") != hash_password("a long password")


def test_logging_in_renews_a_hash_of_other_parameters(vera: Any) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(vera.password)
    Account.update(password=weak).where(Account.id == vera.id).execute()
    wrong = {"email": vera.email, "password": "not the password"}
    vera.client.post(LOGIN, wrong).expect(401)
    assert Account.get_by_id(vera.id).password == weak
    vera.log_in()
    renewed = Account.get_by_id(vera.id).password
    assert is_outdated(weak)
    assert not is_outdated(renewed)
    assert matches(renewed, vera.password)
    vera.log_in()
    assert Account.get_by_id(vera.id).password == renewed


@pytest.mark.parametrize("stored", ["", "x", "$argon2id$", "md5$x", None])
def test_what_is_no_hash_matches_nothing(stored: str | None) -> None:
    assert not matches(stored, "a long password")
    assert not matches(stored, "nobody has this password")
