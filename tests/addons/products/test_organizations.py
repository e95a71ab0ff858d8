"""Vendors manage the products of their own organization, and nobody else's."""

from typing import Any
from uuid import UUID

import pytest

from bodega_accounts import sessions
from bodega_accounts.models import Account, Organization
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_sdk import transaction, uuid7
from bodega_sdk.testing.client import Client

PRODUCTS = "/api/v1/products"


def product(sku: str, **members: Any) -> dict[str, Any]:
    return {"name": f"Product {sku}", "sku": sku, "price": "9.99"} | members


@pytest.fixture
def vendor_of(client: Client) -> Any:
    """Return a client of a vendor of an organization, or of one that belongs to none."""

    def make(name: str) -> Client:
        organization = Organization.get_or_none(name=name) if name else None
        if name and organization is None:
            organization = Organization.create(name=name)
        account = Account.create(
            email=f"{uuid7().hex}@shop.example", role="vendor", password="-", preferences={},
            organization=organization,
        )  # fmt: skip
        with transaction():
            pair = sessions.begin(account, "127.0.0.1", "test")
        return Client(client.gate, client.shop, pair["access"])

    return make


def organization_of(name: str) -> str:
    return str(Organization.get(name=name).id)


def test_what_a_vendor_makes_belongs_to_the_vendors_organization(vendor_of: Any) -> None:
    made = vendor_of("Acme").post(PRODUCTS, json=product("a-1")).expect(201)
    assert made["organization"] == organization_of("Acme")


def test_colleagues_may_change_it_and_others_may_not(vendor_of: Any) -> None:
    made = vendor_of("Acme").post(PRODUCTS, json=product("a-1")).expect(201)
    where = f"{PRODUCTS}/{made['id']}"
    colleague, stranger = vendor_of("Acme"), vendor_of("Bolt")
    assert colleague.patch(where, json={"name": "Better"}).expect(200)["name"] == "Better"
    for answer in (
        stranger.patch(where, json={"name": "Mine"}),
        stranger.put(where, json=product("a-1", name="Mine")),
        stranger.delete(where),
    ):
        assert answer.expect(403)["detail"] == "This product is not yours to change."
    assert stranger.get(where).expect(200)["name"] == "Better"
    colleague.delete(where).expect(204)


def test_a_vendor_cannot_say_whose_a_product_is(vendor_of: Any) -> None:
    acme, other = vendor_of("Acme"), uuid7()
    made = acme.post(PRODUCTS, json=product("a-1")).expect(201)
    where = f"{PRODUCTS}/{made['id']}"
    for value in (str(other), None, made["organization"]):
        for answer in (
            acme.post(PRODUCTS, json=product("a-2", organization=value)),
            acme.patch(where, json={"organization": value}),
            acme.put(where, json=product("a-1", organization=value)),
        ):
            assert answer.expect(403)["errors"][0]["field"] == "organization"
    assert acme.put(where, json=product("a-1")).expect(200)["organization"] == made["organization"]


def test_what_a_product_costs_the_shop_is_not_told_by_refusing_a_currency(
    vendor_of: Any, admin: Client
) -> None:
    vendor = vendor_of("Acme")
    where = f"{PRODUCTS}/{vendor.post(PRODUCTS, json=product('a-1')).expect(201)['id']}"
    admin.patch(where, json={"cost": "4.37"}).expect(200)
    answer = vendor.patch(where, json={"currency": "JPY", "price": "10"})
    assert answer.expect(422)["errors"][0]["field"] == "currency"
    assert "4.37" not in answer.text
    body = {"currency": "JPY", "price": "10", "cost": "4"}
    assert admin.patch(where, json=body).expect(200)["cost"] == "4"


def test_a_vendor_of_no_organization_writes_nothing(vendor_of: Any, admin: Client) -> None:
    nobody = vendor_of("")
    assert "no organization" in nobody.post(PRODUCTS, json=product("n-1")).expect(403)["detail"]
    of_the_shop = admin.post(PRODUCTS, json=product("s-1")).expect(201)
    assert of_the_shop["organization"] is None
    nobody.patch(f"{PRODUCTS}/{of_the_shop['id']}", json={"name": "Mine"}).expect(403)


