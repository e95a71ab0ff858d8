"""A row in each collection of a shop that has everything around its catalogue."""

import base64
from typing import Any
from uuid import UUID

from bodega_accounts import avatars, sessions
from bodega_accounts.logging_in import find
from bodega_accounts.models import Account
from bodega_coupons.models import Redemption
from bodega_imports.export_models import Export
from bodega_imports.exporting import exports_folder
from bodega_imports.report import report_of
from bodega_inventory import api as inventory
from bodega_inventory.models import Movement, Reservation
from bodega_media.models import Wanted
from bodega_payments.models import Payment
from bodega_pulses import alerting, rolling
from bodega_pulses.models import Alert, Series
from bodega_sdk import now, send_mail, transaction, uuid7
from bodega_sdk.testing.deployment import ADMIN

PASSWORD = "a long password"
PICTURE = base64.b64decode(b"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
#: What every request says that goes on with an upload.
TUS = {"Tus-Resumable": "1.0.0"}
ROWS: dict[str, list[dict[str, Any]]] = {
    "/categories": [{"name": "Lamps"}, {"name": "Chairs"}],
    "/products": [
        {"name": "Lamp", "sku": "L-1", "price": "29.99", "category": "lamps"},
        {"name": "Chair", "sku": "C-1", "price": "99.00"},
    ],
    "/tags": [{"name": "Red"}, {"name": "Blue"}],
    "/imports/profiles": [{"name": "ERP", "columns": {"A": "sku"}}, {"name": "POS"}],
    "/users": [{"email": "vera@example.com", "password": PASSWORD, "role": "vendor"}],
    "/organizations": [{"name": "Acme"}, {"name": "Bolt"}],
    "/addresses": [
        {"name": "Ada", "line1": "Broad Street 1", "city": "London", "country": "GB"},
        {"name": "Ada", "line1": "Narrow Street 2", "city": "London", "country": "GB"},
    ],
    "/api-keys": [{"name": "till", "scopes": ["accounts.read"]}],
    "/wishlists": [{"name": "Home"}, {"name": "Office"}],
    "/carts": [{"codes": ["SPRING"]}],
    "/coupons": [
        {"code": "SPRING", "kind": "percentage", "percent": "10"},
        {"code": "SHIP", "kind": "free_shipping"},
    ],
    "/tax-rates": [{"rate": 1900, "label": "VAT"}, {"rate": 700, "label": "VAT", "country": "DE"}],
    "/shipping-methods": [
        {"code": "post", "label": "Post", "price": "4.90"},
        {"code": "drone", "label": "Drone", "price": "9.90"},
    ],
    "/pulses/rules": [
        {"name": "Warm", "kind": "above", "threshold": 30},
        {"name": "Cold", "kind": "below", "threshold": 3},
    ],
}
#: What is made for each of two products, and what is said of it besides.
BELOW_PRODUCTS: dict[str, dict[str, Any]] = {
    "/inventory/levels": {},
    "/reviews": {"rating": 4},
    "/wishlists/items": {},
}


def fill(admin: Any) -> dict[str, str]:
    """Make a row in each collection; return their ids by its path, and the caller's as ``me``."""
    made: dict[str, Any] = {"/addons": "products", "/settings": "imports.largest_mb",
                            "/hooks": "quote_price"}  # fmt: skip
    for path, sent in ROWS.items():
        for body in sent:
            made.setdefault(path, admin.post(f"/api/v1{path}", body).json["id"])
    chair = made["chair"] = admin.get("/api/v1/products/C-1").json["id"]
    for size in ("S", "L"):
        variant = {"product": chair, "options": {"Size": size}}
        made["/variants"] = admin.post("/api/v1/variants", variant).json["id"]
    for path, words in (("/products", "Lampe"), ("/categories", "Lampen")):
        admin.put(f"/api/v1{path}/{made[path]}/translations/de", {"name": words})
    admin.put(f"/api/v1/products/{made['/products']}/prices/EUR", {"price": "1.00"})
    upload = {"headers": {"Content-Type": "text/csv"}, "body": "sku,name,price\nA,B,1\n"}
    made["/imports"] = made["/jobs"] = admin.post("/api/v1/imports", **upload).json["id"]
    admin.post("/api/v1/imports", **upload)
    report_of(made["/imports"]).write_text("sku\n")
    begun = admin.post("/api/v1/imports/uploads", headers=TUS | {"Upload-Length": "9"})
    made["/imports/uploads"] = begun.headers["Location"].rpartition("/")[2]
    _an_export(admin)
    made["/exports"] = _an_export(admin)
    with transaction():
        made["/mail"] = str(send_mail("vera@example.com", "Hello", "Hello, Vera."))
        for account in Account.select():
            avatars.keep(account, PICTURE)
        me = find(ADMIN[0])
        assert me is not None
        sessions.begin(me, "127.0.0.1", "test")
    made["/auth/sessions"], made["me"] = str(sessions.living(me.id).get().id), str(me.id)
    _fill_the_catalogue(admin, made)
    return made


def _an_export(admin: Any) -> str:
    made: str = admin.post("/api/v1/exports", {}).expect(202)["id"]
    (exports_folder() / made).write_bytes(b"sku\n")
    done = {"status": "completed", "finished_at": now(), "stored": made, "sha256": "0" * 64}
    Export.update(done).where(Export.id == made).execute()
    return made


def _fill_the_catalogue(admin: Any, made: dict[str, Any]) -> None:
    """Make rows of what belongs to products: two of each where there is a list of them."""
    products = [made["/products"], made["chair"]]
    for product in products:
        picture = {"headers": {"Content-Type": "image/gif"}, "params": {"product": product}}
        shown = admin.post("/api/v1/media/images", body=PICTURE, **picture).expect(201)
        made["/media/images"], made["/media"] = shown["id"], shown["hash"]
        row = Wanted.create(product=UUID(product), url="https://x.example/y", digest="0")
        made["/media/wanted"] = str(row.id)
        for path, more in BELOW_PRODUCTS.items():
            made[path] = admin.post(f"/api/v1{path}", {"product": product} | more).json["id"]
    for number in ("1", "2"):
        used = {"order": uuid7(), "number": number, "email": "", "amount_minor": 1}
        Redemption.create(coupon=made["/coupons"], currency="USD", **used)
    shared = admin.post(f"/api/v1/wishlists/{made['/wishlists']}/share").expect(200)
    made["/wishlists/shared"] = shared["token"]
    item = inventory.Item(UUID(made["/products"]))
    inventory.receive([inventory.Item(item.product, None, 9)])
    for reference in ("one", "two"):
        inventory.reserve([item], reference)
    _pay(admin, made)
    _measure(admin, made)
    made["/inventory/reservations"] = str(Reservation.get().id)
    made["/inventory/movements"] = str(Movement.get().id)


def _measure(admin: Any, made: dict[str, Any]) -> None:
    """Record points of two series, and raise two alerts."""
    point = {"product": made["/products"], "timestamp": f"{now():%FT%TZ}", "value": 31}
    admin.post("/api/v1/pulses", [point, point | {"unit": "C"}]).expect(200)
    rolling.settle()
    alerting.watch()
    made["/pulses/series"] = str(Series.get().id)
    made["/pulses/alerts"] = str(Alert.get().id)


def _pay(admin: Any, made: dict[str, Any]) -> None:
    """Make payments and what belongs to them: two of each where there is a list of them."""
    where = {"name": "Ada", "line1": "Broad Street 1", "city": "London", "country": "GB"}
    for number in range(2):
        sent = {"items": [{"product": made["/products"]}], "shipping_address": where}
        sent["shipping_method"] = "post"
        order = admin.post("/api/v1/orders", sent).expect(201)["id"]
        sent = {"order": order, "payment_method": "pm_card_visa"}
        made["/payments"] = admin.post("/api/v1/payments", sent).expect(201)["id"]
        method = {"payment_method": ("pm_card_visa", "pm_card_amex")[number]}
        setup = admin.post("/api/v1/payments/setup-intents", method).expect(201)["id"]
        kept = admin.post("/api/v1/payments/methods", {"setup_intent": setup}).expect(201)
        made["/payments/methods"] = kept["id"]
    made["/payments/webhooks"] = "sandbox"
    made["/payments/sandbox"] = str(Payment.get_by_id(made["/payments"]).provider_id)
    made["/orders"] = order
    for _ in range(2):
        made["/orders/returns"] = _send_back(admin, order, where)


def _send_back(admin: Any, order: str, where: Any) -> str:
    """Order something that is sent, and ask to send it back; return the return's id."""
    lines = admin.get(f"/api/v1/orders/{order}").json["lines"]
    items = [{"product": one["product"]} for one in lines]
    sent = {"items": items, "shipping_address": where, "shipping_method": "post"}
    made = admin.post("/api/v1/orders", sent).expect(201)
    path = f"/api/v1/orders/{made['id']}"
    for action, body in (("confirm", None), ("process", None), ("ship", {})):
        admin.post(f"{path}/{action}", body).expect(200)
    back = {"lines": [{"line": made["lines"][0]["id"], "quantity": 1}], "reason": "Too small."}
    return str(admin.post(f"{path}/returns", back).expect(201)["id"])
