"""Delivering once more: one, or a range; and what is pinned, and what is forgotten."""

import json
from typing import Any

from aiohttp import web
from click.testing import CliRunner

from bodega_sdk.testing.client import Client
from bodega_webhooks import commands, replaying
from bodega_webhooks.fan_out import fan_out
from bodega_webhooks.jobs import prune
from bodega_webhooks.models import Attempt, Delivery, Payload, Webhook

WEBHOOKS = "/api/v1/webhooks"


def publish(bench: Any, number: int, name: str = "product.created") -> None:
    for place in range(number):
        bench.publish(name, f"p-{place}")
    bench.feed()


def given_up(bench: Any, sink: Any) -> None:
    """Have everything that waits given up, as after three days."""
    Delivery.update(status="failed", error="answered 500").where(
        Delivery.status == "waiting"
    ).execute()


def test_one_is_delivered_once_more_with_its_id(
    bench: Any, webhook: Any, sink: Any, admin: Client
) -> None:
    webhook(sink.url, "product.*")
    publish(bench, 2)
    bench.send()
    row = bench.deliveries()[0]
    shown = admin.post(f"{WEBHOOKS}/deliveries/{row.id}/retry").expect(202)
    assert shown["status"] == "waiting"
    bench.send()
    assert len(sink.ids) == 3
    assert sink.ids[2] == row.message_id
    told = admin.get(f"{WEBHOOKS}/deliveries/{row.id}").expect(200)
    assert [item["number"] for item in told["log"]] == [1, 2]


def test_a_range_is_counted_and_then_delivered_with_the_old_ids(
    bench: Any, webhook: Any, new_sink: Any, admin: Client, monkeypatch: Any
) -> None:
    sink = new_sink()
    made = webhook(sink.url, "product.*")
    publish(bench, 7)
    publish(bench, 3, "product.deleted")
    given_up(bench, sink)
    monkeypatch.setattr(replaying, "CHUNK", 3)
    path = f"{WEBHOOKS}/{made['id']}/replay"
    wanted = {"event_types": ["product.created"], "dry_run": True}
    assert admin.post(path, wanted).expect(200)["count"] == 7
    bench.send()
    assert not sink.received
    answer = admin.post(path, wanted | {"dry_run": False})
    answer.expect(202)
    bench.feed()
    state = admin.get(answer.headers["Location"]).expect(200)
    assert (state["status"], state["count"], state["done"]) == ("succeeded", 7, 7)
    bench.send()
    old = {row.message_id for row in bench.deliveries() if row.event_type == "product.created"}
    assert set(sink.ids) == old
    assert len(sink.ids) == 7


def test_a_replay_goes_on_where_its_worker_died(
    bench: Any, webhook: Any, sink: Any, admin: Client, monkeypatch: Any, clock: Any
) -> None:
    made = webhook(sink.url, "product.*")
    publish(bench, 10)
    given_up(bench, sink)
    monkeypatch.setattr(replaying, "CHUNK", 4)
    admin.post(f"{WEBHOOKS}/{made['id']}/replay", {}).expect(202)
    real, calls = replaying.again, []

    def die(ids: Any) -> None:
        calls.append(list(ids))
        if len(calls) == 2:
            raise RuntimeError("power cut")
        real(ids)

    monkeypatch.setattr(replaying, "again", die)
    bench.jobs.run_all(failures=True)
    assert sum(row.status == "waiting" for row in bench.deliveries()) == 4
    clock.move(minutes=1)
    bench.jobs.run_all(failures=True)
    assert {row.status for row in bench.deliveries()} == {"waiting"}
    assert len(calls[2]) == 4, "the first four were not done twice"


def test_events_that_were_missed_can_be_told_later(
    bench: Any, webhook: Any, sink: Any, admin: Client
) -> None:
    made = webhook(sink.url, "product.*", filter={"key": {"ne": "p-1"}})
    path = f"{WEBHOOKS}/{made['id']}"
    admin.patch(path, {"is_enabled": False}).expect(200)
    publish(bench, 5)
    admin.patch(path, {"is_enabled": True}).expect(200)
    publish(bench, 1)
    bench.send()
    assert len(sink.received) == 1
    wanted = {"missed": True, "event_types": ["product.*"]}
    assert admin.post(f"{path}/replay", wanted | {"dry_run": True}).expect(200)["count"] == 4
    admin.post(f"{path}/replay", wanted).expect(202)
    bench.feed()
    bench.send()
    assert len(sink.ids) == len(set(sink.ids)) == 5
    assert admin.post(f"{path}/replay", wanted | {"dry_run": True}).expect(200)["count"] == 0


