"""What makes an object that a path is about.

A new route whose path has a parameter needs a line in RECIPES: what makes such an object. It
belongs to people["owner"], or to the organization of people["vendor"].
"""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from tests.contracts.world import ADDRESS, PNG, SECOND, Person, World

from bodega.database import outbox
from bodega.database.tables import SubscriptionRow
from bodega_accounts import api_keys, sessions
from bodega_accounts.models import Address, Organization, Session
from bodega_coupons.models import Redemption
from bodega_imports.export_models import Export
from bodega_imports.exporting import exports_folder
from bodega_imports.report import report_of
from bodega_imports.uploads import create as begin_upload
from bodega_inventory import api as inventory
from bodega_inventory.models import Reservation
from bodega_media.models import Wanted
from bodega_notifications.api import notify
from bodega_notifications.models import Notification
from bodega_orders.cart_models import Cart, CartItem
from bodega_payments.models import Payment
from bodega_products.api import ProductRow, upsert
from bodega_products.models import Product
from bodega_pulses import alerting, rolling
from bodega_pulses.models import Alert, Series
from bodega_sdk import now, send_mail, uuid7
from bodega_webhooks.fan_out import write_test
from bodega_webhooks.models import Webhook

WEBHOOK = {"url": "https://receiver.example/hook", "event_types": ["*"]}
CSV = b"name,sku,price\nLamp,L-%s,9.99\n"


def _an_address(world: World) -> str:
    return str(Address.create(account=world.people["owner"].account, kind="both", **ADDRESS).id)


def _a_session(world: World) -> str:
    owner = world.people["owner"].account
    sessions.begin(owner, "203.0.113.9", "another device")
    mine = Session.select().where(Session.account == owner, Session.agent == "another device")
    return str(mine.order_by(Session.created_at.desc()).get().id)


def _a_key(world: World) -> str:
    data = {"name": "a key", "scopes": [], "expires_at": None}
    return str(api_keys.make(world.people["owner"].account, data, frozenset())[0].id)


def posted(who: str, path: str, body: Callable[[World, Person], Any]) -> Callable[[World], str]:
    def make(world: World) -> str:
        person = world.people[who]
        found = world.client(person).post(f"/api/v1{path}", body(world, person)).expect(201)
        return str(found["id"])

    return make


def a_csv(world: World, person: Person) -> tuple[bytes, str]:
    return CSV % uuid7().hex.encode(), "text/csv"


def _an_import(world: World) -> str:
    content, media = a_csv(world, world.people["vendor"])
    vendor = world.client(world.people["vendor"])
    headers = {"Content-Type": media}
    answer = vendor.request("POST", "/api/v1/imports", body=content, headers=headers)
    made = str(answer.expect(202)["id"])
    report_of(made).write_text("sku\n")
    return made


def _an_export(world: World) -> str:
    vendor = world.client(world.people["vendor"])
    made = str(vendor.post("/api/v1/exports", {}).expect(202)["id"])
    (exports_folder() / made).write_bytes(b"sku\n")
    done = {"status": "completed", "finished_at": now(), "stored": made, "sha256": "0" * 64}
    Export.update(done).where(Export.id == made).execute()
    return made


def _an_upload(world: World) -> str:
    upload = begin_upload(world.people["owner"].account.id, 9, "")
    return str(upload.id)


def _a_subscription(world: World) -> str:
    outbox.relay(world.shop.databases.shop)
    newest = outbox.last_offset(world.shop.databases.shop)
    return str(SubscriptionRow.create(name=f"gone.{uuid7().hex}", offset=newest).name)


def _a_delivery(world: World) -> str:
    # Of a webhook of its own: the other one may have been deleted.
    return str(write_test(Webhook.get_by_id(RECIPES["/webhooks/{id}"](world))))


def _a_replay(world: World) -> str:
    admin = world.client(world.people["admin"])
    path = f"/api/v1/webhooks/{RECIPES['/webhooks/{id}'](world)}/replay"
    return str(admin.post(path, {}).expect(202)["id"])


