"""Who may connect, for how long, and what they may listen to."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bodega_realtime import connection

# Nothing here depends on the engine.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"])


def test_a_token_may_come_in_the_header_a_subprotocol_or_the_first_message(door: Any) -> None:
    by_header = door.open(door.token).receive()
    in_protocol = door.open(subprotocols=["bodega.v1", f"bearer.{door.token}"])
    assert in_protocol.connection.subprotocol == "bodega.v1"
    by_message = door.open().ask("authenticate", token=door.token, id=1)
    assert by_message == {**by_header, "id": 1}
    assert in_protocol.receive() == by_header
    assert by_header["type"] == "authenticated"
    assert by_header["subject"] == "ada"
    assert by_header["expires_at"].endswith("Z")


def test_a_token_in_the_address_is_not_read(door: Any) -> None:
    socket = door.open(path=f"/ws?token={door.token}&access_token={door.token}")
    assert socket.ask("subscribe", channel="imports.x")["code"] == "unauthenticated"


def test_who_has_not_said_who_they_are_gets_nothing_but_a_pong(door: Any) -> None:
    socket = door.open()
    assert socket.ask("ping")["type"] == "pong"
    answer = socket.ask("subscribe", channel="imports.x", id=[1])
    assert (answer["type"], answer["code"]) == ("error", "unauthenticated")
    assert (answer["channel"], answer["id"]) == ("imports.x", [1])


def test_a_token_that_is_no_good_is_told_and_another_may_follow(door: Any) -> None:
    socket = door.open()
    for token in ("", "nonsense", "a.b.c", "é" * 10):
        assert socket.ask("authenticate", token=token)["code"] == "unauthenticated"
    assert socket.ask("authenticate", token=door.token)["type"] == "authenticated"


def test_a_bad_token_in_the_handshake_ends_the_connection_with_4401(door: Any, issue: Any) -> None:
    for token in ("nonsense", issue(lifetime=timedelta(minutes=-1)), issue(use="refresh")):
        socket = door.open(token)
        assert socket.receive()["code"] == "unauthenticated"
        assert socket.closed() == 4401


def test_silence_about_who_one_is_ends_the_connection_with_4401(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PATIENCE", timedelta(seconds=0.3))
    silent, known = door.open(), door.enter()
    assert silent.closed() == 4401
    assert known.ask("ping")["type"] == "pong"


def test_an_expired_token_ends_the_connection_with_4401_unless_a_fresh_one_comes_before(
    door: Any, issue: Any, publisher: Any
) -> None:
    token = issue(lifetime=timedelta(seconds=2))
    expiring, renewed = door.enter(token), door.enter(token)
    for socket in (expiring, renewed):
        assert socket.ask("subscribe", channel=publisher.channel)["type"] == "subscribed"
    assert renewed.ask("authenticate", token=door.token)["type"] == "authenticated"
    began = time.time()
    assert expiring.closed() == 4401
    assert time.time() - began > 0.7  # exp counts whole seconds.
    assert renewed.is_silent()
    publisher.publish()
    assert renewed.numbers(1) == [0]


def test_a_token_of_another_account_is_refused_and_the_old_one_stays(door: Any, issue: Any) -> None:
    socket = door.enter()
    answer = socket.ask("authenticate", token=issue(subject="bob"))
    assert answer["code"] == "other-subject"
    assert socket.ask("subscribe", channel="imports.x")["type"] == "subscribed"


def test_a_channel_takes_its_permission(door: Any, issue: Any) -> None:
    socket = door.enter(issue("user"))
    answer = socket.ask("subscribe", channel="imports.x")
    assert (answer["type"], answer["code"]) == ("error", "permission-denied")
    assert "imports.read" in answer["message"]


def test_subscriptions_end_when_a_fresh_token_lacks_their_permission(
    door: Any, issue: Any, publisher: Any
) -> None:
    socket = door.subscribe()
    socket.send("authenticate", token=issue("user"))
    assert socket.receive()["type"] == "authenticated"
    assert socket.receive() == {
        "type": "unsubscribed",
        "channel": publisher.channel,
        "reason": "the permission was withdrawn",
    }
    publisher.publish()
    assert socket.is_silent()


def test_there_are_only_the_channels_that_addons_declare(door: Any) -> None:
    socket = door.enter()
    for channel in ("imports.", "imports", "import.x", "x", "{id}"):
        answer = socket.ask("subscribe", channel=channel)
        assert (answer["code"], answer["channel"]) == ("unknown-channel", channel)


def test_nothing_is_left_of_clients_that_are_gone(
    door: Any, server: Any, eventually: Callable[..., None]
) -> None:
    sockets = [door.subscribe() for _ in range(3)]
    assert server.clients == 3
    sockets[0].drop()
    sockets[1].connection.close()
    eventually(lambda: server.clients == 1)
