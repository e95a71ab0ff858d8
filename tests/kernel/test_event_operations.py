"""The log through the API and the command line: types, events, subscriptions, replays."""

import html
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result

from bodega.addons import lifecycle
from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.console.navigation import entries
from bodega.console.rendering import render_blocks
from bodega.database import outbox
from bodega.database.tables import AuditRow, EventRow, SubscriptionRow
from bodega.http.gate import Gate
from bodega.jobs import feeding, subscriptions
from bodega.jobs.feeding import feed
from bodega_sdk import Event, transaction
from bodega_sdk.models import now
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.queries import query_counter

created = Event("note.created", "A note was written.", {"title": "its title"})
READER = """
from bodega_sdk import hookimpl

heard = []


def hear(event):
    heard.append(event.key)
    if event.key == "bad":
        raise ValueError("a bad one")


@hookimpl
def register_subscriptions(events):
    events.on("note.*", hear)
"""
FIELDS = 'depends=("notes",), uses={"events": ("note.*",)}'
NAME = "note.*>bodega_sample_reader.plugin.hear"


@pytest.fixture
def reader(notes_shop: Any, site: Any, rebind: Any) -> Any:
    """An addon that reads notes, and stands behind all there is."""
    site.write("reader", READER, fields=FIELDS)
    lifecycle.enable(notes_shop, "reader")
    rebind()
    return site.module("reader", "plugin")


@pytest.fixture
def admin(notes_shop: Any) -> Client:
    """The administrator."""
    return Client(Gate(notes_shop), notes_shop).as_admin()


@pytest.fixture
def run(notes_shop: Any) -> Callable[..., Result]:
    """Run the command line in this process, on the shop of the test."""

    def ran(*arguments: str) -> Result:
        with bound(notes_shop.current):
            return CliRunner().invoke(bodega, arguments, obj=Context(_shop=notes_shop))

    return ran


def publish(shop: Any, *keys: str) -> int:
    """Publish; return the offset of the first."""
    outbox.relay(shop.databases.shop)
    first = outbox.last_offset(shop.databases.shop) + 1
    with transaction():
        for key in keys:
            created.publish(key, {"title": key})
    outbox.relay(shop.databases.shop)
    return first


def feed_reader(shop: Any) -> None:
    for item in shop.assembly.subscriptions:
        feeding.guarded_turn(shop.current, item)


# Types.


def test_the_types_are_told_to_everybody(notes_shop: Any, admin: Client) -> None:
    found = Client(Gate(notes_shop), notes_shop).get("/api/v1/events/types").expect(200)
    assert found["count"] == len(found["results"])
    (note,) = (item for item in found["results"] if item["name"] == "note.created")
    assert note["addon"] == "notes"
    assert note["version"] == 1
    assert note["summary"].endswith(".")
    assert note["fields"].keys() == {"title"}


def test_the_types_of_a_disabled_addon_are_gone(
    notes_shop: Any, admin: Client, rebind: Any
) -> None:
    lifecycle.disable(notes_shop, "notes")
    rebind()
    names = [item["name"] for item in admin.get("/api/v1/events/types").json["results"]]
    assert "note.created" not in names


def test_types_on_the_command_line(run: Any) -> None:
    shown = run("events", "types")
    assert shown.exit_code == 0, shown.output
    assert "note.created" in shown.output
    listed = json.loads(run("events", "types", "--json").stdout)
    assert "note.created" in [item["name"] for item in listed]


# The log.


def test_the_log_is_read_in_order_page_by_page(notes_shop: Any, admin: Client) -> None:
    first = publish(notes_shop, *"abcde")
    path = f"/api/v1/events?since={first - 1}&page_size=2"
    keys, counts = [], []
    while path:
        page = admin.get(path).expect(200)
        keys += [item["key"] for item in page["results"]]
        counts.append(page["count"])
        path = "/api/v1/events?" + page["next"].partition("?")[2] if page["next"] else ""
    assert keys == list("abcde")
    assert counts == [5, 5, 5]


def test_the_log_is_read_backwards_and_by_name_and_key(notes_shop: Any, admin: Client) -> None:
    first = publish(notes_shop, "a", "b", "a")

    def keys(query: str) -> list[int]:
        found = admin.get(f"/api/v1/events?since={first - 1}&{query}").expect(200)
        assert found["count"] == len(found["results"])
        return [item["offset"] for item in found["results"]]

    assert keys("ordering=-offset") == [first + 2, first + 1, first]
    assert keys("key=a") == [first, first + 2]
    assert keys("name=note.*&key=b") == [first + 1]
    assert keys("name=*") == [first, first + 1, first + 2]
    assert keys("name=account.*") == []


def test_an_event_is_shown_with_all_that_is_known_of_it(notes_shop: Any, admin: Client) -> None:
    first = publish(notes_shop, "a")
    (shown,) = admin.get(f"/api/v1/events?since={first - 1}").json["results"]
    assert shown.pop("occurred_at").endswith("Z")
    assert shown == {
        "offset": first, "name": "note.created", "version": 1, "key": "a", "data": {"title": "a"},
    }  # fmt: skip


