"""What happens to what does not arrive: the whole schedule, in seconds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bodega_sdk import now
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.mailbox import Mailbox
from bodega_webhooks.models import Delivery, Endpoint, Webhook
from bodega_webhooks.retrying import SCHEDULE, read_retry_after, wait_before

WEBHOOKS = "/api/v1/webhooks"


def refusing(status: int, **headers: str) -> Any:
    """Return what answers with a status; underscores in headers are dashes."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda item: web.Response(status=status, headers=told)


def only() -> Delivery:
    (row,) = Delivery.select()
    return row


def begin(bench: Any) -> None:
    bench.publish("product.created", "p-1")
    bench.feed()
    bench.send()


def rested(row: Delivery) -> timedelta:
    """Return until when nothing can happen: the delivery's time, or its endpoint's."""
    endpoint = Endpoint.get(Endpoint.webhook == row.webhook_id)
    return max(row.due_at, endpoint.paused_until) - now()


def test_the_whole_schedule_is_gone_through(
    bench: Any, webhook: Any, new_sink: Any, clock: Any
) -> None:
    sink = new_sink(answer=refusing(500))
    webhook(sink.url, "product.*")
    began = now()
    begin(bench)
    for number, seconds in enumerate(SCHEDULE[1:], 1):
        row = only()
        assert (row.attempts, row.status) == (number, "waiting")
        wait = (row.due_at - row.updated_at).total_seconds()
        assert 0.8 * seconds <= wait <= 1.2 * seconds, number
        bench.send()
        assert len(sink.received) == number, "it was sent before its time"
        clock.move(rested(row) + timedelta(milliseconds=50))
        bench.send()
    row = only()
    assert (row.attempts, row.status, row.error) == (10, "failed", "answered 500")
    assert len(set(sink.ids)) == 1
    assert timedelta(hours=55) < now() - began < timedelta(hours=95)
    clock.move(days=2)
    bench.send()
    assert len(sink.received) == 10


def test_one_that_arrives_at_last_is_done(
    bench: Any, webhook: Any, new_sink: Any, clock: Any
) -> None:
    answers = iter((500, 404, 302, 204))
    sink = new_sink(answer=lambda item: web.Response(status=next(answers)))
    webhook(sink.url, "product.*")
    begin(bench)
    for _ in range(3):
        clock.move(rested(only()) + timedelta(milliseconds=50))
        bench.send()
    row = only()
    assert (row.status, row.attempts, row.error) == ("delivered", 4, "")
    endpoint = Endpoint.get()
    assert (endpoint.failures, endpoint.failing_since) == (0, None)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(
    bench: Any, webhook: Any, new_sink: Any, clock: Any, status: int
) -> None:
    sink = new_sink(answer=refusing(status, Retry_After="7"))
    webhook(sink.url, "product.*")
    begin(bench)
    row = only()
    assert 6 <= (row.due_at - row.updated_at).total_seconds() <= 8
    # Others wait too: the receiver asked for a rest.
    bench.publish("product.created", "p-2")
    bench.feed()
    bench.send()
    assert len(sink.received) == 1
    clock.move(seconds=7.2)
    sink.answer = refusing(200)
    bench.send()
    assert len(sink.received) == 3


def test_retry_after_is_read_in_both_forms() -> None:
    at = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
    assert read_retry_after("120", at) == 120
    assert read_retry_after("Sat, 21 Nov 2026 12:01:00 GMT", at) == 60
    assert read_retry_after("Sat, 21 Nov 2026 11:01:00 GMT", at) == 0
    assert read_retry_after("99999999999999", at) == 86_400
    for bad in ("", "soon", "-3", "1e3", None, "٣"):
        assert read_retry_after(bad, at) is None


def test_a_wait_is_never_shorter_than_the_receiver_asks_for() -> None:
    wait = wait_before(2, 3600)
    assert wait is not None
    assert wait.total_seconds() == 3600
    assert wait_before(10) is None
    waits = {wait_before(3).total_seconds() for _ in range(50)}  # type: ignore[union-attr]
    assert len(waits) > 40
    assert all(1440 <= wait <= 2160 for wait in waits)


def test_gone_disables_at_once_and_tells(
    bench: Any, webhook: Any, new_sink: Any, shop: Any, admin: Client
) -> None:
    sink = new_sink(answer=refusing(410))
    made = webhook(sink.url, "product.*", contact_email="ada@shop.example")
    begin(bench)
    shown = admin.get(f"{WEBHOOKS}/{made['id']}").expect(200)
    assert (shown["is_enabled"], only().status) == (False, "failed")
    assert "410" in shown["disabled_reason"]
    (mail,) = [mail for mail in Mailbox(shop) if mail.to == "ada@shop.example"]
    assert sink.url in mail.text
    begin(bench)
    assert len(sink.received) == 1


def test_days_of_nothing_but_failures_disable_and_tell_its_maker(
    bench: Any, webhook: Any, new_sink: Any, shop: Any, clock: Any
) -> None:
    sink, seen = new_sink(answer=refusing(500)), new_sink()
    webhook(sink.url, "product.*")
    webhook(seen.url, "webhook.disabled")
    for _ in range(6):
        begin(bench)
        assert Webhook.get(Webhook.url == sink.url).enabled
        clock.move(hours=20.5)
    begin(bench)
    row = Webhook.get(Webhook.url == sink.url)
    assert (row.enabled, row.disabled_reason) == (False, "nothing but failures for 5 days")
    assert [mail.to for mail in Mailbox(shop)] == ["admin@example.com"]
    bench.feed()
    bench.send()
    assert b"nothing but failures" in seen.received[0].body


def test_failures_among_successes_disable_nothing(
    bench: Any, webhook: Any, new_sink: Any, clock: Any
) -> None:
    answers = iter([500, 200] * 20)
    sink = new_sink(answer=lambda item: web.Response(status=next(answers)))
    webhook(sink.url, "product.*")
    for _ in range(6):
        begin(bench)
        clock.move(days=1)
    assert Webhook.get().enabled


def test_what_waited_is_sent_once_it_is_enabled_again(
    bench: Any, webhook: Any, new_sink: Any, admin: Client, clock: Any
) -> None:
    sink = new_sink(answer=refusing(500))
    made = webhook(sink.url, "product.*")
    begin(bench)
    path = f"{WEBHOOKS}/{made['id']}"
    assert admin.patch(path, {"is_enabled": False}).expect(200)["disabled_reason"] == "by hand"
    clock.move(seconds=10)
    bench.send()
    assert len(sink.received) == 1
    sink.answer = refusing(200)
    admin.patch(path, {"is_enabled": True}).expect(200)
    bench.send()
    assert only().status == "delivered"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9/", "Connect call failed"),
        ("http://nowhere.invalid/", "not known"),
        ("https://127.0.0.1:{port}/", "SSL"),
    ],
)
def test_what_cannot_be_reached_is_told(
    bench: Any, webhook: Any, sink: Any, url: str, told: str
) -> None:
    webhook(url.format(port=sink.port), "product.*")
    begin(bench)
    row = only()
    assert row.status == "waiting"
    assert told.lower() in row.error.lower()


def test_one_that_hangs_is_given_up_in_time(bench: Any, webhook: Any, new_sink: Any) -> None:
    import asyncio

    async def hang(item: Any) -> web.Response:
        await asyncio.sleep(20)
        return web.Response()

    webhook(new_sink(answer=hang).url, "product.*", timeout=1)
    begin(bench)
    assert only().error == "no whole answer within 1 s"
