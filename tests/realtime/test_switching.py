"""Addons that are disabled and enabled while clients listen."""

from typing import Any

from bodega.addons import lifecycle
from bodega.shop import Shop


def test_disabling_an_addon_ends_its_subscriptions_until_it_is_enabled_again(
    shop: Shop, door: Any, publisher: Any
) -> None:
    socket, other = door.subscribe(), door.subscribe()
    change = lifecycle.disable(shop, "imports")
    assert not lifecycle.wait_for(shop, change.generation, 5)
    for client in (socket, other):
        assert client.receive() == {
            "type": "unsubscribed",
            "channel": publisher.channel,
            "reason": "the addon was disabled",
        }
    assert socket.ask("subscribe", channel=publisher.channel)["code"] == "unknown-channel"
    change = lifecycle.enable(shop, "imports")
    assert not lifecycle.wait_for(shop, change.generation, 5)
    assert socket.ask("subscribe", channel=publisher.channel)["type"] == "subscribed"
    publisher.publish()
    assert socket.numbers(1) == [0]


def test_an_assembly_that_keeps_the_channel_leaves_subscriptions_alone(
    shop: Shop, door: Any, publisher: Any
) -> None:
    socket = door.subscribe()
    change = lifecycle.enable(shop, "imports")  # It is: nothing but the generation changes.
    assert not lifecycle.wait_for(shop, change.generation, 5)
    publisher.publish()
    assert socket.numbers(1) == [0]


def test_the_server_is_in_the_register_for_as_long_as_it_runs(shop: Shop, server: Any) -> None:
    assert [process.kind for process in shop.register.living()] == ["realtime"]
