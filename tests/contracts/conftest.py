"""Fixtures: the whole house in one shop, everybody who may call it, and what they call it with."""

import hashlib
import importlib.metadata
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from bodega.addons.discovery import GROUP
from bodega.database import outbox
from bodega.database.structure import tables_of
from bodega.database.tables import SubscriptionRow
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.http.operations import kernel_routes
from bodega.permissions import PERMISSIONS
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_accounts import api_keys, avatars, sessions
from bodega_accounts.models import Account, Address, Organization, Session
from bodega_accounts.passwords import hash_password
from bodega_coupons.models import Coupon, Redemption
from bodega_imports import tus
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
from bodega_sdk import Route, now, send_mail, transaction, uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Answer, Client
from bodega_webhooks.fan_out import write_test
from bodega_webhooks.models import Webhook

PASSWORD = "a long password"
HASHED = hash_password(PASSWORD)
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}
WEBHOOK = {"url": "https://receiver.example/hook", "event_types": ["*"]}
CSV = b"name,sku,price\nLamp,L-%s,9.99\n"


def picture() -> bytes:
    """Return a small PNG."""
    made = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(made, "PNG")
    return made.getvalue()


PNG = picture()


@dataclass
class Person:
    """Whoever calls.

    Args:
        token: what is sent; None for nobody in particular.
        held: the permissions of the role, read from the manifests alone; of a key, what
            it was made for of that.
        refused: whether the token is no good.
        is_key: whether it is an API key's.
        organization: the id of the one that is acted for.
    """

    name: str
    token: str | None = None
    account: Any = None
    held: frozenset[str] = frozenset()
    refused: bool = False
    is_key: bool = False
    organization: str = ""

    @property
    def anonymous(self) -> bool:
        """Whether nobody is logged in."""
        return self.account is None


@dataclass
class World:
    """A shop, the people of it, and the objects that they call it about.

    What belongs to somebody belongs to ``owner`` or to the organization of ``vendor``.
    """

    shop: Shop
    people: dict[str, Person] = field(default_factory=dict)
    #: Organization, or nothing for the shop itself → a product of it.
    products: dict[str, str] = field(default_factory=dict)
    _made: dict[str, str] = field(default_factory=dict)

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route that is served, those of the kernel too."""
        return (*self.shop.assembly.routes, *kernel_routes(self.shop.current))

    @property
    def manifests(self) -> list[Any]:
        """Those of the enabled addons."""
        return [addon.manifest for addon in self.shop.assembly.addons]

    @property
    def declared(self) -> frozenset[str]:
        """Every permission that a manifest or the kernel declares."""
        return frozenset(PERMISSIONS).union(*(item.permissions for item in self.manifests))

    def granted(self, role: str) -> frozenset[str]:
        """Return what a role holds, as the manifests say."""
        if role == "admin":
            return self.declared
        return frozenset(name for m in self.manifests for name in m.grants.get(role, ()))

    # People.

    def account(self, role: str = "user", organization: Any = None) -> Account:
        """Make an account."""
        made: Account = Account.create(
            email=f"{uuid7().hex}@example.com", role=role, organization=organization,
            password=HASHED, email_verified_at=now(), preferences={},
        )  # fmt: skip
        avatars.keep(made, PNG)
        return made

    def person(self, name: str, role: str = "user", organization: Any = None) -> Person:
        """Make somebody who is logged in."""
        found = Person(name, account=self.account(role, organization), held=self.granted(role))
        found.organization = str(organization.id) if organization else ""
        self.log_in(found)
        self.people[name] = found
        return found

    def log_in(self, person: Person) -> None:
        """Give somebody a new session, also one who closed their account."""
        Account.update(is_active=True).where(Account.id == person.account.id).execute()
        with transaction():
            person.token = sessions.begin(person.account, "203.0.113.9", "a test")["access"]

    def key_of(self, person: Person, name: str, *scopes: str) -> Person:
        """Make an API key of somebody, the way they would."""
        client = self.client(person)
        made = client.post("/api/v1/api-keys", {"name": name, "scopes": [*scopes]}).expect(201)
        key = Person(name, made["key"], person.account, frozenset(scopes), is_key=True)
        key.organization = person.organization
        self.people[name] = key
        return key

    def client(self, person: Person) -> Client:
        """Return a client that somebody calls with."""
        return Client(Gate(self.shop), self.shop, person.token)

    # What they call.

    def object_of(self, template: str) -> str:
        """Return the id of an object that paths which begin so are about."""
        if template not in self._made:
            with transaction():
                self._made[template] = RECIPES[template](self)
        return self._made[template]

    def used_up(self, template: str) -> None:
        """Forget an object that somebody may have changed."""
        self._made.pop(template, None)

    def template_of(self, route: Route) -> str:
        """Return a route's path up to its first parameter, e.g. ``/users/{id}``."""
        return route.path[: route.path.find("}") + 1]

    def path(self, route: Route) -> str:
        """Return a route's path, of an object that there is."""
        template = self.template_of(route)
        if not template:
            return f"/api/v1{route.path}"
        rest = route.path[len(template) :]
        for name, value in SECOND.items():
            rest = rest.replace(name, value)
        assert "{" not in rest, f"{route.path}: add its second parameter to SECOND"
        return f"/api/v1{template.rpartition('/')[0]}/{self.object_of(template)}{rest}"

    def call(self, person: Person, route: Route, body: Any = None) -> Answer:
        """Call a route as somebody, with a body that is all right."""
        client, path = self.client(person), self.path(route)
        if route.media:
            content, media = UPLOADS[f"{route.method} {route.path}"](self, person)
            headers = {"Content-Type": media}
            return client.request(route.method, path, body=content, headers=headers)
        if route.body is not None and body is None:
            body = self.body(person, route)
        return client.request(route.method, path, body)

    def body(self, person: Person, route: Route) -> Any:
        """Return a body that is all right."""
        special = BODIES.get(f"{route.method} {route.path}")
        make = special or BODIES[route.body.__name__]  # type: ignore[union-attr]
        return make(self, person)

    # What is left of it.

    def digest(self) -> dict[str, str]:
        """Return what stands in every table and which files there are."""
        database = self.shop.databases.shop
        found = {table: _digest(database, table) for table in tables_of(database)}
        files = sorted(str(path) for path in (self.shop.settings.home / "files").rglob("*"))
        return found | {"files": "\n".join(files)}


