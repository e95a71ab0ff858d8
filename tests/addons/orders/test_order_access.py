"""Who sees and changes what of orders; lists, notes, vendors' lines, channels and mail."""

from typing import Any
from uuid import UUID

import pytest

from bodega.database.tables import MailRow
from bodega_accounts.models import Account, Organization
from bodega_notifications.models import Notification
from bodega_orders.keeping import bought
from bodega_orders.models import Order
from bodega_orders.reaching import may_follow
from bodega_products.models import Product
from bodega_sdk import Identity, uuid7
from bodega_sdk.testing.queries import query_counter

ORDERS = "/api/v1/orders"
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB",
           "phone": "+44 1"}  # fmt: skip


@pytest.fixture
def order(goods: Any) -> Any:
    """Place an order of one thing: ``order(vera.client, price=100)``."""

    def place(client: Any, lamp: Any = None, quantity: int = 1, **members: Any) -> Any:
        product = lamp or goods.make(price=members.pop("price", 1000))
        items = [{"product": str(product), "quantity": quantity}]
        sent = {"items": items, "shipping_address": ADDRESS} | members
        return client.post(ORDERS, sent).expect(201)

    return place


def test_everybody_lists_their_own_orders_and_staff_all_of_them(
    vera: Any, otto: Any, staff: Any, client: Any, order: Any
) -> None:
    cheap, dear = order(vera.client, price=100), order(vera.client, price=9900)
    other = order(otto.client)
    guest = order(client, email="eve@shop.example")

    def numbers(who: Any, query: str = "") -> list[str]:
        shown = who.client.get(f"{ORDERS}?{query}").expect(200)
        assert shown["count"] == len(shown["results"])
        return [one["number"] for one in shown["results"]]

    assert numbers(vera) == [dear["number"], cheap["number"]]
    assert len(numbers(staff)) == 4
    client.get(ORDERS).expect(401)
    # Nobody finds others' orders by filters.
    assert numbers(vera, f"account={otto.id}") == numbers(vera, f"number={other['number']}") == []
    assert numbers(vera, "email=eve@shop.example") == []
    assert numbers(staff, "email=eve@shop.example") == [guest["number"]]
    assert numbers(staff, f"account={otto.id}") == [other["number"]]
    assert numbers(vera, "total_min=1.01") == numbers(vera, "total_max=99&total_min=50") == [
        dear["number"]
    ]  # fmt: skip
    assert numbers(vera, "ordering=total") == [cheap["number"], dear["number"]]
    vera.client.post(f"{ORDERS}/{cheap['id']}/cancel", {}).expect(200)
    assert numbers(vera, "status=cancelled") == [cheap["number"]]
    assert len(numbers(vera, "status=pending,cancelled&payment_status=unpaid")) == 2
    assert numbers(vera, "created_after=2100-01-01") == []
    assert len(numbers(vera, "created_before=2100-01-01&include=lines")) == 2
    for wrong in ("status=gone", "created_after=x", "total_min=x", "colour=red"):
        vera.client.get(f"{ORDERS}?{wrong}").expect(400)
    page = vera.client.get(f"{ORDERS}?page_size=1").expect(200)
    assert page["next"]
    assert len(page["results"][0]["lines"]) == 1


def test_a_list_takes_as_many_statements_for_ten_orders_as_for_one(
    vera: Any, staff: Any, order: Any, goods: Any
) -> None:
    lamp = goods.make(stock=100)
    counts = []
    for many in (1, 9):
        for _ in range(many):
            order(vera.client, lamp)
        with query_counter() as queries:
            for path in (ORDERS, f"{ORDERS}/lines"):
                staff.client.get(path).expect(200)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8, queries


def test_nobody_touches_anothers_order(vera: Any, otto: Any, client: Any, order: Any) -> None:
    path = f"{ORDERS}/{order(vera.client)['id']}"
    for who in (otto.client, client):
        for tail in ("", "/history", "/returns"):
            who.get(path + tail).expect(404)
        who.post(f"{path}/cancel", {}).expect(404)
        who.post(f"{path}/notes", {"note": "Mine."}).expect(404)
    otto.client.patch(path, {"carrier": "x"}).expect(403)
    vera.client.patch(path, {"carrier": "x"}).expect(403)
    for name, value in (("status", "paid"), ("total", "0.01"), ("payment_status", "paid")):
        vera.client.patch(path, {name: value}).expect(403)
    assert Order.get().status == "pending"


def test_staff_write_what_customers_do_not_read(vera: Any, staff: Any, order: Any) -> None:
    path = f"{ORDERS}/{order(vera.client)['id']}"
    sent = {"staff_note": "Asks a lot.", "tracking_number": "42"}
    assert staff.client.patch(path, sent).expect(200)["staff_note"] == "Asks a lot."
    for name in ("status", "total", "payment_status", "captured", "number", "lines"):
        staff.client.patch(path, {name: "1"}).expect(422)
    shown = vera.client.get(path).expect(200)
    assert "staff_note" not in shown
    assert shown["tracking_number"] == "42"
    vera.client.get(f"{path}?fields=staff_note").expect(403)
    staff.client.post(f"{path}/notes", {"note": "Fraud?", "visible": False}).expect(201)
    staff.client.post(f"{path}/notes", {"note": "We call you."}).expect(201)
    vera.client.post(f"{path}/notes", {"note": "Thanks."}).expect(201)
    vera.client.post(f"{path}/notes", {"note": "Hm.", "visible": False}).expect(403)
    theirs = vera.client.get(f"{path}/history").expect(200)["results"]
    assert [one["note"] for one in theirs] == ["", "We call you.", "Thanks."]
    assert all("account" not in one for one in theirs)
    ours = staff.client.get(f"{path}/history").expect(200)["results"]
    assert [one["note"] for one in ours] == ["", "Fraud?", "We call you.", "Thanks."]
    assert ours[1]["account"] == staff.id


