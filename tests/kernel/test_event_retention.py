"""Retention: what is old and read by all goes, in small batches, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.database import outbox, retention
from bodega.database.tables import EventRow, SubscriptionRow
from bodega.errors import ConfigurationError
from bodega.jobs import subscriptions
from bodega.jobs.feeder import Feeder
from bodega.jobs.sweeper import Sweeper
from bodega.settings import read_settings
from bodega_sdk import Event, transaction
from bodega_sdk.models import now

created = Event("note.created", "A note was written.", {"title": "its title"})


def publish(shop: Any, *keys: str, days: int = 0) -> None:
    """Publish events that are some days old."""
    with transaction():
        for key in keys:
            created.publish(key, {"title": key})
    at = now() - timedelta(days=days)
    EventRow.update(occurred_at=at).where(EventRow.key.in_(keys)).execute()
    outbox.relay(shop.databases.shop)


def age_all(days: int) -> None:
    EventRow.update(occurred_at=now() - timedelta(days=days)).execute()


def prune(shop: Any, batch: int = 3) -> int:
    """Prune to the end; return how many batches it took."""
    rounds = 1
    while retention.prune(shop.current, batch):
        rounds += 1
    return rounds


def keys() -> list[str]:
    return [row.key for row in EventRow.select().order_by(EventRow.id)]


@pytest.fixture
def quiet_shop(notes_shop: Any) -> Any:
    """A shop whose log is old."""
    outbox.relay(notes_shop.databases.shop)
    age_all(100)
    return notes_shop


def test_old_events_go_in_batches_and_young_ones_stay(quiet_shop: Any) -> None:
    prune(quiet_shop)
    publish(quiet_shop, *"abcdefg", days=31)
    publish(quiet_shop, "young", "younger", days=29)
    assert prune(quiet_shop) == 3
    assert keys() == ["young", "younger"]
    newest = outbox.last_offset(quiet_shop.databases.shop)
    assert outbox.oldest_offset(quiet_shop.databases.shop) == newest - 1


def test_an_old_event_behind_a_young_one_waits_for_it(quiet_shop: Any) -> None:
    prune(quiet_shop)
    publish(quiet_shop, "young", days=1)
    publish(quiet_shop, "old", days=40)
    prune(quiet_shop)
    assert keys() == ["young", "old"]


def test_a_log_that_is_pruned_whole_goes_on_with_the_next_offset(quiet_shop: Any) -> None:
    database = quiet_shop.databases.shop
    newest = outbox.last_offset(database)
    prune(quiet_shop)
    assert keys() == []
    assert outbox.oldest_offset(database) == newest + 1
    publish(quiet_shop, "next")
    (event,) = outbox.read(database, newest)
    assert event.offset == newest + 1


def test_what_an_enabled_subscription_has_not_read_stays(
    quiet_shop: Any, site: Any, rebind: Any
) -> None:
    site.install("pins")
    lifecycle.enable(quiet_shop, "pins")
    rebind()
    publish(quiet_shop, "a", "b", days=40)
    prune(quiet_shop)
    assert keys() == ["a", "b"]
    (row,) = SubscriptionRow.select()
    SubscriptionRow.update(offset=row.offset + 1).execute()
    prune(quiet_shop)
    assert keys() == ["b"]


def test_a_disabled_addon_does_not_hold_the_log_back_and_goes_on_at_its_oldest(
    quiet_shop: Any, site: Any, rebind: Any
) -> None:
    site.install("pins")
    lifecycle.enable(quiet_shop, "pins")
    lifecycle.disable(quiet_shop, "pins")
    rebind()
    publish(quiet_shop, "a", "b", days=40)
    publish(quiet_shop, "c")
    prune(quiet_shop)
    assert keys() == ["c"]
    lifecycle.enable(quiet_shop, "pins")
    rebind()
    (found,) = subscriptions.enabled_standings(quiet_shop.current)
    assert found.pruned == 2
    Feeder(quiet_shop)._look()
    Sweeper(quiet_shop).sweep()
    pin = site.module("pins", "models").Pin
    assert [row.note for row in pin.select()] == ["c"]


def test_a_quarantined_addon_holds_back_what_it_has_not_read(
    quiet_shop: Any, site: Any, rebind: Any
) -> None:
    site.install("pins")
    lifecycle.enable(quiet_shop, "pins")
    publish(quiet_shop, "a", days=40)
    (site.package("pins") / "plugin.py").write_text("raise RuntimeError('out of order')")
    site.forget()
    rebind()
    assert "pins" in quiet_shop.assembly.faults
    prune(quiet_shop)
    assert keys() == ["a"]


def test_a_subscription_that_its_addon_no_longer_has_holds_nothing_back(quiet_shop: Any) -> None:
    SubscriptionRow.create(name="note.created>bodega_sample_notes.gone.hear", offset=0)
    prune(quiet_shop)
    assert keys() == []


def test_all_events_are_kept_when_that_is_wished(
    quiet_shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet_shop, "settings", replace(quiet_shop.settings, event_days=0))
    before = keys()
    assert retention.prune(quiet_shop.current) is False
    assert keys() == before


def test_the_sweeper_prunes(quiet_shop: Any) -> None:
    Sweeper(quiet_shop).tidy()
    assert keys() == []


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_events_without_a_number_stay(quiet_shop: Any) -> None:
    with transaction():
        created.publish("new", {"title": "x"})
    age_all(100)
    prune(quiet_shop)
    assert keys() == ["new"]


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "36501", "ALL"])
def test_days_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="BODEGA_EVENT_DAYS: expected 1 to 36500 days"):
        read_settings({"BODEGA_EVENT_DAYS": text})


def test_days_are_read() -> None:
    assert read_settings({"BODEGA_EVENT_DAYS": "7"}).event_days == 7
    assert read_settings({"BODEGA_EVENT_DAYS": "all"}).event_days == 0
    assert read_settings({}).event_days == 30
