"""From an event to a receiver: signed, logged, and once."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from bodega_sdk.testing.client import Client

WEBHOOKS = "/api/v1/webhooks"
LAMP = {"name": "Lamp", "sku": "L-1", "price": "9.99"}


def test_an_event_arrives_with_its_data(bench: Any, webhook: Any, sink: Any, admin: Client) -> None:
    webhook(sink.url, "product.*")
    made = admin.post("/api/v1/products", LAMP).expect(201)
    bench.feed()
    bench.send()
    (found,) = sink.received
    body = json.loads(found.body)
    assert (body["type"], body["key"], body["data"]["id"]) == (
        "product.created", made["id"], made["id"]
    )  # fmt: skip
    assert body["timestamp"].endswith("Z")
    assert body["version"] == 1
    assert found.headers["content-type"] == "application/json"


def test_the_compatible_format_has_three_members(
    bench: Any, webhook: Any, sink: Any, admin: Client
) -> None:
    webhook(sink.url, "product.*", format="compatible")
    admin.post("/api/v1/products", LAMP).expect(201)
    bench.feed()
    bench.send()
    body = json.loads(sink.received[0].body)
    assert sorted(body) == ["data", "event_type", "timestamp"]
    assert body["event_type"] == "product.created"


def test_a_body_is_stored_once_for_all_who_get_it(
    bench: Any, webhook: Any, sink: Any, admin: Client
) -> None:
    from bodega_webhooks.models import Payload

    for _ in range(3):
        webhook(sink.url, "product.created")
    webhook(sink.url, "product.created", format="compatible")
    Payload.delete().execute()
    admin.post("/api/v1/products", LAMP).expect(201)
    bench.feed()
    bench.send()
    assert len(sink.received) == 4
    assert Payload.select().where(Payload.id.contains(".1.")).count() == 2
    assert len(set(sink.ids)) == 4


def test_only_what_was_subscribed_to_is_sent(
    bench: Any, webhook: Any, sink: Any, admin: Client
) -> None:
    webhook(sink.url, "product.deleted")
    made = admin.post("/api/v1/products", LAMP).expect(201)
    bench.feed()
    bench.send()
    assert not sink.received
    assert admin.delete(f"/api/v1/products/{made['id']}").status_code == 204
    bench.feed()
    bench.send()
    assert [json.loads(item.body)["type"] for item in sink.received] == ["product.deleted"]


def test_what_is_rolled_back_is_never_sent(bench: Any, webhook: Any, sink: Any) -> None:
    from bodega_sdk import transaction

    webhook(sink.url, "product.*")

    def fail() -> None:
        with transaction():
            bench.publish("product.created", "p-1", id="p-1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    bench.publish("product.created", "p-2", id="p-2")
    bench.feed()
    bench.send()
    assert [json.loads(item.body)["key"] for item in sink.received] == ["p-2"]


def test_nothing_is_sent_twice(bench: Any, webhook: Any, sink: Any) -> None:
    webhook(sink.url, "product.*")
    for number in range(300):
        bench.publish("product.created", f"p-{number}")
    bench.feed()
    assert len(bench.deliveries()) == 300
    bench.send()
    bench.send()
    assert {row.error for row in bench.deliveries()} == {""}
    assert len(sink.ids) == len(set(sink.ids)) == 300
    assert {row.status for row in bench.deliveries()} == {"delivered"}


def test_a_delivery_tells_what_was_sent_and_what_came_back(
    bench: Any, webhook: Any, new_sink: Callable[..., Any], admin: Client
) -> None:
    sink = new_sink(answer=lambda item: web.Response(
        text=f"got {item.headers['x-token']}", status=201,
        headers={"X-Answer": "yes", "Set-Cookie": "session=1"},
    ))  # fmt: skip
    made = webhook(sink.url, "product.*", headers={"X-Token": "hush-hush", "X-Plain": "plain"})
    bench.publish("product.created", "p-1", id="p-1")
    bench.feed()
    bench.send()
    (listed,) = admin.get(f"{WEBHOOKS}/{made['id']}/deliveries").expect(200)["results"]
    assert (listed["status"], listed["response_status"], listed["attempts"]) == (
        "delivered",
        201,
        1,
    )
    shown = admin.get(f"{WEBHOOKS}/deliveries/{listed['id']}").expect(200)
    (attempt,) = shown["log"]
    assert shown["payload"]["data"] == {"id": "p-1"}
    assert attempt["request"]["url"] == sink.url
    assert attempt["request"]["headers"]["webhook-id"] == shown["message_id"] == sink.ids[0]
    sent = sink.received[0].headers
    assert attempt["request"]["headers"]["webhook-signature"] == sent["webhook-signature"]
    assert (sent["x-token"], sent["x-plain"]) == ("hush-hush", "plain")
    assert attempt["request"]["headers"]["X-Token"] == "…"
    assert attempt["request"]["headers"]["X-Plain"] == "plain"
    assert attempt["response"]["body"] == "got …"
    assert attempt["response"]["headers"]["X-Answer"] == "yes"
    assert attempt["response"]["headers"]["Set-Cookie"] == "…"
    assert "hush-hush" not in str(shown)


def test_a_long_answer_is_kept_in_part_and_not_waited_for(
    bench: Any, webhook: Any, new_sink: Callable[..., Any], admin: Client
) -> None:
    sink = new_sink(answer=lambda item: web.Response(body=b"x\0\xff" * 100_000))
    webhook(sink.url, "product.*")
    bench.publish("product.created")
    bench.feed()
    bench.send()
    (row,) = bench.deliveries()
    assert row.status == "delivered"
    shown = admin.get(f"{WEBHOOKS}/deliveries/{row.id}").expect(200)
    assert len(shown["log"][0]["response"]["body"]) == 20_000


def test_a_test_event_is_sent_and_logged(
    bench: Any, webhook: Any, sink: Any, admin: Client
) -> None:
    made = webhook(sink.url, "product.created")
    answer = admin.post(f"{WEBHOOKS}/{made['id']}/test")
    told = answer.expect(202)
    bench.send()
    assert json.loads(sink.received[0].body)["type"] == "webhook.test"
    shown = admin.get(answer.headers["Location"]).expect(200)
    assert (shown["id"], shown["status"]) == (told["id"], "delivered")


def test_events_are_counted(bench: Any, webhook: Any, sink: Any, admin: Client) -> None:
    webhook(sink.url, "product.*")
    webhook("http://127.0.0.1:9/", "product.*", is_enabled=False)
    bench.publish("product.created")
    bench.feed()
    assert admin.get(f"{WEBHOOKS}/stats").expect(200)["waiting_events"] == 1
    bench.send()
    assert admin.get(f"{WEBHOOKS}/stats").expect(200) == {
        "configured_webhooks": 2, "enabled_webhooks": 1, "total_events_sent": 1,
        "failed_events": 0, "waiting_events": 0,
    }  # fmt: skip