def test_the_whole_log_is_counted_without_reading_it(notes_shop: Any, admin: Client) -> None:
    publish(notes_shop, *"abc")
    with query_counter() as queries:
        found = admin.get("/api/v1/events?page_size=1").expect(200)
    assert found["count"] == EventRow.select().where(EventRow.offset.is_null(False)).count()
    assert not [one for one in queries if "COUNT" in one.upper() and "bodega_event" in one]


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        "cursor=-1",
        "since=-1",
        "since=x",
        "ordering=name",
        "page=2",
        "since=" + "9" * 19,
    ],
)
def test_a_query_that_means_nothing_is_refused(admin: Client, query: str) -> None:
    assert admin.get(f"/api/v1/events?{query}").status_code == 400


def test_the_log_is_for_those_who_may_read_the_shop(notes_shop: Any, admin: Client) -> None:
    client = Client(Gate(notes_shop), notes_shop)
    for path in ("/api/v1/events", "/api/v1/events/subscriptions"):
        assert client.get(path).status_code == 401
        assert client.as_user("staff").get(path).status_code == 403
        assert admin.get(path).status_code == 200
    replay = f"/api/v1/events/subscriptions/{quote(NAME)}/replay"
    assert client.as_(permissions=["bodega.read"]).post(replay, {"from": 1}).status_code == 403


def test_the_log_on_the_command_line(notes_shop: Any, run: Any) -> None:
    first = publish(notes_shop, "a", "b")
    shown = run("events", "list", "--since", str(first - 1))
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.index('"b"') < shown.stdout.index('"a"')
    one = json.loads(run("events", "list", "--key", "a", "--name", "note.*", "--json").stdout)
    assert [item["offset"] for item in one] == [first]
    assert "--limit" in run("events", "list", "--limit", "1").stderr


# Subscriptions.


def standing(admin: Client) -> Any:
    found = admin.get("/api/v1/events/subscriptions").expect(200)["results"]
    (item,) = (item for item in found if item["name"] == NAME)
    return item


def test_a_subscription_tells_how_far_it_is(notes_shop: Any, admin: Client, reader: Any) -> None:
    first = publish(notes_shop, "a", "b")
    waiting = standing(admin)
    assert waiting.pop("oldest_unread") is not None
    assert waiting == {
        "name": NAME, "event": "note.*", "addon": "reader", "batch": None, "state": "behind",
        "offset": first - 1, "behind": 2, "failures": 0, "error": None, "retry_at": None,
        "pruned": 0,
    }  # fmt: skip
    feed_reader(notes_shop)
    done = standing(admin)
    assert (done["state"], done["offset"], done["behind"]) == ("current", first + 1, 0)


def test_a_subscription_that_fails_says_why(
    notes_shop: Any, admin: Client, reader: Any, run: Any
) -> None:
    publish(notes_shop, "bad")
    feed_reader(notes_shop)
    found = standing(admin)
    assert (found["state"], found["failures"]) == ("failing", 1)
    assert found["error"] == "ValueError: a bad one"
    assert found["retry_at"] is not None
    shown = run("events", "subscriptions").stdout
    assert "failing" in shown
    assert "ValueError: a bad one" in shown
    page = entries(notes_shop.current)["events/subscriptions"].page
    told = str(render_blocks(page.render(None)))  # type: ignore[arg-type]
    assert f"{NAME} has failed 1 times: ValueError: a bad one" in html.unescape(told)


def test_a_subscription_of_a_disabled_addon_is_listed_as_that(
    notes_shop: Any, admin: Client, reader: Any, rebind: Any
) -> None:
    lifecycle.disable(notes_shop, "reader")
    rebind()
    assert (standing(admin)["state"], standing(admin)["addon"]) == ("disabled", "reader")


# Replays.


def test_a_replay_gives_events_again_and_says_how_many(
    notes_shop: Any, admin: Client, reader: Any
) -> None:
    first = publish(notes_shop, "a", "b", "c")
    feed_reader(notes_shop)
    path = f"/api/v1/events/subscriptions/{quote(NAME, safe='')}/replay"
    told = {"subscription": NAME, "place": first + 2, "from": first + 1, "events": 2}
    counted = admin.post(path, {"from": first + 1, "dry_run": True}).expect(200)
    assert counted == told | {"done": False}
    feed_reader(notes_shop)
    assert reader.heard == ["a", "b", "c"]
    assert admin.post(path, {"from": first + 1}).expect(200) == told | {"done": True}
    feed_reader(notes_shop)
    assert reader.heard == ["a", "b", "c", "b", "c"]
    row = AuditRow.select().where(AuditRow.action == "subscription.replayed").get()
    assert row.target == f"subscription:{NAME}"
    assert json.loads(row.details)["events"] == 2


