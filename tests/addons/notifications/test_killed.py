"""Real workers that are killed while they tell people: nobody misses or hears anything twice."""

import os
import random
import signal
import threading
import time
from typing import Any

import pytest

from bodega.addons import lifecycle
from bodega.database import outbox
from bodega.database.tables import MailRow, SubscriptionRow
from bodega.editions import Edition
from bodega.settings import read_settings
from bodega.shop import Shop
from bodega_accounts.events import account_changed
from bodega_accounts.models import Account
from bodega_notifications.models import Notification
from bodega_sdk.runtime import bound
from bodega_sdk.testing.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
FACTS, KILLS = 150, 5


def test_killed_workers_tell_everybody_everything_once(deployment: Deployment) -> None:
    deployment.environ["BODEGA_JOB_LEASE"] = "2"
    shop = Shop(read_settings(deployment.environ), connections=3)
    lifecycle.prepare(shop, Edition("test", ("accounts", "notifications")))
    shop.refresh()
    with bound(shop.current):
        people = [
            Account.create(email=f"p{number}@shop.example", role="user", password="-")
            for number in range(5)
        ]
        worker = deployment.start("worker")
        deployment.wait_until(lambda: _listens())
        publishing = threading.Thread(target=_publish, args=(shop, people))
        publishing.start()
        chance = random.Random(8)
        for _ in range(KILLS):
            publishing.join(chance.uniform(0.2, 1.5))
            os.kill(worker.pid, signal.SIGKILL)
            worker = deployment.start("worker")
        publishing.join(60)
        deployment.wait_until(lambda: _done(shop), timeout=120)
        told = sorted((str(row.account), row.data["members"][1]) for row in Notification.select())
        expected = sorted((str(people[n % 5].id), str(n)) for n in range(FACTS))
        assert told == expected
        mails = [row.message_id for row in MailRow.select()]
        assert len(mails) == len({*mails}) == FACTS
    shop.databases.close()


def _listens() -> bool:
    return bool(SubscriptionRow.select().where(SubscriptionRow.name.contains("hear")).exists())


def _publish(shop: Shop, people: list[Account]) -> None:
    with bound(shop.current):
        for number in range(FACTS):
            account = people[number % 5]
            members = {"id": account.id, "members": ["email", str(number)]}
            with shop.transaction():
                account_changed.publish(str(account.id), members)
            time.sleep(0.03)  # So that they are not all told before the first one dies.
    shop.databases.close()


def _done(shop: Shop) -> Any:
    place = SubscriptionRow.get(SubscriptionRow.name.contains("hear")).offset
    last = outbox.last_offset(shop.databases.shop)
    return Notification.select().count() >= FACTS and place >= last