def _digest(database: Any, table: str) -> str:
    rows = sorted(repr(row) for row in database.execute_sql(f'SELECT * FROM "{table}"'))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


# A new route whose path has a parameter needs a line here: what makes such an object.
# It belongs to people["owner"], or to the organization of people["vendor"].


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


def _posted(who: str, path: str, body: Callable[[World, Person], Any]) -> Callable[[World], str]:
    def make(world: World) -> str:
        person = world.people[who]
        found = world.client(person).post(f"/api/v1{path}", body(world, person)).expect(201)
        return str(found["id"])

    return make


def _an_import(world: World) -> str:
    content, media = UPLOADS["POST /imports"](world, world.people["vendor"])
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
    made = _posted("vendor", "/products", _product)(world)
    vendor, path = world.client(world.people["vendor"]), f"/api/v1/products/{made}"
    vendor.put(f"{path}/translations/de", {"name": "Lampe"}).expect(200)
    vendor.put(f"{path}/prices/EUR", {"price": "9.00"}).expect(200)
    return made


def _a_category(world: World) -> str:
    made = _posted("admin", "/categories", _category)(world)
    admin = world.client(world.people["admin"])
    admin.put(f"/api/v1/categories/{made}/translations/de", {"name": "Lampen"}).expect(200)
    return made


def _a_tag(world: World) -> str:
    """Of a product that is sold: others are shown to nobody but those who write them."""
    admin, name = world.client(world.people["admin"]), uuid7().hex
    made = _product(world, world.people["admin"]) | {"tags": [name]}
    admin.post("/api/v1/products", made).expect(201)
    return str(admin.get(f"/api/v1/tags/{name}").expect(200)["id"])


def _variant(world: World, person: Person) -> dict[str, Any]:
    """Of a product of whoever makes it, or of the vendor's."""
    owner = person if person.organization else world.people["vendor"]
    product = world.client(owner).post("/api/v1/products", _product(world, owner)).expect(201)
    return {"product": product["id"], "sku": uuid7().hex}


def _selection(world: World, person: Person) -> dict[str, Any]:
    return {"ids": [_posted("vendor", "/products", _product)(world)]}


def _product(world: World, person: Person) -> dict[str, Any]:
    return {"name": "Lamp", "sku": uuid7().hex, "price": "9.99"}


def _category(world: World, person: Person) -> dict[str, Any]:
    return {"name": f"Lamps {uuid7().hex}"}


def _target(world: World, person: Person) -> dict[str, Any]:
    return {"name": "a telephone", "url": "json://1.1.1.1/x"}