def test_staff_change_everybodys_products_and_give_them_away(
    vendor_of: Any, client: Client
) -> None:
    made = vendor_of("Acme").post(PRODUCTS, json=product("a-1")).expect(201)
    vendor_of("Bolt")
    where, staff = f"{PRODUCTS}/{made['id']}", client.as_user("staff")
    changed = staff.patch(where, json={"organization": organization_of("Bolt")}).expect(200)
    assert changed["organization"] == organization_of("Bolt")
    vendor_of("Acme").patch(where, json={"name": "Mine"}).expect(403)


def test_a_vendor_sees_the_inactive_products_of_their_own_organization_only(
    vendor_of: Any, client: Client
) -> None:
    acme, bolt = vendor_of("Acme"), vendor_of("Bolt")
    made = acme.post(PRODUCTS, json=product("a-1", is_active=False)).expect(201)
    where = f"{PRODUCTS}/{made['id']}"
    assert acme.get(PRODUCTS).json["count"] == client.as_user("staff").get(PRODUCTS).json["count"]
    acme.get(where).expect(200)
    for other in (bolt, client, vendor_of("")):
        assert other.get(PRODUCTS).json["count"] == 0
        other.get(where).expect(404)
        if other is not client:
            other.patch(where, json={"name": "Mine"}).expect(404)


def test_a_list_can_be_narrowed_to_an_organization(vendor_of: Any, client: Client) -> None:
    for name, sku in (("Acme", "a-1"), ("Bolt", "b-1")):
        vendor_of(name).post(PRODUCTS, json=product(sku)).expect(201)
    found = client.get(f"{PRODUCTS}?organization={organization_of('Bolt')}").expect(200)
    assert [item["sku"] for item in found["results"]] == ["b-1"]


def test_categories_are_the_shops(vendor_of: Any, client: Client) -> None:
    vendor_of("Acme").post("/api/v1/categories", json={"name": "Tea"}).expect(403)
    client.as_user("staff").post("/api/v1/categories", json={"name": "Tea"}).expect(201)


def test_many_at_once_for_an_organization_leave_others_products_alone(
    vendor_of: Any, shop: Any
) -> None:
    theirs = vendor_of("Bolt").post(PRODUCTS, json=product("b-1")).expect(201)
    vendor_of("Acme")
    acme = UUID(organization_of("Acme"))
    rows = [
        ProductRow("B-1", {"name": "Taken", "price_minor": 1}),
        ProductRow("a-1", {"name": "Ours", "price_minor": 1}),
        ProductRow("a-2", {"name": "Ours", "price_minor": 1, "category": "Not there"}),
    ]
    outcomes = upsert(rows, "test", acme)
    assert [(item.status, item.column) for item in outcomes] == [
        ("refused", "sku"), ("created", ""), ("refused", "category"),
    ]  # fmt: skip
    assert Product.find(UUID(theirs["id"])).name == "Product b-1"  # type: ignore[union-attr]
    assert Product.get(sku_key="a-1").organization == acme
    again = upsert([ProductRow("a-1", {"name": "Newer", "price_minor": 1})], "test", acme)
    assert [item.status for item in again] == ["updated"]


def test_a_slug_that_is_the_sku_of_another_product_names_neither_to_those_who_write(
    vendor_of: Any, admin: Client
) -> None:
    key = admin.post(PRODUCTS, json=product("S-1")).expect(201)["id"]
    mine = vendor_of("Acme").post(PRODUCTS, json=product("a-1", slug="s-1")).expect(201)["id"]
    where = f"{PRODUCTS}/s-1"
    for answer in (
        admin.patch(where, json={"name": "Better"}),
        admin.put(where, json=product("S-1")),
        admin.put(f"{where}/prices/EUR", json={"price": "1.00"}),
        admin.delete(where),
    ):
        assert answer.expect(409)["errors"][0]["found"] == "s-1"
    assert admin.get(where).expect(200)["id"] == mine
    assert admin.patch(f"{PRODUCTS}/S-1", json={"name": "Better"}).expect(200)["id"] == key
    admin.delete(f"{PRODUCTS}/{mine}").expect(204)
    assert admin.patch(where, json={"name": "Best"}).expect(200)["id"] == key


# What staff take down stays down.


def refused(answer: Any, field: str) -> None:
    found = answer.expect(403)
    assert found["errors"][0]["field"] == field
    assert "products.moderate" in found["detail"]