def test_a_replay_lifts_a_wait(notes_shop: Any, reader: Any, run: Any) -> None:
    first = publish(notes_shop, "a", "bad")
    feed_reader(notes_shop)
    shown = run("events", "replay", NAME, "--from", str(first))
    assert shown.exit_code == 0, shown.output
    assert f"is given 1 events again, from {first}; it stood at {first}" in shown.output
    row = SubscriptionRow.get_by_id(NAME)
    assert (row.offset, row.failures, row.retry_at, row.error) == (first - 1, 0, None, None)


def test_a_replay_beyond_the_log_or_the_place_is_refused(
    notes_shop: Any, admin: Client, reader: Any, run: Any
) -> None:
    first = publish(notes_shop, "a", "b")
    feed_reader(notes_shop)
    EventRow.delete().where(EventRow.offset <= first).execute()
    path = f"/api/v1/events/subscriptions/{quote(NAME, safe='')}/replay"
    for wrong, why in (
        (first, f"The log begins at {first + 1}"),
        (first + 2, f"has read up to {first + 1}; it can only be put back"),
    ):
        for dry_run in (True, False):
            answer = admin.post(path, {"from": wrong, "dry_run": dry_run})
            assert answer.status_code == 409
            assert why in answer.json["detail"]
        shown = run("events", "replay", NAME, "--from", str(wrong))
        assert shown.exit_code != 0
        assert why in str(shown.exception or shown.output)
    assert SubscriptionRow.get_by_id(NAME).offset == first + 1
    for body in ({}, {"from": 0}, {"from": "x"}):
        assert admin.post(path, body).status_code == 422


def test_a_subscription_that_is_not_there_is_named_with_those_that_are(
    admin: Client, reader: Any
) -> None:
    answer = admin.post("/api/v1/events/subscriptions/nobody/replay", {"from": 1})
    assert answer.status_code == 404
    assert NAME in answer.json["detail"]


def test_unread_events_are_counted_up_to_a_limit(
    notes_shop: Any, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "COUNTED", 3)
    publish(notes_shop, *"abcde")
    (found,) = subscriptions.enabled_standings(notes_shop.current)
    assert found.behind == 3


# Lag.


def metric(text: str, name: str) -> float:
    (line,) = (line for line in text.splitlines() if line.startswith(name))
    return float(line.rpartition(" ")[2])


def test_lag_is_measured_when_it_is_asked_for(notes_shop: Any, admin: Client, reader: Any) -> None:
    first = publish(notes_shop, "a", "b", "bad")
    labels = f'{{addon="reader",subscription="{NAME}"}}'
    text = admin.get("/metrics").text
    assert metric(text, "bodega_events_appended_total ") == first + 2
    assert metric(text, "bodega_events_newest_offset ") == first + 2
    assert metric(text, "bodega_events_unnumbered ") == 0
    assert metric(text, f"bodega_subscription_behind{labels}") == 3
    assert metric(text, f"bodega_subscription_oldest_unread_seconds{labels}") >= 0
    feed_reader(notes_shop)
    text = admin.get("/metrics").text
    assert metric(text, f"bodega_subscription_behind{labels}") == 1
    assert metric(text, f"bodega_subscription_failures{labels}") == 1
    given = f'bodega_subscription_events_total{{outcome="given",subscription="{NAME}"}}'
    assert metric(text, given) >= 2


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_events_that_nobody_numbers_are_told_with_their_age(notes_shop: Any, admin: Client) -> None:
    outbox.relay(notes_shop.databases.shop)
    with transaction():
        created.publish("a", {"title": "a"})
    EventRow.update(occurred_at=now() - timedelta(seconds=90)).where(EventRow.key == "a").execute()
    text = admin.get("/metrics").text
    assert metric(text, "bodega_events_unnumbered ") == 1
    assert 90 <= metric(text, "bodega_events_unnumbered_age_seconds ") < 200
    check = admin.get("/health/detailed").json["checks"]["events"]
    assert check["status"] == "unhealthy"
    assert "1 events wait for a worker" in check["detail"]


def test_health_tells_of_the_log_and_of_who_fails(
    notes_shop: Any, admin: Client, reader: Any
) -> None:
    publish(notes_shop, "a")
    check = admin.get("/health/detailed").json["checks"]["events"]
    assert check["status"] == "healthy"
    assert "1 subscriptions, at most 1 events" in check["detail"]
    publish(notes_shop, "bad")
    feed_reader(notes_shop)
    answer = admin.get("/health/detailed").json
    assert answer["status"] == "degraded"
    assert answer["checks"]["events"]["detail"].startswith(f"failing: {NAME}")


def test_a_reader_that_is_fed_by_feed_is_current(notes_shop: Any, reader: Any) -> None:
    publish(notes_shop, "a")
    (item,) = notes_shop.assembly.subscriptions
    assert feed(notes_shop.current, item) == 1
    (found,) = subscriptions.enabled_standings(notes_shop.current)
    assert (found.state, found.age) == ("current", 0.0)