def _a_notification(world: World) -> str:
    owner = world.people["owner"].account.id
    notify([owner], "import.failed", {"filename": "a.csv", "message": "x", "id": uuid7().hex})
    found = Notification.select().where(Notification.account == owner)
    return str(found.order_by(Notification.id.desc()).get().id)


def _review(world: World, person: Person) -> dict[str, Any]:
    return {"product": RECIPES["/products/{id}"](world), "rating": 4, "text": "It works."}


def _a_review(world: World) -> str:
    made = _posted("owner", "/reviews", _review)(world)
    # Approved, so that others see it.
    world.client(world.people["admin"]).post(f"/api/v1/reviews/{made}/approve").expect(200)
    return made


def _wish(world: World, person: Person) -> dict[str, Any]:
    return {"product": RECIPES["/products/{id}"](world)}


def _a_wishlist(world: World) -> str:
    return _posted("owner", "/wishlists", lambda world, person: {"name": "Home"})(world)


def _a_shared_wishlist(world: World) -> str:
    owner = world.client(world.people["owner"])
    shared = owner.post(f"/api/v1/wishlists/{_a_wishlist(world)}/share").expect(200)
    return str(shared["token"])


def _stocked(world: World, person: Person) -> dict[str, Any]:
    """Make a product of whoever calls, or of the shop."""
    sku = uuid7().hex
    upsert([ProductRow(sku, {"name": "Lamp", "price_minor": 999, "currency": "USD"})], "a test")
    made = Product.get(Product.sku == sku).id
    whose = person.organization or None
    Product.update(organization=whose).where(Product.id == made).execute()
    return {"product": str(made)}


def _move(world: World, person: Person) -> dict[str, Any]:
    return {"kind": "receipt", "items": [_stocked(world, person) | {"quantity": 5}]}


def _a_movement(world: World) -> str:
    vendor = world.people["vendor"]
    made = world.client(vendor).post("/api/v1/inventory/movements", _move(world, vendor))
    return str(made.expect(201)["results"][0]["id"])


def _a_reservation(world: World) -> str:
    item = inventory.Item(UUID(_stocked(world, world.people["vendor"])["product"]))
    inventory.receive([item])
    reference = inventory.reserve([item], uuid7().hex).reference
    return str(Reservation.get(Reservation.reference == reference).id)


def _order(world: World, person: Person) -> dict[str, Any]:
    """Order a thing that the shop has; a guest says their address."""
    product = UUID(_stocked(world, world.people["vendor"])["product"])
    inventory.receive([inventory.Item(product, None, 5)])
    # Digital: whatever ways of shipping there are meanwhile, it needs none.
    Product.update(is_digital=True).where(Product.id == product).execute()
    sent = {"items": [{"product": str(product)}], "shipping_address": ADDRESS}
    return sent if person.account else sent | {"email": "guest@example.com"}


def _an_order(world: World) -> str:
    return _posted("owner", "/orders", _order)(world)


def _a_shipped_order(world: World) -> str:
    made, admin = _an_order(world), world.client(world.people["admin"])
    for action, sent in (("confirm", None), ("process", None), ("ship", {})):
        admin.post(f"/api/v1/orders/{made}/{action}", sent).expect(200)
    return made


def _sending_back(world: World, order: str) -> dict[str, Any]:
    shown = world.client(world.people["admin"]).get(f"/api/v1/orders/{order}").expect(200)
    return {"lines": [{"line": shown["lines"][0]["id"], "quantity": 1}], "reason": "Too small."}


def _an_ordered_line(world: World) -> str:
    return str(_sending_back(world, _an_order(world))["lines"][0]["line"])


def _a_return(world: World) -> str:
    order, owner = _a_shipped_order(world), world.client(world.people["owner"])
    path = f"/api/v1/orders/{order}/returns"
    return str(owner.post(path, _sending_back(world, order)).expect(201)["id"])


def _paying(world: World, person: Person) -> dict[str, Any]:
    """Pay for an order of whoever calls; a guest's token cannot be sent here."""
    payer = person if person.account else world.people["owner"]
    order = world.client(payer).post("/api/v1/orders", _order(world, payer))
    made = order.json["id"] if order.status_code == 201 else _an_order(world)
    return {"order": made, "payment_method": "pm_card_threeDSecure2Required"}


def _an_intent(world: World) -> str:
    made = _posted("owner", "/payments", _paying)(world)
    return str(Payment.get_by_id(made).provider_id)


