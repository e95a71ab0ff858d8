"""The routes: levels, movements, reservations, and whose they are."""

from typing import Any

import pytest

from bodega_accounts.models import Organization
from bodega_inventory import api
from bodega_inventory.api import Item
from bodega_inventory.models import Level
from bodega_sdk import transaction, uuid7
from bodega_sdk.errors import Conflict

ROOT = "/api/v1/inventory"


def one(item: Item, quantity: int) -> dict[str, Any]:
    variant = None if item.variant is None else str(item.variant)
    return {"product": str(item.product), "variant": variant, "quantity": quantity}


def moving(kind: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": kind, "items": list(items)} | more


def test_stock_is_moved_and_shown(store: Any, admin: Any) -> None:
    item = store.item(0, "LAMP")
    body = moving("receipt", one(item, 7), reason="delivered", reference="delivery-7")
    (line,) = admin.post(f"{ROOT}/movements", body).expect(201)["results"]
    assert (line["kind"], line["quantity"], line["available"], line["sku"]) == (
        "receipt", 7, 7, "LAMP"
    )  # fmt: skip
    level = admin.get(f"{ROOT}/levels/{item.id}").expect(200)
    assert (level["on_hand"], level["reserved"], level["available"]) == (7, 0, 7)
    assert (level["sku"], level["name"]) == ("LAMP", "Product LAMP")
    assert (level["in_stock"], level["low_stock"], level["tracked"]) == (True, False, True)
    found = admin.get(f"{ROOT}/movements?reference=delivery-7").expect(200)["results"]
    assert [row["id"] for row in found] == [line["id"]]


def test_a_movement_of_many_is_all_or_nothing(store: Any, admin: Any) -> None:
    lamp, chair = store.item(5, "LAMP"), store.item(1, "CHAIR")
    api.receive([lamp, chair])
    answer = admin.post(f"{ROOT}/movements", moving("sale", one(lamp, 2), one(chair, 2)))
    problem = answer.expect(409)
    assert problem["errors"] == [
        {"field": "items.1.quantity", "message": "CHAIR: 1 can be had.", "found": 2}
    ]
    assert problem["short"][0]["available"] == 1
    assert store.level(lamp).available == 5


def test_sent_again_with_its_key_a_movement_happens_once(store: Any, admin: Any) -> None:
    item = store.item()
    body = moving("receipt", one(item, 7), key="delivery-7")
    first = admin.post(f"{ROOT}/movements", body).expect(201)
    assert admin.post(f"{ROOT}/movements", body).expect(201) == first
    other = moving("receipt", one(item, 8), key="delivery-7")
    assert admin.post(f"{ROOT}/movements", other).expect(409)["errors"][0]["field"] == "key"
    assert store.level(item).on_hand == 7


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "reservation", "items": []}, "kind"),
        ({"kind": "receipt", "items": []}, "items"),
        ({"kind": "receipt", "items": [{"quantity": 1}]}, "items.0.product"),
        ({"kind": "receipt", "items": [{"product": str(uuid7()), "quantity": 0}]},
         "items.0.quantity"),
        ({"kind": "receipt", "items": [{"product": str(uuid7()), "quantity": -1}]},
         "items.0.quantity"),
        ({"kind": "receipt", "items": [{"product": str(uuid7()), "quantity": 1}]},
         "items.0.product"),
        ({"kind": "adjustment", "items": [{"product": str(uuid7()), "quantity": 2**40}]},
         "items.0.quantity"),
    ],
)  # fmt: skip
def test_what_cannot_be_moved_is_refused_by_name(
    store: Any, admin: Any, body: Any, field: str
) -> None:
    errors = admin.post(f"{ROOT}/movements", body).expect(422)["errors"]
    assert field in [error["field"] for error in errors]


def test_rules_of_a_level_are_set(store: Any, admin: Any) -> None:
    item = store.item()
    body = {"product": str(item.product), "tracked": False}
    made = admin.post(f"{ROOT}/levels", body).expect(201)
    assert (made["id"], made["in_stock"], made["available"]) == (str(item.id), True, 0)
    again = admin.post(f"{ROOT}/levels", body).expect(409)
    assert again["errors"][0]["field"] == "product"
    changed = {"tracked": True, "backorder": True, "backorder_limit": 2, "low_stock_threshold": 9}
    found = admin.patch(f"{ROOT}/levels/{item.id}", changed).expect(200)
    assert {name: found[name] for name in changed} == changed
    api.reserve([Item(item.product, None, 2)], "cart-1")
    for wrong in ({"backorder": False}, {"backorder_limit": 1}):
        (field,) = wrong
        answer = admin.patch(f"{ROOT}/levels/{item.id}", wrong).expect(409)
        assert answer["errors"][0]["field"] == field
    moved = admin.patch(f"{ROOT}/levels/{item.id}", {"product": str(uuid7())}).expect(422)
    assert moved["errors"][0]["field"] == "product"
    unknown = admin.post(f"{ROOT}/levels", {"product": str(uuid7())}).expect(422)
    assert unknown["errors"][0]["field"] == "product"


def test_a_level_is_changed_only_as_it_was_read(store: Any, admin: Any) -> None:
    item = store.item(3)
    api.receive([item])
    where = f"{ROOT}/levels/{item.id}"
    tag = admin.get(where).headers["etag"]
    api.sell([Item(item.product)])
    sent = {"low_stock_threshold": 1}
    assert admin.patch(where, sent, headers={"If-Match": tag}).status_code == 412
    tag = admin.get(where).headers["etag"]
    assert admin.patch(where, sent, headers={"If-Match": tag}).expect(200)["low_stock"] is False


