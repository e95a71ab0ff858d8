"""Types that other addons add: who hears of them, and what their mistakes hold up."""

from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.database.tables import JobRow
from bodega.shop import Shop
from bodega_accounts.events import account_changed
from bodega_notifications import api
from bodega_notifications.models import Delivery, Notification
from bodega_notifications.registry import known
from bodega_sdk import now, transaction
from bodega_sdk.runtime import bound

PLUGIN = """
from bodega_notifications.api import NotificationType, holders, member
from bodega_products.api import sku_key
from bodega_sdk import Event, transaction

STOCK_FELL = Event("stock.fallen", "A stock fell.", {"sku": "text", "left": "how many"})
broken = []


def audience(event):
    if broken:
        raise ZeroDivisionError("not today")
    return holders("accounts.read")(event)


LOW = NotificationType(
    "stock.low", "A stock is low", event="stock.fallen", audience=audience,
    when=lambda event: event.data["left"] < 5, channels=("in_app", "team"),
    heading="Only {{ left }} of {{ sku }}", text="Order more of {{ sku }}.",
)


@hookimpl
def register_events():
    return [STOCK_FELL]


@hookimpl
def notification_types(types: tuple[NotificationType, ...]) -> tuple[NotificationType, ...]:
    if "raise" in broken:
        raise ZeroDivisionError("a broken hook")
    return (*types, LOW)
"""


@pytest.fixture
def stock(shop: Shop, addon: Any) -> Any:
    """An addon that tells staff when a stock is low."""
    addon("stock", PLUGIN, ("accounts", "notifications", "products"))
    with bound(shop.current):
        import bodega_test_stock.plugin as plugin

        yield plugin


def fall(plugin: Any, left: int) -> None:
    with transaction():
        plugin.STOCK_FELL.publish("lamp", {"sku": "lamp", "left": left})


@pytest.fixture
def staff(person: Any) -> Any:
    return person("staff", "staff")


def test_who_holds_a_permission_is_told_of_another_addons_event(
    stock: Any, staff: Any, vera: Any, jobs: Any
) -> None:
    fall(stock, 7)
    fall(stock, 3)
    jobs.run_all()
    assert [item["title"] for item in staff.inbox()] == ["Only 3 of lamp"]
    assert vera.inbox() == []
    team = Delivery.get(Delivery.channel == "team")
    assert team.notification.text == "Order more of lamp."
    assert "stock.low" in staff.client.get("/api/v1/notifications/preferences").json["types"]


def test_a_type_that_fails_holds_up_nobody_and_loses_nothing(
    stock: Any, staff: Any, vera: Any, jobs: Any
) -> None:
    stock.broken.append("audience")
    fall(stock, 3)
    with transaction():
        account_changed.publish(str(vera.id), {"id": vera.id, "members": ["email"]})
    jobs.run_all(failures=True)
    assert len(vera.inbox()) == 1
    assert staff.inbox() == []
    stock.broken.clear()
    JobRow.update(run_at=now()).where(JobRow.status == "queued").execute()
    jobs.run_all()
    jobs.run_all()
    assert [item["title"] for item in staff.inbox()] == ["Only 3 of lamp"]


def test_while_a_hook_fails_nobody_is_told_and_afterwards_everybody_is(
    stock: Any, staff: Any, jobs: Any
) -> None:
    fall(stock, 3)
    stock.broken.append("raise")
    with pytest.raises(Exception, match="stock"):
        jobs.run_all(failures=True)
    assert Notification.select().count() == 0
    stock.broken.clear()
    jobs.run_all()
    assert len(staff.inbox()) == 1


def test_a_disabled_addons_types_are_gone_and_its_choices_rest(
    shop: Shop, stock: Any, staff: Any, jobs: Any
) -> None:
    staff.prefer(types={"stock.low": {"channels": {"email": True}, "digest": "hourly"}})
    fall(stock, 3)
    jobs.run_all()
    lifecycle.disable(shop, "stock")
    shop.refresh()
    with bound(shop.current):
        assert "stock.low" not in known()
        assert [item["title"] for item in staff.inbox()] == ["Only 3 of lamp"]
        staff.prefer(time_zone="Asia/Tokyo")
        with pytest.raises(Exception, match=r"stock\.low"):
            api.notify([staff.id], "stock.low", {})
    lifecycle.enable(shop, "stock")
    shop.refresh()
    with bound(shop.current):
        chosen = staff.client.get("/api/v1/notifications/preferences").json["types"]["stock.low"]
    assert (chosen["channels"]["email"], chosen["digest"]) == (True, "hourly")


def test_a_digest_of_an_addon_that_is_gone_reads_as_in_the_inbox(
    shop: Shop, stock: Any, staff: Any, jobs: Any, clock: Any, mailbox: Any
) -> None:
    staff.prefer(types={"stock.low": {"channels": {"email": True}, "digest": "hourly"}})
    fall(stock, 3)
    jobs.run_all()
    lifecycle.disable(shop, "stock")
    shop.refresh()
    with bound(shop.current):
        clock.move(minutes=62)
        jobs.run_all()
    (mail,) = mailbox.to(staff.email)
    assert mail.subject == "Only 3 of lamp"


def test_notifications_are_forgotten_after_a_while(
    vera: Any, jobs: Any, clock: Any, set_to: Any
) -> None:
    set_to("keep_days", 2)
    jobs.run_all()
    api.notify([vera.id], "import.failed", {})
    clock.move(days=1, hours=1)
    jobs.run_all()
    assert Notification.select().count() == 2
    clock.move(days=1, hours=1)
    jobs.run_all()
    assert Notification.select().count() == Delivery.select().count() == 0