def _a_method(world: World) -> str:
    body = {"payment_method": "pm_card_visa"}
    owner = world.client(world.people["owner"])
    setup = owner.post("/api/v1/payments/setup-intents", body).expect(201)
    sent = {"setup_intent": setup["id"]}
    return str(owner.post("/api/v1/payments/methods", sent).expect(201)["id"])


#: Parameters of paths behind the first one, and the values that recipes see to.
SECOND = {
    "{language}": "de", "{currency}": "EUR", "{item}": "01a1fd7c-0000-7000-8000-000000000001",
}  # fmt: skip


def _coupon(world: World, person: Person) -> dict[str, Any]:
    return {"code": uuid7().hex, "kind": "percentage", "percent": "10"}


def _a_coupon(world: World) -> str:
    made = _posted("admin", "/coupons", _coupon)(world)
    used = {"order": uuid7(), "number": "1", "email": "ada@example.com", "amount_minor": 1}
    Redemption.create(coupon=made, currency="USD", **used)
    return made


def _validation(world: World, person: Person) -> dict[str, Any]:
    known = Coupon.get_by_id(UUID(world.object_of("/coupons/{id}")))
    return {"codes": [known.code], "items": [{"product": RECIPES["/products/{id}"](world)}]}


def _a_cart(world: World) -> str:
    """With something in it that may be changed: a product that is gone."""
    made = Cart.create(account=world.people["owner"].account.id, currency="USD")
    thing = UUID(SECOND["{item}"])
    CartItem.create(cart=made.id, item=thing, product=thing, quantity=1)
    return str(made.id)


def _tax_rate(world: World, person: Person) -> dict[str, Any]:
    return {"country": "DE", "region": uuid7().hex, "rate": 1900, "label": "VAT 19 %"}


def _shipping_method(world: World, person: Person) -> dict[str, Any]:
    return {"code": uuid7().hex, "label": "Post", "price": "4.90"}


def _uploaded(world: World, product: str, person: Person) -> Any:
    client, where = world.client(person), "/api/v1/media/images"
    headers, params = {"Content-Type": "image/png"}, {"product": product}
    return client.post(where, body=PNG, headers=headers, params=params).expect(201)


def _a_picture(world: World) -> Any:
    return _uploaded(world, _a_product(world), world.people["vendor"])


def _a_wanted_picture(world: World) -> str:
    row = Wanted.create(
        product=_a_product(world), organization=world.people["vendor"].organization,
        url="https://pictures.example/lamp.jpg", digest=uuid7().hex,
    )  # fmt: skip
    return str(row.id)


def _a_series(world: World) -> str:
    body, media = _a_point(world, world.people["staff"])
    headers = {"Content-Type": media}
    client = world.client(world.people["staff"])
    client.request("POST", "/api/v1/pulses", body=body, headers=headers).expect(200)
    return str(Series.select().order_by(Series.number.desc()).get().id)


def _a_point(world: World, person: Person) -> tuple[bytes, str]:
    found = {"product": _any_product(world), "timestamp": f"{now():%FT%TZ}", "value": 99}
    return json.dumps(found).encode(), "application/json"


def _a_line(world: World, person: Person) -> tuple[bytes, str]:
    return f"m,product={_any_product(world)} value=7".encode(), "text/plain"


def _any_product(world: World) -> str:
    return next(iter(world.products.values()))


def _a_rule(world: World, person: Person) -> dict[str, Any]:
    return {"name": "Warm", "kind": "above", "threshold": 30}


def _an_alert(world: World) -> str:
    world.object_of("/pulses/rules/{id}")
    _a_series(world)
    rolling.settle()
    alerting.watch()
    return str(Alert.select().order_by(Alert.id.desc()).get().id)


