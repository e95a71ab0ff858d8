"""Alerts are raised once for each crossing, and people are told."""

import random
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bodega_accounts.models import Account
from bodega_pulses import alerting, api, rolling
from bodega_pulses.deviating import Window
from bodega_pulses.models import Alert, Series
from bodega_sdk import now
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.recorder import Events

RULES, ALERTS = "/api/v1/pulses/rules", "/api/v1/pulses/alerts"


@pytest.fixture
def begin() -> datetime:
    """Half an hour ago: rules look at that."""
    return now() - timedelta(minutes=30)


def measured(product: UUID, begin: datetime, *values: float, unit: str = "C") -> None:
    """Record values, a second apart, and let rules look."""
    points = [
        api.Pulse(product, begin + timedelta(seconds=n), value, unit)
        for n, value in enumerate(values)
    ]
    api.record(points)
    rolling.settle()
    alerting.watch()


def test_a_threshold_is_crossed_once_until_values_have_come_back(
    staff: Client, lamp: UUID, sofa: UUID, begin: datetime
) -> None:
    rule = {"name": "Warm", "kind": "above", "threshold": 30, "hysteresis": 2, "unit": "C"}
    made = staff.post(RULES, rule | {"product": str(lamp)}).expect(201)
    events = Events()
    # Over, still over, a little below, over again: one crossing; then back, and over again.
    measured(lamp, begin, 20, 31, 35, 29, 33, 28, 29, 30, 30.5)
    measured(sofa, begin, 99)
    measured(lamp, begin, 99, unit="F")
    raised, cleared = events.of("pulse_alert.raised"), events.of("pulse_alert.cleared")
    assert [one.data["value"] for one in raised] == [31, 30.5]
    assert [one.data["value"] for one in cleared] == [28]
    assert raised[0].data["reason"] == "31 C is above 30 C."
    assert raised[0].data["sku"] == "LAMP"
    (open_,) = staff.get(ALERTS, params={"open": "true"}).expect(200)["results"]
    assert (open_["value"], open_["rule"], open_["product"]) == (30.5, made["id"], str(lamp))
    # What came in another order, or again, is history: nothing is raised.
    measured(lamp, begin, 20, 36, 20)
    measured(lamp, begin - timedelta(minutes=1), 99, 0, 99)
    assert Alert.select().count() == 2
    # Another rule than that which raised it.
    staff.patch(f"{RULES}/{made['id']}", {"threshold": 50}).expect(200)
    assert staff.get(ALERTS, params={"open": "true"}).expect(200)["results"] == []
    measured(lamp, begin + timedelta(minutes=1), 45, 55)
    assert Alert.select().count() == 3
    staff.delete(f"{RULES}/{made['id']}").expect(204)
    assert Alert.select().count() == 0


def test_below_cool_downs_and_rules_of_all_products(
    staff: Client, lamp: UUID, sofa: UUID, begin: datetime, set_to: Any
) -> None:
    rule = {"name": "Low", "kind": "below", "threshold": 5, "cooldown_minutes": 10}
    staff.post(RULES, rule).expect(201)
    events = Events()
    measured(lamp, begin, 4, 6, 3, 7)
    measured(sofa, begin, 1)
    measured(lamp, begin + timedelta(minutes=11), 2)
    assert [one.data["told"] for one in events.of("pulse_alert.raised")] == [
        True, False, True, True,
    ]  # fmt: skip
    # History that is recorded late on is none of theirs, however low it was.
    set_to("alert_minutes", 1)
    measured(sofa, begin + timedelta(minutes=1), 9, 1)
    assert len(events.of("pulse_alert.raised")) == 4
    assert not Series.select().where(Series.last_at > Series.watched_at).exists()


def test_an_anomaly_is_what_deviates_from_its_own_past(
    staff: Client, lamp: UUID, begin: datetime
) -> None:
    rule = {"name": "Odd", "kind": "anomaly", "threshold": 5, "window_minutes": 20}
    staff.post(RULES, rule | {"threshold": 0}).expect(422)
    staff.post(RULES, rule | {"product": "01a1fd7c-0000-7000-8000-000000000000"}).expect(422)
    staff.post(RULES, rule).expect(201)
    draw, events = random.Random(1), Events()
    usual = [draw.gauss(1000, 1) for _ in range(200)]
    measured(lamp, begin, *usual)
    assert events.of("pulse_alert.raised") == []
    measured(lamp, begin + timedelta(minutes=5), 1001, 1020, 1030, 1000)
    (raised,) = events.of("pulse_alert.raised")
    assert raised.data["value"] == 1020
    assert "standard deviations off" in raised.data["reason"]
    assert [one.data["value"] for one in events.of("pulse_alert.cleared")] in ([1030], [1000])


def test_staff_hear_of_alerts_where_notifications_are_there(
    shop: Any, staff: Client, lamp: UUID, begin: datetime, jobs: Any
) -> None:
    account = Account.create(email="s@shop.example", role="staff", password="-", preferences={})
    staff.post(RULES, {"name": "Warm", "kind": "above", "threshold": 30}).expect(201)
    with jobs.serving():
        api.record([api.Pulse(lamp, begin, 31, "C")])
        for _ in range(100):
            if Alert.select().exists():
                break
            time.sleep(0.1)
    jobs.run_all()
    mine = staff.as_user("staff", subject=str(account.id))
    (told,) = mine.get("/api/v1/notifications").expect(200)["results"]
    assert (told["type"], told["title"]) == ("pulses.alert", "Warm: LAMP")


def test_a_window_forgets_what_is_older_than_itself() -> None:
    window = Window(100, [(n, 5.0) for n in range(10)])
    assert window.deviations(10, 5.0) == 0
    assert window.deviations(10, 6.0) == float("inf")
    assert window.deviations(105, 6.0) is None
    window = Window(1000, [(n, float(n % 2)) for n in range(100)])
    assert window.deviations(100, 2.0) == pytest.approx(3)
