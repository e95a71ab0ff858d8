"""One endpoint does no harm to others, and none is sent more than it allows."""

import asyncio
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_webhooks.models import Endpoint, Webhook
from bodega_webhooks.sender import serve

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow

WEBHOOKS = "/api/v1/webhooks"


class Service:
    """A run of the sender, as a worker's."""

    def __init__(self, shop: Any) -> None:
        self.stopping = False
        self._shop = shop
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with bound(self._shop.current):
            try:
                serve(self)  # type: ignore[arg-type]
            except BaseException as error:
                self._failures.append(error)

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        return self.stopping

    def stop(self) -> float:
        """End it; return how long that took."""
        began = time.monotonic()
        self.stopping = True
        self._thread.join(20)
        assert not self._failures, self._failures
        return time.monotonic() - began


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


async def hang(item: Any) -> web.Response:
    await asyncio.sleep(25)
    return web.Response()


def many(bench: Any, number: int, keys: int = 10_000) -> None:
    for place in range(number):
        bench.publish("product.created", f"k-{place % keys}", number=place)
    bench.feed()


def test_hanging_and_failing_endpoints_hold_up_nobody(
    bench: Any, webhook: Any, new_sink: Any, shop: Any
) -> None:
    healthy, hanging = new_sink(), new_sink(answer=hang)
    failing = new_sink(answer=lambda item: web.Response(status=500))
    for sink in (hanging, failing, healthy):
        webhook(sink.url, "product.*", concurrency=10)
    many(bench, 200)
    service = Service(shop)
    began = time.monotonic()
    try:
        until(lambda: len(healthy.received) == 200)
        took = time.monotonic() - began
        until(lambda: len(failing.received) >= 5)
        time.sleep(0.5)
        assert took < 5
        assert hanging.most_at_once <= 4
        # The breaker has opened: the rest waits in the database.
        assert len(failing.received) <= 12
    finally:
        left = service.stop()
    assert left < 3, "what hangs must not keep the worker from stopping"
    assert len(hanging.received) <= 4


def test_a_breaker_closes_again_once_the_endpoint_is_well(
    bench: Any, webhook: Any, new_sink: Any, clock: Any
) -> None:
    sink = new_sink(answer=lambda item: web.Response(status=500))
    webhook(sink.url, "product.*")
    many(bench, 40)
    bench.send()
    tried = len(sink.received)
    assert tried <= 12
    bench.send()
    assert len(sink.received) == tried, "the breaker is open"
    clock.move(seconds=10_000)
    bench.send()
    assert len(sink.received) == tried + 1, "one request shows how it is"
    clock.move(seconds=10_000)
    sink.answer = lambda item: web.Response()
    bench.send()
    assert {row.status for row in bench.deliveries()} == {"delivered"}
    assert len(set(sink.ids)) == 40


def test_the_rate_is_kept_in_any_second(bench: Any, webhook: Any, new_sink: Any) -> None:
    sink = new_sink()
    webhook(sink.url, "product.*", rate=20, concurrency=10)
    many(bench, 60)
    bench.send()
    times = sorted(item.at for item in sink.received)
    assert len(times) == 60
    most = max(sum(1 for other in times if at <= other < at + 1) for at in times)
    assert most <= 20
    assert times[-1] - times[0] < 4.5


def test_two_workers_keep_one_rate_and_send_nothing_twice(
    bench: Any, webhook: Any, new_sink: Any, shop: Any
) -> None:
    sinks = [new_sink() for _ in range(6)]
    for sink in sinks:
        webhook(sink.url, "product.*", rate=25 if sink is sinks[0] else None)
    many(bench, 60)
    services = [Service(shop), Service(shop)]
    try:
        until(lambda: all(len(sink.received) >= 60 for sink in sinks))
    finally:
        for service in services:
            service.stop()
    for sink in sinks:
        assert len(sink.ids) == len(set(sink.ids)) == 60
    times = sorted(item.at for item in sinks[0].received)
    assert max(sum(1 for other in times if at <= other < at + 1) for at in times) <= 25


