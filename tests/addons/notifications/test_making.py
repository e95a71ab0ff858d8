"""Facts become notifications: one for each person, never two, whatever dies in between."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from bodega.database import outbox
from bodega.jobs.feeding import feed
from bodega.shop import Shop
from bodega_accounts.accounts import change_account
from bodega_accounts.models import Account
from bodega_imports.events import import_completed, import_failed
from bodega_imports.models import Import
from bodega_notifications import api
from bodega_notifications.hearing import hear
from bodega_notifications.making import PORTION, Fact, make
from bodega_notifications.models import Delivery, Notification
from bodega_notifications.registry import known
from bodega_sdk import transaction, uuid7
from bodega_sdk.errors import BodegaError
from bodega_sdk.runtime import bound


def fail_import(person: Any, filename: str = "lamps.csv", **members: Any) -> Import:
    run = Import.create(filename=filename, size=1, started_by=str(person.id), **members)
    data = {name: getattr(run, name) for name in import_failed.fields} | {"message": "No SKU."}
    with transaction():
        import_failed.publish(str(run.id), data)
    return run


def test_whoever_began_an_import_is_told_of_its_end(vera: Any, person: Any, jobs: Any) -> None:
    other = person("otto")
    fail_import(vera)
    jobs.run_all()
    (found,) = vera.inbox()
    assert (found["type"], found["read_at"]) == ("import.failed", None)
    assert found["title"] == "lamps.csv could not be imported"
    assert "No SKU." in found["text"]
    assert (vera.unread, other.unread, other.inbox()) == (1, 0, [])


def test_an_import_that_a_command_began_is_told_to_the_team_only(jobs: Any) -> None:
    run = Import.create(filename="a.csv", size=1, started_by="command")
    data = {name: getattr(run, name) for name in import_completed.fields}
    with transaction():
        import_completed.publish(str(run.id), data)
        import_failed.publish(str(run.id), data)
    jobs.run_all()
    (note,) = Notification.select()
    assert (note.type, note.account) == ("import.failed", None)
    assert Delivery.get().channel == "team"


def test_a_real_import_tells_its_vendor(admin: Any, jobs: Any, client: Any) -> None:
    headers = {"Content-Type": "text/csv"}
    answer = admin.post("/api/v1/imports", body=b"sku,name,price\na,A,1\n", headers=headers)
    answer.expect(202)
    jobs.run_all()
    (found,) = admin.get("/api/v1/notifications").expect(200)["results"]
    assert found["type"] == "import.completed"
    assert "Of 1 rows 1 products were created" in found["text"]


def test_who_is_told_of_their_account_cannot_miss_it(vera: Any, jobs: Any, mailbox: Any) -> None:
    vera.prefer(types={"import.failed": {"channels": {"in_app": False}}})
    with transaction():
        change_account(vera.account, {"role": "vendor", "phone": "030"})
    jobs.run_all()
    (found,) = vera.inbox()
    assert found["title"] == "Your account was changed"
    assert "role" in found["text"]
    (mail,) = mailbox.to(vera.email)
    assert mail.subject == found["title"]


def test_what_is_no_matter_of_security_is_no_news(vera: Any, jobs: Any) -> None:
    with transaction():
        change_account(vera.account, {"first_name": "Vera"})
    jobs.run_all()
    assert vera.inbox() == []


def test_somebody_deactivated_is_told_of_that_and_of_nothing_else(
    vera: Any, jobs: Any, mailbox: Any
) -> None:
    with transaction():
        change_account(vera.account, {"is_active": False})
    fail_import(vera)
    jobs.run_all()
    assert [mail.subject for mail in mailbox.to(vera.email)] == ["Your account was changed"]
    assert Notification.select().where(Notification.type == "import.failed").count() == 1


class Killed(BaseException):
    """What ends a worker at once."""


def test_a_feeder_that_dies_in_between_tells_nobody_twice(
    shop: Shop, vera: Any, jobs: Any, mailbox: Any
) -> None:
    fail_import(vera)
    outbox.relay(shop.databases.shop)
    (subscription,) = [item for item in shop.assembly.subscriptions if item.handler is hear]

    def dying(events: list[Any]) -> None:
        hear(events)
        assert Notification.select().where(Notification.account == vera.id).exists()
        raise Killed

    dying.__module__, dying.__qualname__ = hear.__module__, hear.__qualname__
    with pytest.raises(Killed):
        feed(shop.current, replace(subscription, handler=dying))
    assert Notification.select().count() == 0
    assert list(mailbox) == []
    jobs.run_all()
    jobs.run_all()
    assert len(vera.inbox()) == len(mailbox.to(vera.email)) == vera.unread == 1


def test_an_event_that_is_heard_twice_is_told_once(
    shop: Shop, vera: Any, jobs: Any, mailbox: Any
) -> None:
    fail_import(vera)
    jobs.run_all()
    events = [*outbox.read(shop.databases.shop, 0)]
    for _ in range(2):
        with transaction():
            hear(events)
    assert len(vera.inbox()) == len(mailbox.to(vera.email)) == 1
    assert Delivery.select().where(Delivery.channel == "team").count() == 1


def test_what_was_deleted_does_not_come_back(shop: Shop, vera: Any, jobs: Any) -> None:
    fail_import(vera)
    jobs.run_all()
    (found,) = vera.inbox()
    vera.client.delete(f"/api/v1/notifications/{found['id']}").expect(204)
    with transaction():
        hear([*outbox.read(shop.databases.shop, 0)])
    assert (vera.inbox(), vera.unread) == ([], 0)


def test_other_addons_tell_people_by_the_api(vera: Any, person: Any) -> None:
    otto = person("otto")
    data = {"filename": "b.csv", "message": "why", "run": uuid7()}
    told = [vera.id, otto.id, vera.id, uuid7()]
    assert api.notify(told, "import.failed", data, key="run 1") == 3  # The team, too.
    assert api.notify(told, "import.failed", data, key="run 1") == 0
    assert api.notify([otto.id], "import.failed", data) == 2
    assert (vera.unread, otto.unread) == (1, 2)
    with pytest.raises(BodegaError, match=r"no type of notification is called 'x\.y'"):
        api.notify(told, "x.y", {})


def test_a_rolled_back_notification_was_never_made(vera: Any, mailbox: Any) -> None:
    def fail() -> None:
        with transaction():
            api.notify([vera.id], "import.failed", {})
            raise Killed

    with pytest.raises(Killed):
        fail()
    assert (vera.unread, list(mailbox)) == (0, [])


def test_nothing_is_left_of_a_deleted_account(vera: Any) -> None:
    api.notify([vera.id], "import.completed", {"filename": "a.csv"})
    vera.prefer(time_zone="Europe/Berlin")
    vera.account.delete_instance()
    assert Notification.select().count() == 0


def test_facts_of_one_name_and_different_types_are_different_facts(vera: Any) -> None:
    api.notify([vera.id], "import.failed", {}, key="1")
    api.notify([vera.id], "import.completed", {}, key="1")
    assert vera.unread == 2


def test_many_people_are_told_in_portions_and_the_team_once(shop: Shop) -> None:
    rows = [
        {"email": f"p{number}@shop.example", "role": "user", "password": "-"}
        for number in range(PORTION + 50)
    ]
    Account.insert_many(rows).execute()
    everybody = [row.id for row in Account.select(Account.id)]
    told = api.notify(everybody, "import.completed", {"filename": "a.csv"})
    assert told == len(everybody) == Notification.select().count()
    kind = replace(known()["import.completed"], channels=("in_app", "team"))
    with transaction():
        assert make([Fact(kind, "x", tuple(everybody), {})]) == len(everybody) + 1


def test_two_who_tell_the_same_at_once_tell_it_once(shop: Shop, vera: Any, mailbox: Any) -> None:
    told: list[int] = []
    ready = threading.Barrier(4)

    def tell() -> None:
        with bound(shop.current):
            ready.wait(10)
            told.append(api.notify([vera.id], "import.failed", {}, key="the same"))
        shop.databases.close()

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(told) == [0, 0, 0, 2]
    assert len(vera.inbox()) == len(mailbox.to(vera.email)) == vera.unread == 1