RECIPES: dict[str, Callable[[World], str]] = {
    "/pulses/series/{id}": _a_series,
    "/pulses/rules/{id}": _posted("staff", "/pulses/rules", _a_rule),
    "/pulses/alerts/{id}": _an_alert,
    "/users/{id}": lambda world: str(world.account().id),
    "/organizations/{id}": lambda world: str(Organization.create(name=uuid7().hex).id),
    "/addresses/{id}": _an_address,
    "/api-keys/{id}": _a_key,
    "/auth/sessions/{id}": _a_session,
    "/products/{id}": _a_product,
    "/categories/{id}": _a_category,
    "/variants/{id}": _posted("vendor", "/variants", _variant),
    "/tags/{id}": _a_tag,
    "/imports/{id}": _an_import,
    "/imports/uploads/{id}": _an_upload,
    "/imports/profiles/{id}": _posted("vendor", "/imports/profiles", lambda w, p: {"name": "ERP"}),
    "/exports/{id}": _an_export,
    # An import has the id of its job.
    "/jobs/{id}": _an_import,
    "/events/subscriptions/{name}": _a_subscription,
    "/webhooks/{id}": _posted("admin", "/webhooks", lambda world, person: WEBHOOK),
    "/webhooks/deliveries/{id}": _a_delivery,
    "/webhooks/replays/{id}": _a_replay,
    "/notifications/{id}": _a_notification,
    "/notifications/targets/{id}": _posted("owner", "/notifications/targets", _target),
    "/notifications/templates/{type}": lambda world: "import.failed",
    "/reviews/{id}": _a_review,
    "/reviews/mine/{id}": _a_review,
    "/wishlists/{id}": _a_wishlist,
    "/wishlists/items/{id}": _posted("owner", "/wishlists/items", _wish),
    "/wishlists/shared/{token}": _a_shared_wishlist,
    "/inventory/levels/{id}": _posted("vendor", "/inventory/levels", _stocked),
    "/inventory/movements/{id}": _a_movement,
    "/inventory/reservations/{id}": _a_reservation,
    "/media/images/{id}": lambda world: str(_a_picture(world)["id"]),
    "/media/wanted/{id}": _a_wanted_picture,
    "/media/{key}": lambda world: str(_a_picture(world)["hash"]),
    "/carts/{id}": _a_cart,
    "/coupons/{id}": _a_coupon,
    "/tax-rates/{id}": _posted("staff", "/tax-rates", _tax_rate),
    "/shipping-methods/{id}": _posted("staff", "/shipping-methods", _shipping_method),
    "/orders/{id}": _an_order,
    "/orders/lines/{id}": _an_ordered_line,
    "/orders/returns/{id}": _a_return,
    "/payments/{id}": _posted("owner", "/payments", _paying),
    "/payments/methods/{id}": _a_method,
    "/payments/sandbox/{intent}": _an_intent,
    "/payments/webhooks/{provider}": lambda world: "sandbox",
    "/mail/{id}": lambda world: str(send_mail("ada@example.com", "Hello", "World")),
    "/addons/{name}": lambda world: "imports",
    "/settings/{name}": lambda world: "accounts.access_minutes",
    "/hooks/{name}": lambda world: "products.quote_price",
}


def _the_variant(world: World, person: Person) -> dict[str, Any]:
    made = world.object_of("/variants/{id}")
    shown = world.client(world.people["vendor"]).get(f"/api/v1/variants/{made}").expect(200)
    return {"product": shown["product"], "sku": uuid7().hex}


# A new schema of a body needs a line here: a body that is all right. Where it depends on
# the route, say so by its method and path.


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
    product = _stocked(world, person)["product"]
    made = _uploaded(world, product, world.people["admin"])
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
    "ProductSchema": _product,
    "ViewsSchema": lambda w, p: {"views": [{"product": min(w.products.values())}]},
    "CategorySchema": _category,
    "VariantSchema": _variant,
    # What there is stays with its product.
    "PUT /variants/{id}": _the_variant,
    "PATCH /variants/{id}": lambda w, p: {"sku": uuid7().hex},
    "TagSchema": lambda w, p: {"name": uuid7().hex},
    "TranslationSchema": lambda w, p: {"name": "Lampe"},
    "PriceSchema": lambda w, p: {"price": "9.00"},
    "BulkSchema": lambda w, p: {"products": [_product(w, p)]},
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
    "TargetSchema": _target,
    "ReviewSchema": _review,
    "RejectionSchema": lambda w, p: {"reason": "It is an ad."},
    "ReportingSchema": lambda w, p: {"reason": "spam"},
    "WishlistSchema": lambda w, p: {"name": "Home"},
    "WishSchema": _wish,
    "PATCH /wishlists/items/{id}": lambda w, p: {"note": "blue"},
    "CouponSchema": _coupon,
    "GenerationSchema": lambda w, p: {"kind": "free_shipping", "count": 2},
    "ValidationSchema": _validation,
    "LevelSchema": _stocked,
    "PATCH /inventory/levels/{id}": lambda w, p: {"low_stock_threshold": 3},
    "MoveSchema": _move,
    "CartSchema": lambda w, p: {"currency": "USD"},
    "CartItemSchema": _wish,
    "QuantitySchema": lambda w, p: {"quantity": 2},
    "MergeSchema": lambda w, p: {"strategy": "max"},
    "TaxRateSchema": _tax_rate,
    "ShippingMethodSchema": _shipping_method,
    "OrderingSchema": _order,
    "PATCH /orders/{id}": lambda w, p: {"carrier": "DHL"},
    "CancellationSchema": lambda w, p: {"reason": "Too dear."},
    "ShipmentSchema": lambda w, p: {"carrier": "DHL"},
    "NoteSchema": lambda w, p: {"note": "Ring twice."},
    "RequestSchema": lambda w, p: _sending_back(w, w.object_of("/orders/{id}")),
    "AnswerSchema": lambda w, p: {"answer": "All right."},
    "ArrivalSchema": lambda w, p: {},
    "BeginningSchema": _paying,
    "ConfirmingSchema": lambda w, p: {"payment_method": "pm_card_visa"},
    "CapturingSchema": lambda w, p: {},
    "RefundingSchema": lambda w, p: {"reason": "duplicate"},
    "KeepingSchema": lambda w, p: {"setup_intent": "seti_nobodys"},
    "SettingUpSchema": lambda w, p: {},
    "SettingValueSchema": lambda w, p: {"value": 20},
    "ImportProfileSchema": lambda w, p: {"name": "ERP", "columns": {"Artikel": "sku"}},
    "ExportSchema": lambda w, p: {"columns": ["sku"]},
    "PulseRuleSchema": _a_rule,
    "FetchSchema": lambda w, p: {"url": "https://files.example/products.csv"},
}

