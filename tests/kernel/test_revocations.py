"""Revoking: access tokens are refused before they expire, in every process, unread."""

import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine

from bodega.database.tables import RevocationRow
from bodega.http.app import build_app
from bodega.security import keys
from bodega.security.revocations import prune
from bodega.shop import Shop
from bodega_sdk import (
    Credential,
    Holder,
    issue_token,
    models,
    now,
    read_token,
    revoke_session,
    transaction,
)
from bodega_sdk.errors import Unauthenticated
from bodega_sdk.runtime import bound
from bodega_sdk.testing.queries import query_counter

SOON = timedelta(minutes=15)


def token(session: str = "s-1", version: int = 0) -> str:
    return issue_token("somebody", ("user",), "access", SOON, sid=session, ver=version)


def revoke(session: str = "s-1", version: int | None = None) -> None:
    with transaction():
        revoke_session(session, now() + SOON, version)


@pytest.fixture
def other(empty_shop: Shop) -> Any:
    """A second process's shop, as far as one process can have it: only the file is shared."""
    shop = Shop(empty_shop.settings, build_app, connections=2)
    shop.refresh()
    # Models have one database in a process; that of the test's own shop it shall be.
    models.database.initialize(empty_shop.databases.shop)
    yield shop
    shop.databases.close()


def test_a_revoked_sessions_tokens_are_refused_at_once_and_others_are_not(empty_shop: Shop) -> None:
    mine, another = token(), token("s-2")
    revoke()
    with pytest.raises(Unauthenticated, match="session of this token has ended"):
        read_token(mine, "access")
    assert read_token(another, "access")["sid"] == "s-2"


def test_another_process_refuses_them_at_once_too(empty_shop: Shop, other: Shop) -> None:
    mine = token()
    assert other.current.identify(mine).session == "s-1"
    revoke()
    with pytest.raises(Unauthenticated):
        other.current.identify(mine)


def test_only_tokens_of_older_versions_are_refused_where_a_version_is_named(
    empty_shop: Shop,
) -> None:
    old, new = token(version=1), token(version=2)
    revoke(version=2)
    assert read_token(new, "access")["ver"] == 2
    with pytest.raises(Unauthenticated):
        read_token(old, "access")


def test_revoking_the_whole_session_is_not_undone_by_a_version(empty_shop: Shop) -> None:
    revoke()
    revoke(version=2)
    with pytest.raises(Unauthenticated):
        read_token(token(version=9), "access")


def test_what_is_rolled_back_revokes_nothing(empty_shop: Shop) -> None:
    class Stop(Exception):
        pass

    with suppress(Stop), transaction():
        revoke_session("s-1", now() + SOON)
        raise Stop
    assert read_token(token(), "access")


def test_an_access_token_is_checked_without_reading_the_database(empty_shop: Shop) -> None:
    revoke("another")
    mine = token()
    read_token(mine, "access")
    with query_counter() as ran:
        for _ in range(20):
            empty_shop.current.identify(mine)
    assert not ran


def test_a_process_of_another_host_finds_it_in_the_table(empty_shop: Shop, other: Shop) -> None:
    mine = token()
    other.current.identify(mine)
    # Without the signal, as on a host that has a file of its own.
    RevocationRow.create(session="s-1", version=None, until=now() + SOON)
    assert other.current.identify(mine)
    other.revocations.look()
    with pytest.raises(Unauthenticated):
        other.current.identify(mine)


def test_what_has_expired_is_forgotten(empty_shop: Shop) -> None:
    with transaction():
        revoke_session("s-1", now() - timedelta(minutes=1))
        revoke_session("s-2", now() + SOON)
    assert prune() == 1
    assert [row.session for row in RevocationRow.select()] == ["s-2"]


@pytest.fixture
def card(empty_shop: Shop) -> dict[str, Any]:
    """A credential whose holder can be changed, and how often it was asked for."""
    known: dict[str, Any] = {"asked": 0, "expires_at": None}

    def find(sent: str) -> Holder | None:
        known["asked"] += 1
        if sent != "cardkey_1":
            return None
        scopes = frozenset({"accounts.read", "accounts.write"})
        return Holder("k-1", "7", ("staff",), scopes, expires_at=known["expires_at"])

    made = replace(empty_shop.assembly, credentials=(Credential("cardkey_", find),))
    empty_shop.adopt(made)
    with bound(empty_shop.current):
        yield known


def test_a_credential_holds_its_scopes_as_far_as_the_roles_hold_them(
    empty_shop: Shop, card: dict[str, Any]
) -> None:
    identity = empty_shop.current.identify("cardkey_1")
    assert (identity.subject, identity.key, identity.roles) == ("7", "k-1", ("staff",))
    assert identity.permissions == {"accounts.read"}
    assert not identity.may("authenticated")
    assert identity.may("public")


def test_an_unknown_or_expired_credential_is_refused(
    empty_shop: Shop, card: dict[str, Any]
) -> None:
    for sent in ("cardkey_2", "cardkey_"):
        with pytest.raises(Unauthenticated, match="unknown, has expired or was revoked"):
            empty_shop.current.identify(sent)
    card["expires_at"] = now() + timedelta(seconds=0.2)
    assert empty_shop.current.identify("cardkey_1")
    card["expires_at"] = now()
    time.sleep(0.25)
    with pytest.raises(Unauthenticated):
        empty_shop.current.identify("cardkey_1")


def test_a_credentials_holder_is_kept_until_something_is_revoked(
    empty_shop: Shop, card: dict[str, Any]
) -> None:
    for _ in range(5):
        empty_shop.current.identify("cardkey_1")
    assert card["asked"] == 1
    revoke("whatever")
    empty_shop.current.identify("cardkey_1")
    assert card["asked"] == 2


def test_a_token_is_verified_once_and_refused_all_the_same_when_it_ends(
    empty_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[Any] = []
    real = jwt.decode

    def decode(*args: Any, **options: Any) -> Any:
        verified.append(args)
        return real(*args, **options)

    monkeypatch.setattr(jwt, "decode", decode)
    brief = issue_token("somebody", ("user",), "access", timedelta(seconds=1), sid="s-2")
    mine = token()
    for _ in range(5):
        for sent in (mine, brief):
            empty_shop.current.identify(sent)
    assert len(verified) == 2
    with time_machine.travel(now() + timedelta(seconds=10), tick=False):
        with pytest.raises(Unauthenticated, match="has expired"):
            empty_shop.current.identify(brief)
        assert empty_shop.current.identify(mine)
    revoke()
    with pytest.raises(Unauthenticated):
        empty_shop.current.identify(mine)


def test_a_retired_key_is_forgotten_with_the_tokens_that_it_signed(empty_shop: Shop) -> None:
    secret, old = empty_shop.settings.key(), empty_shop.keys.current
    mine = token()
    assert empty_shop.current.identify(mine)
    with empty_shop.transaction():
        keys.rotate(secret, "RS256", at_once=True)
        empty_shop.revocations.tell()
    assert empty_shop.current.identify(mine)
    assert empty_shop.current.identify(token())
    with empty_shop.transaction():
        keys.retire(secret, old)
        empty_shop.revocations.tell()
    with pytest.raises(Unauthenticated):
        empty_shop.current.identify(mine)