def test_reading_the_log_again_makes_no_second_delivery(
    bench: Any, webhook: Any, sink: Any
) -> None:
    from bodega_sdk import read_log

    webhook(sink.url, "product.*")
    publish(bench, 5)
    before = {row.message_id: row.id for row in bench.deliveries()}
    fan_out(read_log(0))
    assert {row.message_id: row.id for row in bench.deliveries()} == before


def test_an_event_of_a_newer_version_is_sent_as_the_pinned_one_or_not_at_all(
    bench: Any, webhook: Any, sink: Any, monkeypatch: Any
) -> None:
    from dataclasses import replace

    from bodega_sdk import now
    from bodega_sdk.events import Occurrence
    from bodega_webhooks import payloads

    webhook(sink.url, "product.created")
    event = Occurrence(900, "product.created", 2, "p-1", {"full_name": "Lamp"}, now())
    fan_out([event])
    (row,) = bench.deliveries()
    assert row.status == "failed"
    assert "pinned to version 1 of product.created" in row.error
    bench.send()
    assert not sink.received
    # An addon that knows the older version stands in for the hook's chain here.
    monkeypatch.setattr(payloads, "older_payload", lambda name, version, wanted, data: {
        "name": data["full_name"]
    })  # fmt: skip
    fan_out([replace(event, offset=901)])
    bench.send()
    body = json.loads(sink.received[0].body)
    assert (body["version"], body["data"]) == (1, {"name": "Lamp"})


def test_what_is_old_and_done_is_forgotten(
    bench: Any, webhook: Any, new_sink: Any, clock: Any
) -> None:
    sink = new_sink(answer=lambda item: web.Response(status=200 if b"p-0" in item.body else 500))
    webhook(sink.url, "product.*")
    publish(bench, 2)
    bench.send()
    assert Attempt.select().count() == 2
    clock.move(days=31)
    with bench.shop.transaction():
        prune.enqueue()
    bench.jobs.run_all()
    (left,) = bench.deliveries()
    assert left.status == "waiting"
    assert Attempt.select().where(Attempt.delivery == left.id).count() == 1
    assert Attempt.select().count() == 1
    assert Payload.select().where(Payload.id == left.payload).exists()
    assert Payload.select().count() <= 2


def test_the_command_line_lists_and_replays(bench: Any, webhook: Any, sink: Any) -> None:
    made = webhook(sink.url, "product.*")
    publish(bench, 3)
    given_up(bench, sink)
    run = CliRunner().invoke
    listed = run(commands.webhooks, ["list"])
    assert made["id"] in listed.output
    assert json.loads(run(commands.webhooks, ["list", "--json"]).output)[0]["url"] == sink.url
    counted = run(commands.webhooks, ["replay", made["id"], "--dry-run", "--since", "2020-01-01"])
    assert counted.output == "3 would be delivered once more.\n"
    assert "is queued" in run(commands.webhooks, ["replay", made["id"]]).output
    bench.feed()
    bench.send()
    assert len(sink.received) == 3
    Webhook.update(enabled=False).execute()
    refused = run(commands.webhooks, ["test", made["id"]])
    assert refused.exit_code == 1
    assert "disabled" in refused.output


def test_the_console_shows_webhooks_and_deliveries(
    bench: Any, webhook: Any, sink: Any, admin: Client
) -> None:
    webhook(sink.url, "product.*", description="Stock <b>")
    publish(bench, 1)
    bench.send()
    cookie = {"Cookie": f"bodega_console={admin.token}"}
    for path, told in (("webhooks", sink.url), ("webhooks/deliveries", "product.created")):
        page = admin.get(f"/console/{path}", headers=cookie)
        assert page.status_code == 200, page
        assert told in page.text
        assert "<b>" not in page.text
