"""Webhooks through the API: who may, what is refused, and what is shown."""

from typing import Any

import pytest

from bodega_sdk.testing.client import Client
from bodega_webhooks.models import Attempt, Delivery, Secret, Webhook

WEBHOOKS = "/api/v1/webhooks"
URL = "https://receiver.example/hook"


def test_a_webhook_is_made_read_changed_and_deleted(admin: Client, bench: Any) -> None:
    body = {
        "url": URL, "event_types": ["product.*"], "description": "Stock", "ordered": True,
        "filter": {"data.price": {"gte": 10}}, "concurrency": 5, "rate": 10, "timeout": 5,
        "contact_email": "Ada@Shop.example",
    }  # fmt: skip
    made = admin.post(WEBHOOKS, body).expect(201)
    path = f"{WEBHOOKS}/{made['id']}"
    shown = admin.get(path).expect(200)
    assert {name: shown[name] for name in body} == body | {"contact_email": "ada@shop.example"}
    assert shown["payload_versions"] == {
        name: 1 for name in shown["payload_versions"] if name.startswith("product.")
    }
    assert shown["is_enabled"] is True
    changed = admin.patch(path, {"event_types": ["*"], "rate": None}).expect(200)
    assert (changed["event_types"], changed["rate"], changed["ordered"]) == (["*"], None, True)
    assert admin.get(WEBHOOKS).expect(200)["count"] == 1
    assert admin.get(f"{WEBHOOKS}?search=receiver").expect(200)["count"] == 1
    assert admin.get(f"{WEBHOOKS}?is_enabled=false").expect(200)["count"] == 0
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404
    assert not Secret.select().exists()


def test_deleting_one_deletes_what_is_known_of_it(
    admin: Client, bench: Any, webhook: Any, sink: Any
) -> None:
    made = webhook(sink.url, "product.*")
    bench.publish("product.created")
    bench.feed()
    bench.send()
    assert Attempt.select().exists()
    admin.delete(f"{WEBHOOKS}/{made['id']}")
    assert not Webhook.select().exists()
    assert not Delivery.select().exists()
    assert not Attempt.select().exists()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("event_types", []), ("event_types", ["nothing.happened"]), ("event_types", ["*.paid"]),
        ("event_types", "product.*"), ("filter", {"data.x": {"above": 3}}), ("filter", []),
        ("headers", {"Content-Type": "text/plain"}), ("headers", {"Host": "other.example"}),
        ("headers", {"webhook-id": "msg_1"}), ("headers", {"X": "a\r\nX-Evil: 1"}),
        ("headers", {"X Y": "1"}), ("headers", {"X": "é"}), ("headers", {"x": "1", "X": "2"}),
        ("headers", {f"X-{n}": "1" for n in range(21)}), ("format", "xml"), ("signing", "v2"),
        ("payload_versions", {"product.created": 0}), ("payload_versions", {"a": "1"}),
        ("concurrency", 0), ("concurrency", 201), ("rate", 0), ("timeout", 31), ("timeout", "5"),
        ("ordered", "yes"), ("contact_email", "nobody"), ("created_by", "me"), ("id", "1"),
        ("keys", []), ("disabled_reason", "x"), ("url", "https://receiver.example/\0"),
    ],
)  # fmt: skip
def test_what_is_not_acceptable_is_refused_by_name(
    admin: Client, bench: Any, member: str, value: Any
) -> None:
    answer = admin.post(WEBHOOKS, {"url": URL, "event_types": ["*"], member: value})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"].partition(".")[0] == member


def test_a_secret_is_replaced_by_rotating_only(admin: Client, bench: Any) -> None:
    made = admin.post(WEBHOOKS, {"url": URL, "event_types": ["*"]}).expect(201)
    path = f"{WEBHOOKS}/{made['id']}"
    assert admin.patch(path, {"secret": made["secret"]}).status_code == 422
    changed = admin.patch(path, {"signing": "v1a"}).expect(200)
    assert "secret" not in changed
    assert {key["scheme"] for key in changed["keys"]} == {"v1", "v1a"}
    assert admin.post(f"{path}/secret/rotate", {"secret": made["secret"]}).status_code == 422
    assert admin.post(f"{path}/secret/rotate", {"overlap_hours": 169}).status_code == 422