def test_a_vendor_features_nothing(vendor_of: Any, client: Client) -> None:
    acme, staff = vendor_of("Acme"), client.as_user("staff")
    for value in (True, False):
        refused(acme.post(PRODUCTS, json=product("a-2", is_featured=value)), "is_featured")
    made = acme.post(PRODUCTS, json=product("a-1")).expect(201)
    where = f"{PRODUCTS}/{made['id']}"
    assert made["is_featured"] is False
    refused(acme.patch(where, json={"is_featured": True}), "is_featured")
    rows = [{"id": made["id"], "is_featured": True}]
    answer = acme.post(f"{PRODUCTS}/bulk", json={"products": rows, "atomic": False}).expect(200)
    assert answer["rows"][0]["errors"][0]["field"] == "is_featured"
    staff.patch(where, json={"is_featured": True}).expect(200)
    assert acme.put(where, json=product("a-1")).expect(200)["is_featured"] is True


TAKING_DOWN = {
    "one": lambda who, key: who.patch(f"{PRODUCTS}/{key}", json={"is_active": False}),
    "one of many": lambda who, key: who.post(
        f"{PRODUCTS}/bulk", json={"products": [{"id": key, "is_active": False}]}
    ),
    "the switch": lambda who, key: who.post(f"{PRODUCTS}/bulk/deactivate", json={"ids": [key]}),
}


@pytest.mark.parametrize("how", TAKING_DOWN)
def test_what_staff_make_inactive_its_vendor_cannot_sell_again(
    vendor_of: Any, client: Client, how: str
) -> None:
    acme, staff = vendor_of("Acme"), client.as_user("staff")
    key = acme.post(PRODUCTS, json=product("a-1")).expect(201)["id"]
    where = f"{PRODUCTS}/{key}"
    TAKING_DOWN[how](staff, key).expect(200)
    assert acme.patch(where, json={"name": "Better"}).expect(200)["is_active"] is False
    refused(acme.patch(where, json={"is_active": True}), "is_active")
    refused(acme.put(where, json=product("a-1")), "is_active")
    refused(acme.post(f"{PRODUCTS}/bulk/activate", json={"ids": [key]}), "ids")
    rows = [{"sku": "A-1", "is_active": True}]
    told = acme.post(f"{PRODUCTS}/bulk", json={"products": rows, "atomic": False}).expect(200)
    assert told["refused"] == 1
    file = ProductRow("A-1", {"is_active": True})
    assert upsert([file], "test", UUID(organization_of("Acme")))[0].status == "refused"
    assert client.get(where).status_code == 404
    staff.patch(where, json={"is_active": True}).expect(200)
    acme.patch(where, json={"is_active": False}).expect(200)
    assert acme.patch(where, json={"is_active": True}).expect(200)["is_active"] is True


@pytest.mark.parametrize("how", ["one", "many", "inactive"])
def test_what_staff_delete_its_vendor_cannot_restore(
    vendor_of: Any, client: Client, how: str
) -> None:
    acme, staff = vendor_of("Acme"), client.as_user("staff")
    made = acme.post(PRODUCTS, json=product("a-1", is_active=how != "inactive")).expect(201)
    where = f"{PRODUCTS}/{made['id']}"
    if how == "many":
        staff.post(f"{PRODUCTS}/bulk/delete", json={"ids": [made["id"]]}).expect(200)
    else:
        staff.delete(where).expect(204)
    refused(acme.post(f"{where}/restore"), "is_active")
    staff.post(f"{where}/restore").expect(200)
    acme.delete(where).expect(204)
    acme.post(f"{where}/restore").expect(200)


def test_what_a_vendor_takes_from_sale_it_puts_back(vendor_of: Any, admin: Client) -> None:
    acme = vendor_of("Acme")
    key = acme.post(PRODUCTS, json=product("a-1")).expect(201)["id"]
    where = f"{PRODUCTS}/{key}"
    for off, on in (("deactivate", "activate"), ("delete", None)):
        acme.post(f"{PRODUCTS}/bulk/{off}", json={"ids": [key]}).expect(200)
        back = f"{PRODUCTS}/bulk/{on}" if on else f"{where}/restore"
        acme.post(back, json={"ids": [key]} if on else None).expect(200)
    admin.patch(where, json={"is_active": False}).expect(200)
    upsert([ProductRow("a-1", {"is_active": True})], "test")
    assert Product.get_by_id(key).taken_down_at is None