def test_not_more_is_sent_at_a_time_than_is_allowed(
    bench: Any, webhook: Any, new_sink: Any
) -> None:
    async def slow(item: Any) -> web.Response:
        await asyncio.sleep(0.03)
        return web.Response()

    sink = new_sink(answer=slow)
    webhook(sink.url, "product.*", concurrency=7)
    many(bench, 80)
    bench.send()
    assert len(sink.received) == 80
    assert 5 <= sink.most_at_once <= 7


def test_the_order_of_a_key_is_kept_though_every_third_request_fails(
    bench: Any, webhook: Any, new_sink: Any, clock: Any
) -> None:
    taken: dict[str, list[int]] = defaultdict(list)
    seen = iter(range(10_000))

    def answer(item: Any) -> web.Response:
        if next(seen) % 3 == 2:
            return web.Response(status=500)
        body = json.loads(item.body)
        taken[body["key"]].append(body["sequence"])
        return web.Response()

    sink = new_sink(answer=answer)
    webhook(sink.url, "product.*", ordered=True)
    many(bench, 60, keys=6)
    for _ in range(200):
        bench.send()
        if all(row.status == "delivered" for row in bench.deliveries()):
            break
        clock.move(seconds=400)
    assert sum(map(len, taken.values())) == 60
    for key, sequences in taken.items():
        assert sequences == sorted(sequences), key


def test_a_key_that_is_stuck_does_not_hold_up_the_others(
    bench: Any, webhook: Any, new_sink: Any
) -> None:
    def answer(item: Any) -> web.Response:
        stuck = json.loads(item.body)["key"] == "k-0"
        return web.Response(status=500 if stuck else 200)

    sink = new_sink(answer=answer)
    webhook(sink.url, "product.*", ordered=True)
    many(bench, 100, keys=5)
    bench.send()
    found = defaultdict(set)
    for row in bench.deliveries():
        found[row.event_key].add(row.status)
    assert found.pop("k-0") == {"waiting"}
    assert all(states == {"delivered"} for states in found.values())
    stuck = [item for item in sink.received if b'"key":"k-0"' in item.body]
    assert len(stuck) == 1


def test_a_dead_senders_webhooks_are_taken_over(
    bench: Any, webhook: Any, new_sink: Any, clock: Any
) -> None:
    from bodega_webhooks import claiming

    sink = new_sink()
    webhook(sink.url, "product.*")
    many(bench, 5)
    assert claiming.take("a worker that dies")
    bench.send()
    assert not sink.received
    clock.move(seconds=16)
    bench.send()
    assert len(set(sink.ids)) == len(sink.ids) == 5


def test_a_change_takes_effect_while_it_is_sent(
    bench: Any, webhook: Any, new_sink: Any, shop: Any, admin: Client
) -> None:
    sink = new_sink()
    made = webhook(sink.url, "product.*", rate=10)
    many(bench, 200)
    service = Service(shop)
    try:
        until(lambda: len(sink.received) > 3)
        admin.patch(f"{WEBHOOKS}/{made['id']}", {"is_enabled": False}).expect(200)
        time.sleep(1.2)
        before = len(sink.received)
        time.sleep(1)
        assert len(sink.received) == before
    finally:
        service.stop()
    assert Endpoint.get().sender == ""


def test_a_webhook_that_is_deleted_while_it_is_sent_disturbs_nobody(
    bench: Any, webhook: Any, new_sink: Any, shop: Any, admin: Client
) -> None:
    first, second = new_sink(), new_sink()
    made = webhook(first.url, "product.*", rate=10)
    webhook(second.url, "product.*", rate=50)
    many(bench, 100)
    service = Service(shop)
    try:
        until(lambda: len(first.received) > 3)
        admin.delete(f"{WEBHOOKS}/{made['id']}")
        until(lambda: len(second.received) == 100)
    finally:
        service.stop()
    assert Webhook.select().count() == 1
    assert len(first.received) < 40