def test_staff_see_webhooks_and_administrators_change_them(client: Client, bench: Any) -> None:
    body = {"url": URL, "event_types": ["*"]}
    made = client.as_admin().post(WEBHOOKS, body).expect(201)
    path = f"{WEBHOOKS}/{made['id']}"
    staff = client.as_user("staff")
    assert staff.get(path).status_code == 200
    for who in (staff, client.as_user("vendor"), client.as_user("user"), client):
        refused = 401 if who is client else 403
        assert who.post(WEBHOOKS, body).status_code == refused
        assert who.patch(path, {"rate": 1}).status_code == refused
        for action in ("test", "replay", "secret/rotate"):
            assert who.post(f"{path}/{action}", {}).status_code == refused
        if who is not staff:
            assert who.get(path).status_code == refused
            assert who.get(f"{WEBHOOKS}/deliveries").status_code == refused


def test_what_is_disabled_is_neither_tested_nor_replayed(admin: Client, bench: Any) -> None:
    body = {"url": URL, "event_types": ["*"], "is_enabled": False}
    made = admin.post(WEBHOOKS, body).expect(201)
    for action in ("test", "replay"):
        answer = admin.post(f"{WEBHOOKS}/{made['id']}/{action}", {} if action == "replay" else None)
        assert answer.status_code == 409


def test_deliveries_are_found_by_status_type_key_time_and_id(
    admin: Client, bench: Any, webhook: Any, sink: Any, clock: Any
) -> None:
    made = webhook(sink.url, "product.*")
    bench.publish("product.created", "p-1")
    bench.feed()
    bench.send()
    clock.move(minutes=5)
    bench.publish("product.deleted", "p-2")
    bench.feed()
    for path in (f"{WEBHOOKS}/deliveries", f"{WEBHOOKS}/{made['id']}/deliveries"):
        rows = admin.get(path).expect(200)["results"]
        first = next(row for row in rows if row["event_key"] == "p-1")
        for query, number in (
            ("", 2), ("status=delivered", 1), ("status=waiting", 1), ("status=failed", 0),
            ("event_type=product.deleted", 1), ("event_type=product.*", 2), ("event_key=p-1", 1),
            (f"search={first['message_id']}", 1), ("search=p-2", 1), ("search=p-3", 0),
            (f"since={first['created_at']}", 2), ("until=2001-01-01", 0), ("page_size=1", 2),
        ):  # fmt: skip
            assert admin.get(f"{path}?{query}").expect(200)["count"] == number, query
        for query in ("status=x", "event_type=*.x", "since=soon", "nothing=1"):
            assert admin.get(f"{path}?{query}").status_code == 400, query


def test_what_is_unknown_is_not_found(admin: Client, bench: Any) -> None:
    key = "0190f4a2-7c1e-7000-8000-000000000001"
    for path in (key, f"deliveries/{key}", f"replays/{key}", f"{key}/deliveries"):
        assert admin.get(f"{WEBHOOKS}/{path}").status_code == 404, path
    for path in (f"{key}/test", f"deliveries/{key}/retry"):
        assert admin.post(f"{WEBHOOKS}/{path}").status_code == 404, path


def test_what_is_done_stands_in_the_audit_log(admin: Client, bench: Any) -> None:
    made = admin.post(WEBHOOKS, {"url": URL, "event_types": ["*"]}).expect(201)
    path = f"{WEBHOOKS}/{made['id']}"
    admin.post(f"{path}/secret/rotate", {}).expect(200)
    admin.patch(path, {"is_enabled": False}).expect(200)
    admin.delete(path)
    rows = bench.shop.databases.shop.execute_sql(
        "SELECT action, details FROM bodega_audit WHERE target = "
        f"'webhook:{made['id']}' ORDER BY seq"
    ).fetchall()
    assert [row[0] for row in rows] == [
        "webhook.created", "webhook.secret_rotated", "webhook.disabled", "webhook.changed",
        "webhook.deleted",
    ]  # fmt: skip
    assert made["secret"] not in str(rows)