def _a_product(world: World) -> str:
    made = posted("vendor", "/products", product_body)(world)
    vendor, path = world.client(world.people["vendor"]), f"/api/v1/products/{made}"
    vendor.put(f"{path}/translations/de", {"name": "Lampe"}).expect(200)
    vendor.put(f"{path}/prices/EUR", {"price": "9.00"}).expect(200)
    return made


def _a_category(world: World) -> str:
    made = posted("admin", "/categories", category_body)(world)
    admin = world.client(world.people["admin"])
    admin.put(f"/api/v1/categories/{made}/translations/de", {"name": "Lampen"}).expect(200)
    return made


def _a_tag(world: World) -> str:
    """Of a product that is sold: others are shown to nobody but those who write them."""
    admin, name = world.client(world.people["admin"]), uuid7().hex
    made = product_body(world, world.people["admin"]) | {"tags": [name]}
    admin.post("/api/v1/products", made).expect(201)
    return str(admin.get(f"/api/v1/tags/{name}").expect(200)["id"])


def variant_body(world: World, person: Person) -> dict[str, Any]:
    """Of a product of whoever makes it, or of the vendor's."""
    owner = person if person.organization else world.people["vendor"]
    product = world.client(owner).post("/api/v1/products", product_body(world, owner)).expect(201)
    return {"product": product["id"], "sku": uuid7().hex}


def product_body(world: World, person: Person) -> dict[str, Any]:
    return {"name": "Lamp", "sku": uuid7().hex, "price": "9.99"}


def category_body(world: World, person: Person) -> dict[str, Any]:
    return {"name": f"Lamps {uuid7().hex}"}


def target_body(world: World, person: Person) -> dict[str, Any]:
    return {"name": "a telephone", "url": "json://1.1.1.1/x"}


def _a_notification(world: World) -> str:
    owner = world.people["owner"].account.id
    notify([owner], "import.failed", {"filename": "a.csv", "message": "x", "id": uuid7().hex})
    found = Notification.select().where(Notification.account == owner)
    return str(found.order_by(Notification.id.desc()).get().id)


def review_body(world: World, person: Person) -> dict[str, Any]:
    return {"product": RECIPES["/products/{id}"](world), "rating": 4, "text": "It works."}


def _a_review(world: World) -> str:
    made = posted("owner", "/reviews", review_body)(world)
    # Approved, so that others see it.
    world.client(world.people["admin"]).post(f"/api/v1/reviews/{made}/approve").expect(200)
    return made


def wish_body(world: World, person: Person) -> dict[str, Any]:
    return {"product": RECIPES["/products/{id}"](world)}


def _a_wishlist(world: World) -> str:
    return posted("owner", "/wishlists", lambda world, person: {"name": "Home"})(world)


def _a_shared_wishlist(world: World) -> str:
    owner = world.client(world.people["owner"])
    shared = owner.post(f"/api/v1/wishlists/{_a_wishlist(world)}/share").expect(200)
    return str(shared["token"])


def stocked(world: World, person: Person) -> dict[str, Any]:
    """Make a product of whoever calls, or of the shop."""
    sku = uuid7().hex
    upsert([ProductRow(sku, {"name": "Lamp", "price_minor": 999, "currency": "USD"})], "a test")
    made = Product.get(Product.sku == sku).id
    whose = person.organization or None
    Product.update(organization=whose).where(Product.id == made).execute()
    return {"product": str(made)}


def move_body(world: World, person: Person) -> dict[str, Any]:
    return {"kind": "receipt", "items": [stocked(world, person) | {"quantity": 5}]}


def _a_movement(world: World) -> str:
    vendor = world.people["vendor"]
    made = world.client(vendor).post("/api/v1/inventory/movements", move_body(world, vendor))
    return str(made.expect(201)["results"][0]["id"])


def _a_reservation(world: World) -> str:
    item = inventory.Item(UUID(stocked(world, world.people["vendor"])["product"]))
    inventory.receive([item])
    reference = inventory.reserve([item], uuid7().hex).reference
    return str(Reservation.get(Reservation.reference == reference).id)