def test_levels_are_narrowed_and_ordered(store: Any, admin: Any) -> None:
    many, few = store.item(50, "MANY"), store.item(2, "FEW")
    api.receive([many, few])
    none = store.item(1, "NONE")
    api.receive([none])
    api.sell([none])

    def skus(query: str) -> list[str]:
        found = admin.get(f"{ROOT}/levels?{query}").expect(200)["results"]
        return [item["sku"] for item in found]

    assert skus("ordering=-available") == ["MANY", "FEW", "NONE"]
    assert skus("low_stock=true&ordering=available") == ["NONE", "FEW"]
    assert skus("in_stock=false") == ["NONE"]
    assert skus("available_min=2&available_max=10") == ["FEW"]
    assert skus(f"product={many.product}") == ["MANY"]


def test_reservations_are_listed_and_released(store: Any, admin: Any) -> None:
    item = store.item(5, "LAMP")
    api.receive([item])
    api.reserve([Item(item.product, None, 2)], "cart-1")
    (row,) = admin.get(f"{ROOT}/reservations?status=open").expect(200)["results"]
    assert (row["reference"], row["quantity"], row["sku"]) == ("cart-1", 2, "LAMP")
    done = admin.post(f"{ROOT}/reservations/{row['id']}/release").expect(200)
    assert done["status"] == "released"
    assert store.level(item).available == 5
    answer = admin.post(f"{ROOT}/reservations/{row['id']}/release").expect(409)
    assert answer["errors"][0]["field"] == "status"


def test_a_part_that_was_released_keeps_the_rest_from_being_sold(store: Any, admin: Any) -> None:
    lamp, chair = store.item(5), store.item(5)
    api.receive([lamp, chair])
    api.reserve([lamp, chair], "cart-1")
    row = admin.get(f"{ROOT}/reservations?product={lamp.product}").expect(200)["results"][0]
    admin.post(f"{ROOT}/reservations/{row['id']}/release").expect(200)
    with pytest.raises(Conflict, match="part of this reservation"):
        api.commit("cart-1")
    api.release("cart-1")
    assert store.level(chair).available == 5


def test_vendors_see_and_move_the_stock_of_their_own_organization(
    store: Any, vendor_of: Any, admin: Any
) -> None:
    with transaction():
        acme, bolt = (Organization.create(name=name) for name in ("Acme", "Bolt"))
    ours = Item(store.product("OURS", organization=acme.id))
    theirs = Item(store.product("THEIRS", organization=bolt.id))
    vendor = vendor_of(acme)
    vendor.post(f"{ROOT}/movements", moving("receipt", one(ours, 5))).expect(201)
    admin.post(f"{ROOT}/movements", moving("receipt", one(theirs, 5))).expect(201)
    api.reserve([ours, theirs], "cart-1")
    for name in ("levels", "movements", "reservations"):
        seen = vendor.get(f"{ROOT}/{name}").expect(200)["results"]
        assert {row["sku"] for row in seen} == {"OURS"}
        everything = admin.get(f"{ROOT}/{name}").expect(200)["results"]
        assert {row["sku"] for row in everything} == {"OURS", "THEIRS"}
    for body in (moving("receipt", one(theirs, 1)), moving("sale", one(ours, 1), one(theirs, 1))):
        vendor.post(f"{ROOT}/movements", body).expect(403)
    vendor.patch(f"{ROOT}/levels/{theirs.id}", {"tracked": False}).expect(404)
    vendor.post(f"{ROOT}/levels", {"product": str(theirs.product)}).expect(403)
    assert store.level(ours).on_hand == store.level(theirs).on_hand == 5


def test_a_key_of_one_organization_is_nothing_to_another(store: Any, vendor_of: Any) -> None:
    with transaction():
        acme, bolt = (Organization.create(name=name) for name in ("Acme", "Bolt"))
    for one_of_them in (acme, bolt):
        item, vendor = Item(store.product(organization=one_of_them.id)), vendor_of(one_of_them)
        body = moving("receipt", one(item, 5), key="delivery-7")
        first = vendor.post(f"{ROOT}/movements", body).expect(201)
        assert vendor.post(f"{ROOT}/movements", body).expect(201) == first
        assert store.level(item).on_hand == 5


def test_the_stock_goes_with_the_product_to_another_organization(
    store: Any, vendor_of: Any, admin: Any
) -> None:
    with transaction():
        acme, bolt = (Organization.create(name=name) for name in ("Acme", "Bolt"))
    item = Item(store.product("LAMP", organization=acme.id), None, 5)
    api.receive([item])
    admin.patch(f"/api/v1/products/{item.product}", {"organization": str(bolt.id)}).expect(200)
    vendor_of(acme).post(f"{ROOT}/movements", moving("sale", one(item, 1))).expect(403)
    # That the level is not theirs is written down only when the event was heard.
    vendor_of(acme).patch(f"{ROOT}/levels/{item.id}", {"tracked": False}).expect(403)
    store.work()
    assert vendor_of(acme).get(f"{ROOT}/levels").expect(200)["count"] == 0
    assert vendor_of(bolt).get(f"{ROOT}/levels").expect(200)["count"] == 1


def test_customers_neither_see_nor_move_stock(store: Any, client: Any) -> None:
    item = store.item(5)
    api.receive([item])
    customer = client.as_user()
    assert customer.get(f"{ROOT}/levels").status_code == 403
    assert client.get(f"{ROOT}/levels").status_code == 401
    body = moving("receipt", one(item, 1))
    assert customer.post(f"{ROOT}/movements", body).status_code == 403
    assert Level.get_by_id(item.id).on_hand == 5