def test_vendors_see_lines_of_their_own_organization_and_whereto_while_it_is_to_be_sent(
    vera: Any, staff: Any, person: Any, client: Any, goods: Any
) -> None:
    acme = Organization.create(name="Acme")
    other = Organization.create(name="Other")
    ours = goods.make(organization=acme.id)
    theirs = goods.make(organization=other.id)
    vendor = client.as_user("vendor", subject=person("vic", role="vendor").id)
    items = [{"product": str(ours)}, {"product": str(theirs)}]
    sent = {"items": items, "shipping_address": ADDRESS, "note": "My doorbell is broken."}
    made = vera.client.post(ORDERS, sent).expect(201)
    account = Account.get(Account.email == "vic@shop.example")
    token = client.shop.current.issue_token(
        str(account.id), ("vendor",), "access", __import__("datetime").timedelta(minutes=5),
        {"org": str(acme.id)},
    )  # fmt: skip
    header = {"Authorization": f"Bearer {token}"}
    (line,) = client.get(f"{ORDERS}/lines", headers=header).expect(200)["results"]
    assert (line["product"], line["number"], line["status"]) == (
        str(ours), made["number"], "pending",
    )  # fmt: skip
    assert line["ship_to"] is None
    staff.client.post(f"{ORDERS}/{made['id']}/confirm").expect(200)
    (line,) = client.get(f"{ORDERS}/lines?status=confirmed", headers=header).expect(200)["results"]
    assert line["ship_to"]["city"] == "London"
    for secret in ("vera@", "+44", "doorbell", str(theirs), vera.id):
        assert secret not in str(line)
    mine = f"{ORDERS}/lines?organization={other.id}"
    assert client.get(mine, headers=header).expect(200)["results"] == []
    client.get(f"{ORDERS}/{made['id']}", headers=header).expect(404)
    vera.client.get(f"{ORDERS}/lines").expect(403)
    vendor.get(f"{ORDERS}/lines").expect(403)
    assert staff.client.get(f"{ORDERS}/lines").expect(200)["count"] == 2


def test_customers_are_told_once_by_their_inbox_or_by_mail(
    vera: Any, staff: Any, client: Any, order: Any, jobs: Any
) -> None:
    mine, guests = order(vera.client), order(client, email="eve@shop.example")
    for one in (mine, guests):
        staff.client.post(f"{ORDERS}/{one['id']}/confirm").expect(200)
    jobs.run_all()
    jobs.run_all()
    told = [row.type for row in Notification.select().where(Notification.account == vera.id)]
    assert sorted(told) == ["order.confirmed", "order.placed"]
    news = [row.type for row in Notification.select().where(Notification.account == staff.id)]
    assert news == ["order.received"] * 2
    mails = list(MailRow.select().where(MailRow.to == "eve@shop.example").order_by(MailRow.id))
    assert [row.subject for row in mails] == [
        f"We have your order {guests['number']}", f"Your order {guests['number']} is confirmed",
    ]  # fmt: skip
    assert len({row.message_id for row in mails}) == 2
    theirs = MailRow.select().where(MailRow.to == "vera@shop.example")
    assert theirs.count() == 2


def test_a_channel_is_followed_by_whose_order_it_is(vera: Any, otto: Any, order: Any) -> None:
    made = order(vera.client)
    use, all_ = frozenset({"orders.use"}), frozenset({"orders.use", "orders.read_all"})

    def may(who: str, held: frozenset[str], key: str = made["id"]) -> bool:
        return may_follow(Identity(subject=who, permissions=held), key)

    assert may(vera.id, use)
    assert may(otto.id, all_)
    assert not may(otto.id, use)
    assert not may(vera.id, frozenset())
    assert not any(may(vera.id, all_, key) for key in (str(uuid7()), "x"))


def test_what_somebody_bought_is_known_once_it_is_confirmed(
    vera: Any, otto: Any, staff: Any, order: Any, goods: Any
) -> None:
    lamp = goods.make()
    made = order(vera.client, lamp)
    assert not bought(UUID(vera.id), (lamp,))
    staff.client.post(f"{ORDERS}/{made['id']}/confirm").expect(200)
    with query_counter() as queries:
        assert bought(UUID(vera.id), (lamp, uuid7())) == {lamp}
    assert len(queries) == 1
    assert not bought(UUID(otto.id), (lamp,))


def test_orders_outlive_their_account_and_products(
    vera: Any, staff: Any, order: Any, goods: Any
) -> None:
    lamp = goods.make(price=700)
    made = order(vera.client, lamp)
    staff.client.post(f"{ORDERS}/{made['id']}/cancel", {}).expect(200)
    Product.delete().where(Product.id == lamp).execute()
    Account.delete().where(Account.id == UUID(vera.id)).execute()
    shown = staff.client.get(f"{ORDERS}/{made['number']}").expect(200)
    assert (shown["account"], shown["total"], shown["lines"][0]["sku"]) == (None, "7.00", "P-1")
    assert shown["email"] == "vera@shop.example"


def test_profiles_link_to_ones_orders(vera: Any) -> None:
    assert vera.client.get("/api/v1/auth/me").expect(200)["links"]["orders"] == "/api/v1/orders"