def order_body(world: World, person: Person) -> dict[str, Any]:
    """Order a thing that the shop has; a guest says their address."""
    product = UUID(stocked(world, world.people["vendor"])["product"])
    inventory.receive([inventory.Item(product, None, 5)])
    # Digital: whatever ways of shipping there are meanwhile, it needs none.
    Product.update(is_digital=True).where(Product.id == product).execute()
    sent = {"items": [{"product": str(product)}], "shipping_address": ADDRESS}
    return sent if person.account else sent | {"email": "guest@example.com"}


def _an_order(world: World) -> str:
    return posted("owner", "/orders", order_body)(world)


def _a_shipped_order(world: World) -> str:
    made, admin = _an_order(world), world.client(world.people["admin"])
    for action, sent in (("confirm", None), ("process", None), ("ship", {})):
        admin.post(f"/api/v1/orders/{made}/{action}", sent).expect(200)
    return made


def return_body(world: World, order: str) -> dict[str, Any]:
    shown = world.client(world.people["admin"]).get(f"/api/v1/orders/{order}").expect(200)
    return {"lines": [{"line": shown["lines"][0]["id"], "quantity": 1}], "reason": "Too small."}


def _an_ordered_line(world: World) -> str:
    return str(return_body(world, _an_order(world))["lines"][0]["line"])


def _a_return(world: World) -> str:
    order, owner = _a_shipped_order(world), world.client(world.people["owner"])
    path = f"/api/v1/orders/{order}/returns"
    return str(owner.post(path, return_body(world, order)).expect(201)["id"])


def payment_body(world: World, person: Person) -> dict[str, Any]:
    """Pay for an order of whoever calls; a guest's token cannot be sent here."""
    payer = person if person.account else world.people["owner"]
    order = world.client(payer).post("/api/v1/orders", order_body(world, payer))
    made = order.json["id"] if order.status_code == 201 else _an_order(world)
    return {"order": made, "payment_method": "pm_card_threeDSecure2Required"}


def _an_intent(world: World) -> str:
    made = posted("owner", "/payments", payment_body)(world)
    return str(Payment.get_by_id(made).provider_id)


def _a_method(world: World) -> str:
    body = {"payment_method": "pm_card_visa"}
    owner = world.client(world.people["owner"])
    setup = owner.post("/api/v1/payments/setup-intents", body).expect(201)
    sent = {"setup_intent": setup["id"]}
    return str(owner.post("/api/v1/payments/methods", sent).expect(201)["id"])


def coupon_body(world: World, person: Person) -> dict[str, Any]:
    return {"code": uuid7().hex, "kind": "percentage", "percent": "10"}


def _a_coupon(world: World) -> str:
    made = posted("admin", "/coupons", coupon_body)(world)
    used = {"order": uuid7(), "number": "1", "email": "ada@example.com", "amount_minor": 1}
    Redemption.create(coupon=made, currency="USD", **used)
    return made


def _a_cart(world: World) -> str:
    """With something in it that may be changed: a product that is gone."""
    made = Cart.create(account=world.people["owner"].account.id, currency="USD")
    thing = UUID(SECOND["{item}"])
    CartItem.create(cart=made.id, item=thing, product=thing, quantity=1)
    return str(made.id)


def tax_rate_body(world: World, person: Person) -> dict[str, Any]:
    return {"country": "DE", "region": uuid7().hex, "rate": 1900, "label": "VAT 19 %"}


def shipping_method_body(world: World, person: Person) -> dict[str, Any]:
    return {"code": uuid7().hex, "label": "Post", "price": "4.90"}


def uploaded(world: World, product: str, person: Person) -> Any:
    client, where = world.client(person), "/api/v1/media/images"
    headers, params = {"Content-Type": "image/png"}, {"product": product}
    return client.post(where, body=PNG, headers=headers, params=params).expect(201)


def _a_picture(world: World) -> Any:
    return uploaded(world, _a_product(world), world.people["vendor"])


def _a_wanted_picture(world: World) -> str:
    row = Wanted.create(
        product=_a_product(world), organization=world.people["vendor"].organization,
        url="https://pictures.example/lamp.jpg", digest=uuid7().hex,
    )  # fmt: skip
    return str(row.id)