# And a route that reads its body itself: what to send, and of which media type.
UPLOADS: dict[str, Callable[[World, Person], tuple[bytes, str]]] = {
    "POST /media/images": _picture_form,
    "POST /pulses": _a_point,
    "POST /pulses/influx/api/v2/write": _a_line,
    "POST /payments/webhooks/{provider}": lambda world, person: (b"{}", "application/json"),
    "PUT /auth/me/avatar": lambda world, person: (PNG, "image/png"),
    "POST /imports": lambda world, person: (CSV % uuid7().hex.encode(), "text/csv"),
    "POST /imports/preview": lambda world, person: (CSV % uuid7().hex.encode(), "text/csv"),
    "PATCH /imports/uploads/{id}": lambda world, person: (b"x", tus.MEDIA),
    "POST /imports/uploads/{id}": lambda world, person: (b"x", tus.MEDIA),
}


# The shop and its people.


def _first_party() -> tuple[str, ...]:
    """Return the names of every addon of the house, so that a new one is tested at once."""
    found = importlib.metadata.entry_points(group=GROUP)
    return tuple(sorted({e.name for e in found if e.value.startswith("bodega_manifests.")}))


@pytest.fixture
def settings(
    engine: str, tmp_path: Path, templates: Any, request: pytest.FixtureRequest
) -> Iterator[Settings]:
    """Settings of a copy of the shop that has every addon of the house."""
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    made = templates.copy(engine, _first_party(), tmp_path / "shop", server)
    yield made
    if server:
        servers.drop_database(server, made.database_url.rpartition("/")[2])


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """The shop, bound to the test."""
    made = Shop(settings, build_app, connections=10)
    made.refresh()
    assert {addon.name for addon in made.assembly.addons} == set(_first_party())
    with bound(made.current):
        yield made
    made.databases.close()


@pytest.fixture
def world(shop: Shop) -> World:
    """The shop with its people, but those whose tokens are no good."""
    found = World(shop)
    found.people["anonymous"] = Person("anonymous")
    with transaction():
        ours, theirs = (Organization.create(name=name) for name in ("Ours", "Theirs"))
    for name, role, organization in (
        ("owner", "user", None),
        ("other user", "user", None),
        ("vendor", "vendor", ours),
        ("other vendor", "vendor", theirs),
        ("vendor of none", "vendor", None),
        ("staff", "staff", None),
        ("admin", "admin", None),
    ):
        made = found.person(name, role, organization)
        found.products[made.organization] = _stocked(found, made)["product"]
    return found


@pytest.fixture
def recipes() -> dict[str, Any]:
    """What makes objects."""
    return RECIPES


@pytest.fixture
def bodies() -> dict[str, Any]:
    """Bodies of requests."""
    return BODIES


@pytest.fixture
def uploads() -> dict[str, Any]:
    """Bodies that handlers read themselves."""
    return UPLOADS
