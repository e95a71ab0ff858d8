"""Bodies that are all right.

A new schema of a body needs a line in BODIES; where it depends on the route, say so by its method
and path. A route that reads its body itself needs one in UPLOADS.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from tests.contracts.recipes import (
    RECIPES,
    WEBHOOK,
    a_csv,
    a_point,
    any_product,
    category_body,
    coupon_body,
    move_body,
    order_body,
    payment_body,
    posted,
    product_body,
    return_body,
    review_body,
    rule_body,
    shipping_method_body,
    stocked,
    target_body,
    tax_rate_body,
    uploaded,
    variant_body,
    wish_body,
)
from tests.contracts.world import ADDRESS, PASSWORD, PNG, Person, World

from bodega_accounts import sessions
from bodega_coupons.models import Coupon
from bodega_imports import tus
from bodega_sdk import transaction, uuid7


def _selection(world: World, person: Person) -> dict[str, Any]:
    return {"ids": [posted("vendor", "/products", product_body)(world)]}


def _validation(world: World, person: Person) -> dict[str, Any]:
    known = Coupon.get_by_id(UUID(world.object_of("/coupons/{id}")))
    return {"codes": [known.code], "items": [{"product": RECIPES["/products/{id}"](world)}]}


def _a_line(world: World, person: Person) -> tuple[bytes, str]:
    return f"m,product={any_product(world)} value=7".encode(), "text/plain"


def _the_variant(world: World, person: Person) -> dict[str, Any]:
    made = world.object_of("/variants/{id}")
    shown = world.client(world.people["vendor"]).get(f"/api/v1/variants/{made}").expect(200)
    return {"product": shown["product"], "sku": uuid7().hex}


def _refresh_token(world: World, person: Person) -> dict[str, Any]:
    with transaction():
        pair = sessions.begin(world.people["owner"].account, "203.0.113.9", "a test")
    return {"refresh": pair["refresh"]}


def _picture_form(world: World, person: Person) -> tuple[bytes, str]:
    product = world.products[person.organization].encode()
    said = {'"product"': product, '"file"; filename="x"': PNG}
    parts = (
        b"--b\r\nContent-Disposition: form-data; name=" + name.encode() + b"\r\n\r\n" + data
        for name, data in said.items()
    )
    return b"\r\n".join(parts) + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


def _pictures_in_order(world: World, person: Person) -> dict[str, Any]:
    product = stocked(world, person)["product"]
    made = uploaded(world, product, world.people["admin"])
    return {"product": product, "images": [made["id"]]}


def _credentials(world: World, person: Person) -> dict[str, Any]:
    return {"email": world.people["owner"].account.email, "password": PASSWORD}


BODIES: dict[str, Callable[[World, Person], Any]] = {
    "RegistrationSchema": lambda w, p: {"email": f"{uuid7().hex}@x.example", "password": PASSWORD},
    "TokenSchema": lambda w, p: {"token": "nobody was mailed this"},
    "POST /auth/verify": lambda w, p: {"token": w.people["admin"].token},
    "EmailSchema": lambda w, p: {"email": "somebody@x.example"},
    "LoginSchema": _credentials,
    "RefreshSchema": _refresh_token,
    "NewPasswordSchema": lambda w, p: {"token": "nobody was mailed this", "password": PASSWORD},
    "ProfileSchema": lambda w, p: {"first_name": "Ada"},
    "PasswordChangeSchema": lambda w, p: {"current_password": PASSWORD, "password": PASSWORD},
    "EmailChangeSchema": lambda w, p: {"email": f"{uuid7().hex}@x.example", "password": PASSWORD},
    "ProofSchema": lambda w, p: {"password": PASSWORD},
    "CodeSchema": lambda w, p: {"code": "000000"},
    "CodeAndProofSchema": lambda w, p: {"password": PASSWORD, "code": "000000"},
    "AccountSchema": lambda w, p: {"email": f"{uuid7().hex}@x.example", "password": PASSWORD},
    "OrganizationSchema": lambda w, p: {"name": uuid7().hex},
    "AddressSchema": lambda w, p: ADDRESS,
    # Whoever holds nothing is told so: a key holds something.
    "ApiKeySchema": lambda w, p: {"name": "a key", "scopes": sorted(p.held)[:1]},
    "RotationSchema": lambda w, p: {"overlap_minutes": 5},
    "ProductSchema": product_body,
    "ViewsSchema": lambda w, p: {"views": [{"product": min(w.products.values())}]},
    "CategorySchema": category_body,
    "VariantSchema": variant_body,
    # What there is stays with its product.
    "PUT /variants/{id}": _the_variant,
    "PATCH /variants/{id}": lambda w, p: {"sku": uuid7().hex},
    "TagSchema": lambda w, p: {"name": uuid7().hex},
    "TranslationSchema": lambda w, p: {"name": "Lampe"},
    "PriceSchema": lambda w, p: {"price": "9.00"},
    "BulkSchema": lambda w, p: {"products": [product_body(w, p)]},
    "SelectionSchema": _selection,
    "VerbSchema": lambda w, p: {},
    "WebhookSchema": lambda w, p: WEBHOOK,
    "POST /webhooks/{id}/secret/rotate": lambda w, p: {"overlap_hours": 1},
    "ReplaySchema": lambda w, p: {"dry_run": True},
    "ReplayBodySchema": lambda w, p: {"from": 1},
    "PreferencesSchema": lambda w, p: {},
    "ImageSchema": lambda w, p: {"alt": "A lamp"},
    "LinkSchema": lambda w, p: {"w": 100},
    "OrderSchema": _pictures_in_order,
    "TargetSchema": target_body,
    "ReviewSchema": review_body,
    "RejectionSchema": lambda w, p: {"reason": "It is an ad."},
    "ReportingSchema": lambda w, p: {"reason": "spam"},
    "WishlistSchema": lambda w, p: {"name": "Home"},
    "WishSchema": wish_body,
    "PATCH /wishlists/items/{id}": lambda w, p: {"note": "blue"},
    "CouponSchema": coupon_body,
    "GenerationSchema": lambda w, p: {"kind": "free_shipping", "count": 2},
    "ValidationSchema": _validation,
    "LevelSchema": stocked,
    "PATCH /inventory/levels/{id}": lambda w, p: {"low_stock_threshold": 3},
    "MoveSchema": move_body,
    "CartSchema": lambda w, p: {"currency": "USD"},
    "CartItemSchema": wish_body,
    "QuantitySchema": lambda w, p: {"quantity": 2},
    "MergeSchema": lambda w, p: {"strategy": "max"},
    "TaxRateSchema": tax_rate_body,
    "ShippingMethodSchema": shipping_method_body,
    "OrderingSchema": order_body,
    "PATCH /orders/{id}": lambda w, p: {"carrier": "DHL"},
    "CancellationSchema": lambda w, p: {"reason": "Too dear."},
    "ShipmentSchema": lambda w, p: {"carrier": "DHL"},
    "NoteSchema": lambda w, p: {"note": "Ring twice."},
    "RequestSchema": lambda w, p: return_body(w, w.object_of("/orders/{id}")),
    "AnswerSchema": lambda w, p: {"answer": "All right."},
    "ArrivalSchema": lambda w, p: {},
    "BeginningSchema": payment_body,
    "ConfirmingSchema": lambda w, p: {"payment_method": "pm_card_visa"},
    "CapturingSchema": lambda w, p: {},
    "RefundingSchema": lambda w, p: {"reason": "duplicate"},
    "KeepingSchema": lambda w, p: {"setup_intent": "seti_nobodys"},
    "SettingUpSchema": lambda w, p: {},
    "SettingValueSchema": lambda w, p: {"value": 20},
    "ImportProfileSchema": lambda w, p: {"name": "ERP", "columns": {"Artikel": "sku"}},
    "ExportSchema": lambda w, p: {"columns": ["sku"]},
    "PulseRuleSchema": rule_body,
    "FetchSchema": lambda w, p: {"url": "https://files.example/products.csv"},
}
# And a route that reads its body itself: what to send, and of which media type.
UPLOADS: dict[str, Callable[[World, Person], tuple[bytes, str]]] = {
    "POST /media/images": _picture_form,
    "POST /pulses": a_point,
    "POST /pulses/influx/api/v2/write": _a_line,
    "POST /payments/webhooks/{provider}": lambda world, person: (b"{}", "application/json"),
    "PUT /auth/me/avatar": lambda world, person: (PNG, "image/png"),
    "POST /imports": a_csv,
    "POST /imports/preview": a_csv,
    "PATCH /imports/uploads/{id}": lambda world, person: (b"x", tus.MEDIA),
    "POST /imports/uploads/{id}": lambda world, person: (b"x", tus.MEDIA),
}