def _a_series(world: World) -> str:
    body, media = a_point(world, world.people["staff"])
    headers = {"Content-Type": media}
    client = world.client(world.people["staff"])
    client.request("POST", "/api/v1/pulses", body=body, headers=headers).expect(200)
    return str(Series.select().order_by(Series.number.desc()).get().id)


def a_point(world: World, person: Person) -> tuple[bytes, str]:
    found = {"product": any_product(world), "timestamp": f"{now():%FT%TZ}", "value": 99}
    return json.dumps(found).encode(), "application/json"


def any_product(world: World) -> str:
    return next(iter(world.products.values()))


def rule_body(world: World, person: Person) -> dict[str, Any]:
    return {"name": "Warm", "kind": "above", "threshold": 30}


def _an_alert(world: World) -> str:
    world.object_of("/pulses/rules/{id}")
    _a_series(world)
    rolling.settle()
    alerting.watch()
    return str(Alert.select().order_by(Alert.id.desc()).get().id)


RECIPES: dict[str, Callable[[World], str]] = {
    "/pulses/series/{id}": _a_series,
    "/pulses/rules/{id}": posted("staff", "/pulses/rules", rule_body),
    "/pulses/alerts/{id}": _an_alert,
    "/users/{id}": lambda world: str(world.account().id),
    "/organizations/{id}": lambda world: str(Organization.create(name=uuid7().hex).id),
    "/addresses/{id}": _an_address,
    "/api-keys/{id}": _a_key,
    "/auth/sessions/{id}": _a_session,
    "/products/{id}": _a_product,
    "/categories/{id}": _a_category,
    "/variants/{id}": posted("vendor", "/variants", variant_body),
    "/tags/{id}": _a_tag,
    "/imports/{id}": _an_import,
    "/imports/uploads/{id}": _an_upload,
    "/imports/profiles/{id}": posted("vendor", "/imports/profiles", lambda w, p: {"name": "ERP"}),
    "/exports/{id}": _an_export,
    # An import has the id of its job.
    "/jobs/{id}": _an_import,
    "/events/subscriptions/{name}": _a_subscription,
    "/webhooks/{id}": posted("admin", "/webhooks", lambda world, person: WEBHOOK),
    "/webhooks/deliveries/{id}": _a_delivery,
    "/webhooks/replays/{id}": _a_replay,
    "/notifications/{id}": _a_notification,
    "/notifications/targets/{id}": posted("owner", "/notifications/targets", target_body),
    "/notifications/templates/{type}": lambda world: "import.failed",
    "/reviews/{id}": _a_review,
    "/reviews/mine/{id}": _a_review,
    "/wishlists/{id}": _a_wishlist,
    "/wishlists/items/{id}": posted("owner", "/wishlists/items", wish_body),
    "/wishlists/shared/{token}": _a_shared_wishlist,
    "/inventory/levels/{id}": posted("vendor", "/inventory/levels", stocked),
    "/inventory/movements/{id}": _a_movement,
    "/inventory/reservations/{id}": _a_reservation,
    "/media/images/{id}": lambda world: str(_a_picture(world)["id"]),
    "/media/wanted/{id}": _a_wanted_picture,
    "/media/{key}": lambda world: str(_a_picture(world)["hash"]),
    "/carts/{id}": _a_cart,
    "/coupons/{id}": _a_coupon,
    "/tax-rates/{id}": posted("staff", "/tax-rates", tax_rate_body),
    "/shipping-methods/{id}": posted("staff", "/shipping-methods", shipping_method_body),
    "/orders/{id}": _an_order,
    "/orders/lines/{id}": _an_ordered_line,
    "/orders/returns/{id}": _a_return,
    "/payments/{id}": posted("owner", "/payments", payment_body),
    "/payments/methods/{id}": _a_method,
    "/payments/sandbox/{intent}": _an_intent,
    "/payments/webhooks/{provider}": lambda world: "sandbox",
    "/mail/{id}": lambda world: str(send_mail("ada@example.com", "Hello", "World")),
    "/addons/{name}": lambda world: "imports",
    "/settings/{name}": lambda world: "accounts.access_minutes",
    "/hooks/{name}": lambda world: "products.quote_price",
}
