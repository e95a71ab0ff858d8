"""A session that ends takes its connections along; a channel knows whose thing it carries."""

import time
from datetime import timedelta
from typing import Any

import pytest

from bodega.shop import Shop
from bodega_imports.models import Import
from bodega_sdk import now, revoke_session, transaction, uuid7

SOON = timedelta(minutes=5)


def token(shop: Shop, session: str, version: int = 0, **claims: Any) -> str:
    named = {"sid": session, "ver": version} | claims
    roles = claims.pop("roles", ("vendor",))
    return shop.current.issue_token("ada", roles, "access", SOON, named)


def test_a_revoked_sessions_connection_is_closed_within_a_second_and_others_stay(
    shop: Shop, door: Any
) -> None:
    mine, another = door.enter(token(shop, "s-1")), door.enter(token(shop, "s-2"))
    with transaction():
        revoke_session("s-1", now() + SOON)
    began = time.monotonic()
    assert mine.closed() == 4401
    assert time.monotonic() - began < 1
    assert another.ask("ping")["type"] == "pong"


def test_a_renewed_sessions_connection_is_closed_and_its_next_token_is_taken(
    shop: Shop, door: Any
) -> None:
    old = door.enter(token(shop, "s-1", 1))
    with transaction():
        revoke_session("s-1", now() + SOON, 2)
    assert old.closed() == 4401
    refused = door.open(token(shop, "s-1", 1))
    assert refused.receive()["code"] == "unauthenticated"
    assert door.enter(token(shop, "s-1", 2)).ask("ping")["type"] == "pong"


@pytest.fixture
def run(shop: Shop) -> Import:
    """An import of an organization."""
    made: Import = Import.create(filename="a.csv", size=1, organization=uuid7())
    return made


def test_a_vendor_follows_the_imports_of_their_own_organization_only(
    shop: Shop, door: Any, run: Import
) -> None:
    channel = f"imports.{run.id}"
    mine = door.enter(token(shop, "s-1", org=str(run.organization)))
    assert mine.ask("subscribe", channel=channel)["type"] == "subscribed"
    for other in (str(uuid7()), ""):
        stranger = door.enter(token(shop, "s-2", org=other))
        answer = stranger.ask("subscribe", channel=channel)
        assert (answer["type"], answer["code"]) == ("error", "permission-denied")
        for unknown in (f"imports.{uuid7()}", "imports.x"):
            assert stranger.ask("subscribe", channel=unknown) == answer | {"channel": unknown}


def test_the_shops_own_imports_are_no_vendors(shop: Shop, door: Any) -> None:
    run = Import.create(filename="a.csv", size=1)
    vendor = door.enter(token(shop, "s-1"))
    assert vendor.ask("subscribe", channel=f"imports.{run.id}")["code"] == "permission-denied"


def test_who_belongs_to_another_organization_now_loses_the_channel(
    shop: Shop, door: Any, run: Import
) -> None:
    socket = door.enter(token(shop, "s-1", org=str(run.organization)))
    assert socket.ask("subscribe", channel=f"imports.{run.id}")["type"] == "subscribed"
    assert socket.ask("authenticate", token=token(shop, "s-1", org=str(uuid7())))["type"] == (
        "authenticated"
    )
    ended = socket.receive()
    assert (ended["type"], ended["channel"]) == ("unsubscribed", f"imports.{run.id}")


def test_a_channel_whose_check_fails_lets_nobody_in(
    shop: Shop, door: Any, run: Import, monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    channel = shop.assembly.channels[0]

    def broken(identity: Any, key: str) -> bool:
        raise ZeroDivisionError

    # What an addon declares is every shop's of this process.
    before = channel.may
    request.addfinalizer(lambda: object.__setattr__(channel, "may", before))
    object.__setattr__(channel, "may", broken)
    monkeypatch.setattr(door, "token", token(shop, "s-1", org=str(run.organization)))
    answer = door.enter().ask("subscribe", channel=f"imports.{run.id}")
    assert (answer["type"], answer["code"]) == ("error", "unavailable")
