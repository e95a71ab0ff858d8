"""Bad input gets a problem document that names the field, and changes nothing.

The attacks are derived from the routes of the Assembly, so that a new route is attacked
without a line being written here.
"""

import base64
import json
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from falcon import testing
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import fields

from bodega.database.tables import AddonRow, EventRow, JobRow, SettingRow
from bodega.http.operations import kernel_routes
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_accounts import avatars, limits, sessions
from bodega_accounts.logging_in import find
from bodega_accounts.models import Account
from bodega_analytics import viewing
from bodega_analytics.resources import USAGE
from bodega_coupons.limits import QUESTIONS
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
from bodega_sdk import Route, now, send_mail, transaction, uuid7
from bodega_sdk import schemas as kinds
from bodega_sdk.testing import servers
from bodega_sdk.testing.deployment import ADMIN

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow

#: What must never leave the API: tracebacks, SQL, the files and libraries behind it.
LEAK = re.compile(
    rb'Traceback|File "|\bSELECT\b|INSERT INTO|psycopg|sqlite|peewee|-packages|\.py\b'
)
MEMBERS = {"type", "title", "status", "detail", "request_id"}
#: Bytes of the largest refusal: what was sent is shown, but shortened.
LARGEST_REFUSAL = 100_000
JSON = {"Content-Type": "application/json"}
#: What every request says that goes on with an upload.
TUS = {"Tus-Resumable": "1.0.0"}
LIMITS = (limits.PROOFS, limits.CODES, limits.FROM_ADDRESS, limits.REGISTRATIONS,
          limits.MAILS_FROM_ADDRESS, QUESTIONS, USAGE, viewing.LIMIT)  # fmt: skip
NOT_FOUND = "01a1fd7c-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Attack:
    """A request that must be refused; ``names`` is the field to be named, None for any."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    names: str | None = None

    def __str__(self) -> str:
        sent = f"{self.method} {self.path[:90]}?{self.query[:90]} {self.body[:90]!r}"
        return f"{sent} {str(self.headers)[:90] if self.headers else ''}"


@dataclass(frozen=True)
class Answer:
    """What came back; the status 599 means that an exception left the application."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Target:
    """A shop with a row in each collection, and the administrator's token."""

    shop: Shop
    gate: Any
    token: str
    ids: dict[str, str]
    me: str = ""

    def send(self, attack: Attack) -> Answer:
        """Send a request as it is; testing's own client would correct some of them."""
        headers = {"Authorization": f"Bearer {self.token}"} | attack.headers
        environ = testing.create_environ("/", headers=headers, body=attack.body)
        environ["QUERY_STRING"] = attack.query
        environ["REQUEST_METHOD"] = attack.method
        environ["PATH_INFO"] = attack.path.encode("utf-8", "surrogateescape").decode("latin-1")
        return self._call(environ)

    def _call(self, environ: dict[str, Any]) -> Answer:
        started: list[Any] = []
        try:
            body = self.gate(environ, lambda *given: started.append(given))
            data = b"".join(body)
            getattr(body, "close", lambda: None)()
        except Exception as error:
            return Answer(599, {}, repr(error).encode())
        status, headers = started[0][:2]
        return Answer(int(status[:3]), {k.lower(): v for k, v in headers}, data)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of the addons and of the kernel."""
        return (*kernel_routes(self.shop.current), *self.shop.assembly.routes)

    def path(self, route: Route) -> str:
        """Return the address of a route, with the id of a row that there is."""
        root = route.path.split("/{")[0]
        return "/api/v1" + re.sub(r"{\w+}", self.ids.get(root, NOT_FOUND), _filled(route))

    def contents(self) -> list[Any]:
        """Return every row of the shop, with its events and jobs."""
        models: tuple[Any, ...] = (
            *self.shop.assembly.models,
            AddonRow,
            EventRow,
            JobRow,
            SettingRow,
        )
        return [(m, sorted(map(str, m.select().tuples()))) for m in models]

    def survive(self, attacks: Iterable[Attack]) -> None:
        """Send attacks; each must be refused as promised, and nothing may change."""
        before, found, sent = self.contents(), [], 0
        for attack in attacks:
            sent += 1
            # Not the limits are tried here.
            for limit in LIMITS:
                limit.reset(self.me)
                limit.reset("127.0.0.1")
            answer = self.send(attack)
            found += [f"{attack} → {fault}" for fault in faults(answer, attack.names)]
        assert not found, f"{len(found)} faults of {sent} attacks:\n" + "\n".join(found[:25])
        assert sent, "nothing was attacked"
        assert self.contents() == before


def faults(answer: Answer, names: str | None = None, sent: bytes = b"") -> Iterator[str]:
    """Yield what is wrong with a refusal; what was `sent` may come back without being a leak."""
    shown = f"{answer.status} {answer.body[:200]!r}"
    if not 400 <= answer.status < 500:
        yield f"not refused: {shown}"
        return
    if answer.headers["content-type"] != "application/problem+json":
        yield f"no problem document: {answer.headers['content-type']} {shown}"
        return
    document = orjson.loads(answer.body)
    if missing := MEMBERS - {key for key, value in document.items() if value}:
        yield f"without {missing}: {shown}"
    if document["status"] != answer.status:
        yield f"another status inside: {shown}"
    if document["request_id"] != answer.headers.get("x-request-id"):
        yield f"another request id in the header: {shown}"
    named = [item["field"] for item in document.get("errors", ())]
    if names is not None and not any(n == names or n.startswith(f"{names}.") for n in named):
        yield f"{names!r} is not named: {shown}"
    if (leak := LEAK.search(answer.body)) and leak[0] not in sent:
        yield f"leaks {leak[0]!r}: {shown}"
    if len(answer.body) > LARGEST_REFUSAL:
        yield f"{len(answer.body)} bytes long: {shown}"


@pytest.fixture(name="settings")
def of_a_catalogue(engine: str, tmp_path: Path, templates: Any, request: Any) -> Iterator[Settings]:
    """Settings of a copy of a shop with everything around the catalogue."""
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    made = templates.copy(engine, ADDONS, tmp_path / "shop", server)
    yield made
    if server:
        servers.drop_database(server, made.database_url.rpartition("/")[2])


@pytest.fixture
def target(shop: Shop, admin: Any) -> Target:
    """A shop with a row in each collection."""
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
    made["/auth/sessions"] = str(sessions.living(me.id).get().id)
    _fill_the_catalogue(admin, made)
    return Target(shop, admin.gate, admin.token, made, str(me.id))


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


ADDONS = (
    "accounts", "products", "imports", "inventory", "media", "reviews", "wishlists", "orders",
    "coupons", "payments", "analytics", "pulses",
)  # fmt: skip
PASSWORD = "a long password"
PICTURE = base64.b64decode(b"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
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
#: Good values, so that only the attacked member of a body is bad.
SAMPLES = {
    "email": "new@example.com", "password": PASSWORD, "name": "New", "sku": "N-1",
    "price": "1.00", "refresh": "x", "value": 5, "country": "GB", "scopes": ["accounts.read"],
    "from": 1, "products": [{"name": "New", "sku": "N-1", "price": "1"}],
    "kind": "receipt", "rating": 5, "images": [], "reason": "spam",
    "url": "https://files.example/products.csv", "rate": 1900, "label": "New", "code": "new",
    "quantity": 1, "count": 1, "lines": [{"line": NOT_FOUND, "quantity": 1}],
    "views": [{"product": NOT_FOUND}],
}  # fmt: skip


#: What is refused before any table is read is tried on one engine.
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


# Bodies.


def writing(target: Target) -> Iterator[tuple[Route, str, dict[str, Any]]]:
    """Yield the routes that read JSON, their addresses, and a good body for each."""
    for route in target.routes:
        if route.body is not None:
            required = [name for name, item in members(route).items() if item.required]
            samples = SAMPLES | {"product": target.ids["chair"]}
            if route.path.startswith("/coupons"):
                samples["kind"] = "free_shipping"
            if route.path.startswith("/pulses"):
                samples |= {"kind": "above", "threshold": 30}
            samples["items"] = [{"product": target.ids["/products"], "quantity": 1}]
            good = {} if route.partial else {name: samples.get(name, "x") for name in required}
            if (route.method, route.path) == ("POST", "/orders"):
                # It takes these, or a cart.
                good = {"items": samples["items"], "shipping_address": ROWS["/addresses"][0],
                        "shipping_method": "post"}  # fmt: skip
            yield route, target.path(route), good


def members(route: Route) -> dict[str, fields.Field[Any]]:
    """Return the members of a route's body."""
    assert route.body is not None
    found: dict[str, fields.Field[Any]] = route.body().fields
    return {item.data_key or name: item for name, item in found.items()}


MALFORMED = {
    "nothing": b"", "half an object": b'{"name":', "text behind it": b"{}x", "array": b"[]",
    "string": b'"text"', "null": b"null", "number": b"5", "NaN": b"NaN", "Infinity": b"Infinity",
    "NaN inside": b'{"name":NaN}', "Infinity inside": b'{"price":-Infinity}',
    "bad UTF-8": b'{"name":"\xff"}', "overlong UTF-8": b'{"name":"\xc0\x80"}',
    "UTF-16": '{"name":"x"}'.encode("utf-16"), "BOM": b'\xef\xbb\xbf{"name":"x"}',
    "lone surrogate": b'{"name":"\\ud800"}', "encoded surrogate": b'{"name":"\xed\xa0\x80"}',
    "raw NUL": b'{"name":"\0"}', "comment": b"{}//", "single quotes": b"{'name':'x'}",
    "only NULs": b"\0" * 100, "a hundred thousand brackets": b"[" * 100_000,
    "five thousand levels": b'{"a":' * 5000 + b"1" + b"}" * 5000,
}  # fmt: skip
#: Bodies that are JSON objects, but not those of any route.
STRANGE = (
    b'{"nope":1e400}', b'{"nope":' + b"9" * 400 + b"}", b'{"nope":-' + b"9" * 5000 + b"}",
    b'{"nope":1,"nope":2}', b'{"nope":"\\u0000"}', b'{"nope\\u0000":1}', b'{"":1}',
    b'{"nope":' + b"[" * 900 + b"]" * 900 + b"}", b'{"nope":' + b"[" * 1000 + b"]" * 1000 + b"}",
    b'{"nope":' * 1000 + b"1" + b"}" * 1000, b'{"__proto__":{}}', b'{"id":"x"}',
    b'{"' + b"k" * 1_000_000 + b'":1}', b'{"nope":"' + b"x" * 1_000_000 + b'"}',
    b"{" + b",".join(b'"k%d":1' % number for number in range(20_000)) + b"}",
)  # fmt: skip


@ONE_ENGINE
def test_a_body_that_is_no_json_object_is_refused(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=body, headers=JSON, names="body")
        for route, path, _ in writing(target)
        for body in MALFORMED.values()
    )


@ONE_ENGINE
def test_a_body_of_strange_members_is_refused(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=body, headers=JSON)
        for route, path, _ in writing(target)
        for body in STRANGE
    )


@ONE_ENGINE
def test_a_body_of_another_media_type_is_refused(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=b"{}", headers={"Content-Type": media},
               names="Content-Type")
        for route, path, _ in writing(target)
        for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                      "application/jsonp", "application", ";", "*/*", "json", "é", "x" * 5000)
    )  # fmt: skip


@ONE_ENGINE
def test_a_body_of_more_than_a_megabyte_is_refused(target: Target) -> None:
    large = b'{"name":"' + b"x" * 2**20 + b'"}'
    target.survive(
        Attack(route.method, path, body=large, headers=JSON) for route, path, _ in writing(target)
    )


_OF_ALL_TYPES: tuple[Any, ...] = (
    None, True, 5, 1.5, "text", [], {}, [[]], {"a": 1}, ["text"], 10**30,
)  # fmt: skip


@ONE_ENGINE
def test_a_member_of_a_wrong_type_is_named(target: Target) -> None:
    target.survive(
        _with(route, path, good, name, value)
        for route, path, good in writing(target)
        for name, item in members(route).items()
        for value in _OF_ALL_TYPES
        if not _allowed(item, value)
    )


def test_a_member_of_a_bad_value_is_named(target: Target) -> None:
    target.survive(
        _with(route, path, good, name, value)
        for route, path, good in writing(target)
        for name, item in members(route).items()
        if not item.dump_only
        for value in _bad_values(name, item)
    )


def test_a_required_member_that_is_missing_is_named(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=_without(name, good), headers=JSON, names=name)
        for route, path, good in writing(target)
        for name in good
    )


def _without(name: str, good: dict[str, Any]) -> bytes:
    return _json({key: value for key, value in good.items() if key != name})


@ONE_ENGINE
def test_a_patch_of_nothing_is_refused(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=b"{}", headers=JSON, names="body")
        for route, path, _ in writing(target)
        if route.partial
    )


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _with(route: Route, path: str, good: dict[str, Any], name: str, value: Any) -> Attack:
    body = _json(good | {name: value})
    return Attack(route.method, path, body=body, headers=JSON, names=name)


#: What JSON a field reads; the first class that fits counts.
_READS: tuple[tuple[Any, tuple[type, ...]], ...] = (
    ((kinds.Email, kinds.Url, kinds.Uuid, kinds.Timestamp), ()),
    (kinds.String, (str,)),
    (kinds.Boolean, (bool,)),
    (kinds.Integer, (int,)),
    (kinds.Amount, (int, float)),
    (kinds.List, (list,)),
    ((kinds.Dict, kinds.Nested), (dict,)),
)


def _allowed(item: fields.Field[Any], value: Any) -> bool:
    if item.dump_only:
        return False
    if value is None:
        return item.allow_none
    reads = next((types for kind, types in _READS if isinstance(item, kind)), (type(value),))
    # A choice, a slug or a SKU that exists is a matter of values, not of types.
    return type(value) in reads and value != 10**30


_TEXTS = ("a\0b", "\0", "x" * 1_000_000, "🙈" * 200_000)
_AMOUNTS = (
    "", "NaN", "sNaN", "Infinity", "-Infinity", "-1", "-0.01", -5, -0.5, 10**30, "1e400",
    "1e999999999", "-1e999999999", "1e-5", "1e-999999999", "29.999", 29.999, "9" * 39, "9" * 5000,
    "1.00000000000000000000000000000000001", "1_000", "1,000", "1.000,00", "0x10", "١", " 1", "1 ",
    "+1", "$5", "1\n", "one",
)  # fmt: skip
_BY_NAME: dict[str, tuple[Any, ...]] = {
    "slug": ("", "Upper", "a b", "-a", "a-", "a--b", "é", "a/b", "..", "a\n", "a" * 300),
    "currency": ("", "usd", "EURO", "US", "U$D", "USD\n", " USD", "ÄÖÜ"),
    "category": ("no-such-category", "Lamps", "' OR 1=1 --", "%"),
    "role": ("", "root", "Admin", "admin\n", "user,admin"),
    "sku": ("", " ", "\t\n", "x" * 101, "l-1" * 40),
    "name": ("x" * 300,),
    "password": ("", "short", "x" * 129),
}
_BY_KIND: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (kinds.Email, ("", "x", "@", "a@", "@b.example", "a@b@c.example", "a b@c.example",
                   "a\r\nBcc: x@y.example", "x" * 250 + "@example.com", "a@.")),
    (kinds.Url, ("x", "javascript:alert(1)", "ftp://x.example/", "http://", "//x.example",
                 "http:// x", "data:text/html,x", "http://x.example/" + "x" * 2000)),
    (kinds.Amount, _AMOUNTS),
    (kinds.Integer, (2**63, -(2**63) - 1, "1", 1.0)),
)  # fmt: skip


def _bad_values(name: str, item: fields.Field[Any]) -> tuple[Any, ...]:
    of_kind = next((values for kind, values in _BY_KIND if isinstance(item, kind)), ())
    texts = _TEXTS if isinstance(item, fields.String) else ()
    # A password that is short is good to log in with: it is wrong, not malformed.
    own = _BY_NAME.get(name, ()) if not (name == "password" and _logs_in(item)) else ("x" * 129,)
    if name == "sku" and not item.required:
        own = own[3:]  # Without one, it is empty.
    return (*texts, *of_kind, *own)


def _logs_in(item: fields.Field[Any]) -> bool:
    return type(item.parent).__name__ == "LoginSchema"


# Query parameters.


@ONE_ENGINE
def test_an_unknown_query_parameter_is_refused_naming_the_known_ones(target: Target) -> None:
    target.survive(
        Attack(route.method, target.path(route), query, names=name)
        for route in target.routes
        for name, query in (("nope", "nope=1"), ("nope", "nope"), ("", "=1"), ("Page", "Page=1"),
                            ("page[]", "page[]=1"), ("é", "%C3%A9=1"), ("\0", "%00=1"))
    )  # fmt: skip
    for route in target.routes:
        answer = target.send(Attack(route.method, target.path(route), "nope=1"))
        message = orjson.loads(answer.body)["errors"][0]["message"]
        assert all(item.name in message for item in route.parameters)


@ONE_ENGINE
def test_a_query_parameter_sent_twice_is_named(target: Target) -> None:
    target.survive(
        Attack("GET", path, f"{name}=1&{name}=1", names=name)
        for path, name, _ in _parameters(target)
    )


def test_a_query_parameter_of_a_bad_value_is_named(target: Target) -> None:
    target.survive(
        Attack("GET", path, f"{name}={value}", names=name)
        for path, name, item in _parameters(target)
        for value in _bad_query(item)
    )


def test_a_query_of_garbage_provokes_nothing(target: Target) -> None:
    garbage = ("%", "%zz=%zz", "&&&=&", "a" * 5000, "%ff=%ff", "\xff", "?", "page", "page_size=")
    values = ("%20", "%25" * 300, "_%25%5C", "%F0%9F%98%80", "%EF%B7%BA" * 300, "%ED%A0%80", "'",
              "%27%3B--", "%ff", "1e20", "1e-20", "")  # fmt: skip
    known = [(path, f"{name}={value}") for path, name, _ in _parameters(target) for value in values]
    unknown = [(path, query) for path in {path for path, _ in known} for query in garbage]
    for path, query in known + unknown:
        answer = target.send(Attack("GET", path, query))
        assert answer.status == 200 or not list(faults(answer)), f"{path}?{query}: {answer}"


def _parameters(target: Target) -> Iterator[tuple[str, str, Any]]:
    for route in target.routes:
        if route.method == "GET":
            for item in route.parameters:
                yield target.path(route), item.name, item


def _bad_query(item: Any) -> Iterator[str]:
    yield from ("%00", "x%00y", "x" * 5000, "%F0%9F%98%80" * 1500)
    if item.choices:
        yield from ("nope", "", "-", f"{item.choices[0]}x", f"--{item.choices[0]}")
    yield from {
        int: ("", "abc", "1.5", "1e3", "0x1", "9" * 30, "-" + "9" * 30, "--1", "%2B1", "NaN"),
        bool: ("", "maybe", "2", "-1", "yes", "null"),
        Decimal: ("", "abc", "NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1e999999999",
                        "1e-999999999", "1e16", "1,5", "9" * 900),
        UUID: ("", "abc", "5", "g" * 32),
    }.get(item.type, ())  # fmt: skip
    if item.name.startswith("price"):
        yield "0.001"
    if item.minimum is not None:
        yield str(item.minimum - 1)
    if item.maximum is not None:
        yield str(item.maximum + 1)


# Cursors.


def test_a_cursor_that_was_tampered_with_is_refused(target: Target) -> None:
    target.survive(
        Attack("GET", path, f"cursor={cursor}&page_size=1{ordering}", names="cursor")
        for path, ordering in _orderings(target)
        for cursor in _tampered(_cursor(target, path, ordering))
    )


def test_a_cursor_of_another_ordering_is_refused(target: Target) -> None:
    made = {(path, o): _cursor(target, path, o) for path, o in _orderings(target)}
    target.survive(
        Attack("GET", path, f"cursor={cursor}{other}", names="cursor")
        for (path, ordering), cursor in made.items()
        for same, other in made
        if cursor and same == path and ordering and other and other != ordering
    )


@ONE_ENGINE
def test_a_cursor_with_a_page_is_refused(target: Target) -> None:
    target.survive(
        Attack("GET", path, "cursor=&page=1", names="cursor") for path, _ in _orderings(target)
    )


def _orderings(target: Target) -> Iterator[tuple[str, str]]:
    """Yield each list with each of its orderings, as a piece of a query."""
    for route in target.routes:
        known = {item.name: item for item in route.parameters}
        choices = known["ordering"].choices if "ordering" in known else ()
        # Without pages it is a plain offset, and none of them is wrong.
        if {"cursor", "page"} <= set(known):
            yield from ((target.path(route), f"&ordering={c}") for c in choices)
            yield target.path(route), ""


def _cursor(target: Target, path: str, ordering: str) -> str:
    """Return the cursor of the second page, empty when there is none."""
    answer = target.send(Attack("GET", path, f"cursor=&page_size=1{ordering}"))
    found = re.search("cursor=([^&]*)", orjson.loads(answer.body)["next"] or "")
    return found[1].replace("%3D", "=") if found else ""


_JUNK: tuple[Any, ...] = (
    None, True, 5, -1.5, "x", "a\0b", "5", [], {}, [1], 2**63, 2**64, 1e300, "9" * 30,
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "é" * 9999,
)  # fmt: skip


def _tampered(good: str) -> Iterator[str]:
    texts = [
        "",
        "5",
        "null",
        "{}",
        '"abcd"',
        "[1,2]",
        '{"a":1,"b":2,"c":3,"d":4}',
        "[[[[[[",
        "\xff",
    ]
    place = json.loads(base64.urlsafe_b64decode(good)) if good else []
    for at, value in enumerate(place):
        # The same type is a place in the list like another one, unless it cannot be stored.
        texts += [
            json.dumps([*place[:at], junk, *place[at + 1 :]])
            for junk in _JUNK
            if type(junk) is not type(value) or _unstorable(junk, value)
        ]
    yield from (base64.urlsafe_b64encode(text.encode("latin-1")).decode() for text in texts if text)
    yield from ("x", "%3D%3D%3D%3D", "%C3%A9", "a" * 1000, "%FF", good[:-4] + "x")


def _unstorable(junk: Any, value: Any) -> bool:
    if isinstance(junk, str):
        return "\0" in junk or re.match(r"\d{4}-\d\d-\d\d|[0-9a-f]{32}\Z", value) is not None
    return isinstance(junk, int) and abs(junk) >= 2**63


# Ids, headers, methods and addresses.


def test_an_id_that_is_no_uuid_is_named(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=body, headers=JSON, names=None if "\0" in path else "id")
        for route, body in _items(target)
        if "{id}" in route.path
        for path in _bad_paths(target, route)
    )


def test_the_id_of_no_row_is_not_found(target: Target) -> None:
    target.survive(
        Attack(
            route.method, _at(route, NOT_FOUND), body=body, headers=JSON, names=_parameter(route)
        )
        for route, body in _items(target)
    )


def test_the_name_of_nothing_is_not_found(target: Target) -> None:
    target.survive(
        Attack(route.method, _at(route, name), body=body, headers=JSON)
        for route, body in _items(target)
        if "{id}" not in route.path
        for name in ("..", "é", "🙈", "\0", "\udcff", "x" * 9999, "'", "%", "Products", "products.")
    )


def _items(target: Target) -> Iterator[tuple[Route, bytes]]:
    """Yield the routes of single things, with a good body."""
    good = {(r.method, r.path): _json(good or _change(r)) for r, _, good in writing(target)}
    for route in target.routes:
        if "{" in route.path:
            yield route, good.get((route.method, route.path), b"")


def _change(route: Route) -> dict[str, Any]:
    """Return a change that a route takes which wants no member."""
    known = {
        "name": "New", "first_name": "New", "position": 9, "low_stock_threshold": 9,
        "alt": "New", "text": "New", "note": "New", "carrier": "New", "combinable": False,
        "label": "New", "codes": [],
    }  # fmt: skip
    own = members(route)
    return {name: v for name, v in known.items() if name in own and not own[name].dump_only}


def _parameter(route: Route) -> str:
    return str(re.findall(r"{(\w+)}", route.path)[0])


def _at(route: Route, key: str) -> str:
    return "/api/v1" + re.sub(r"{\w+}", lambda _: key, _filled(route))


def _filled(route: Route) -> str:
    """Return a route's path with the parameters behind the first one filled in."""
    return route.path.replace("{language}", "de").replace("{currency}", "EUR")


def _bad_paths(target: Target, route: Route) -> Iterator[str]:
    for bad in _bad_ids(_key(target, route)):
        yield _at(route, bad)


def _key(target: Target, route: Route) -> str:
    """Return what stands in the place of a route's first parameter."""
    return target.path(route).split("/")[3:][_parts(route).index("{id}")]


def _parts(route: Route) -> list[str]:
    return route.path.strip("/").split("/")


def _bad_ids(good: str) -> tuple[str, ...]:
    bare = good.replace("-", "")
    return (
        "x", "0", "-1", "null", "\0", good + "\0", good[:-1], good + "0", "x" * 36, "%7Bid%7D",
        f"{{{good}}}", f"{{{bare}}}", f"urn:uuid:{good}", f"urn:{bare}", f"----{bare}",
        f"{bare[:8]}-{bare[8:]}---", "_".join("0" * 16) + "0", "+" + "1" * 31, "١" * 32,
        "\udcff" * 32, "é" * 36, "x" * 10_000, good.replace("-", "_"), f" {good}", f"{good} ",
    )  # fmt: skip


def test_the_id_in_capital_letters_is_the_same(target: Target) -> None:
    for route, _ in _items(target):
        if route.method == "GET" and "{id}" in route.path:
            path = target.path(route)
            loud = _at(route, _key(target, route).upper())
            assert target.send(Attack("GET", loud)).body == target.send(Attack("GET", path)).body


def test_an_etag_of_garbage_matches_nothing(target: Target) -> None:
    garbage = ("x", '"', '"x"', 'W/"x"', ",,,", '"x", "y"', "\xe9", '"' + "a" * 100_000 + '"', "\0")
    target.survive(
        Attack(route.method, target.path(route), body=body, headers=JSON | {"If-Match": tag},
               names="If-Match")
        for route, body in _items(target)
        if route.method in ("PUT", "PATCH", "DELETE")
        # A login has no representation of its own, and so no ETag.
        if not route.path.startswith("/auth/sessions/")
        # An upload has its offset instead.
        and not route.path.startswith("/imports/uploads/")
        # Neither has a vote, nor that a list is shared.
        and not route.path.endswith(("/helpful", "/share"))
        # Nor a cart, which others change by themselves: prices, stock, what is sold.
        and not route.path.startswith("/carts/")
        for tag in garbage
    )  # fmt: skip
    for route, _ in _items(target):
        if route.method == "GET":
            for tag in garbage:
                seen = target.send(
                    Attack("GET", target.path(route), headers={"If-None-Match": tag})
                )
                assert seen.status == 200


@ONE_ENGINE
def test_headers_of_garbage_provoke_nothing(target: Target) -> None:
    names = ("Accept", "Accept-Encoding", "Cookie", "Date", "Expect", "Forwarded", "Host", "Range",
             "If-Modified-Since", "Idempotency-Key", "Origin", "User-Agent", "X-Forwarded-Host",
             "X-Forwarded-Proto", "X-HTTP-Method-Override", "Transfer-Encoding")  # fmt: skip
    values = ("", "x", '"', ",,,;=", "\xe9\xff", "a\0b", "-1", "9" * 99, "[::1", ":::", "a b",
              "bytes=9-1", "DELETE", "x" * 100_000, "a\r\nSet-Cookie: b")  # fmt: skip
    # The kernel reads headers before it knows the route: a list, a thing and an action will do.
    for path in ("/api/v1/products", target.path(_first(target, "{id}")), "/api/v1/auth/me"):
        for name in names:
            for value in values:
                answer = target.send(Attack("GET", path, headers={name: value}))
                refused = list(faults(answer)) if answer.status != 200 else []
                assert not refused, f"{path} {name}: {value[:50]!r} → {refused}"
                assert not any("\n" in item for item in answer.headers.values())


def _first(target: Target, part: str) -> Route:
    return next(r for r in target.routes if r.method == "GET" and part in r.path)


@ONE_ENGINE
def test_a_request_id_of_garbage_is_replaced(target: Target) -> None:
    for sent in (
        "",
        "a b",
        "a\nb",
        "a\r\nX-Evil: 1",
        "x" * 101,
        "\0",
        "\xe9",
        "ð\x9f\x99\x88",
        "a;b",
    ):
        answer = target.send(Attack("GET", "/api/v1/nowhere", headers={"X-Request-ID": sent}))
        kept = answer.headers["x-request-id"]
        assert re.fullmatch(r"[A-Za-z0-9_.:-]{1,100}", kept), f"{sent!r} became {kept!r}"
        assert not list(faults(answer))
    good = Attack("GET", "/api/v1/nowhere", headers={"X-Request-ID": "shop-1.2:3_4"})
    assert target.send(good).headers["x-request-id"] == "shop-1.2:3_4"


def _addresses(target: Target) -> set[str]:
    own = {target.path(route) for route in target.routes}
    return own | {"/", "/health", "/health/live", "/metrics", "/api/schema", "/api/docs",
                  "/api/redoc", "/.well-known/jwks.json", "/api/problems/conflict"}  # fmt: skip


@ONE_ENGINE
def test_an_unknown_method_is_refused(target: Target) -> None:
    methods = ("BREW", "get", "TRACE", "CONNECT", "PROPFIND", "WEBSOCKET", "X" * 1000, "\xe9", "")
    target.survive(Attack(method, path) for path in _addresses(target) for method in methods)


@ONE_ENGINE
def test_an_unknown_method_becomes_no_metric_of_its_own(target: Target) -> None:
    for number in range(3):
        target.send(Attack(f"BREW{number}", "/api/v1/products"))
    # Whoever makes up methods must not make up time series without end.
    assert b"BREW" not in target.send(Attack("GET", "/metrics")).body


@ONE_ENGINE
def test_a_method_that_an_address_lacks_is_refused_naming_those_it_has(target: Target) -> None:
    served = {(route.method, target.path(route)) for route in target.routes}
    lacking = [
        Attack(method, path, body=b"{}", headers=JSON)
        for path in _addresses(target)
        for method in ("POST", "PUT", "PATCH", "DELETE")
        if (method, path) not in served
    ]
    target.survive(lacking)
    for attack in lacking:
        answer = target.send(attack)
        assert answer.status == 405
        assert answer.headers["allow"]


def test_head_and_options_answer_without_a_body(target: Target) -> None:
    for path in _addresses(target):
        options = target.send(Attack("OPTIONS", path))
        assert options.status < 300
        assert options.headers["allow"]
        for route in target.routes:
            if route.method == "GET" and target.path(route) == path:
                head = target.send(Attack("HEAD", path, headers=TUS))
                assert (head.status, head.body) == (route.status, b"")


@ONE_ENGINE
def test_an_address_that_is_none_is_not_found(target: Target) -> None:
    paths = ("/nowhere", "/api", "/api/v1", "/api/v1//products", "/api/v2/products", "/a\0b",
             "/\udcff\udcfe", "/" + "a/" * 5000, "/api/v1/products/x/y", "/api/problems/nope",
             "/api/problems/" + "x" * 9999, "/api/docs/assets/", "/api/docs/assets/" + "a" * 300,
             "/api/docs/assets/../../__init__", "/api/docs/assets/\0", "/api/redoc/assets/..",
             "/api/docs/assets/%2e%2e/x", "/🙈", "/api/v1/products/\udc80")  # fmt: skip
    target.survive(Attack("GET", path) for path in paths)


def test_a_trailing_slash_makes_no_difference(target: Target) -> None:
    for route in target.routes:
        if route.method == "GET":
            path = target.path(route)
            assert target.send(Attack("GET", f"{path}/")).status == route.status


def test_a_body_that_nobody_asked_for_is_ignored(target: Target) -> None:
    for route in target.routes:
        if route.method == "GET":
            sent = Attack("GET", target.path(route), body=b"{nonsense", headers=JSON)
            assert target.send(sent).status == route.status


# What is well-formed and still cannot be.


def test_what_the_catalogue_cannot_hold_is_refused(target: Target) -> None:
    product, chair = f"/api/v1/products/{target.ids['/products']}", {"name": "x", "price": "1"}
    cases: list[tuple[str, str, dict[str, Any], str]] = [
        ("POST", "/api/v1/products", chair | {"sku": "l-1"}, "sku"),
        ("POST", "/api/v1/products", chair | {"sku": " L-1 "}, "sku"),
        ("POST", "/api/v1/products", chair | {"sku": "N", "slug": "lamp"}, "slug"),
        ("POST", "/api/v1/products", chair | {"sku": "N", "category": "no"}, "category"),
        ("POST", "/api/v1/categories", {"name": "x", "slug": "lamps"}, "slug"),
        ("POST", "/api/v1/users", {"email": "VERA@example.com", "password": PASSWORD}, "email"),
        ("PATCH", product, {"sku": "c-1"}, "sku"),
        ("PATCH", product, {"slug": "chair"}, "slug"),
        ("PATCH", product, {"currency": "JPY"}, "currency"),
        ("PATCH", product, {"currency": "JPY", "price": "29.5"}, "price"),
        ("PATCH", product, {"currency": "KWD", "price": "29.9999"}, "price"),
        ("PATCH", product, {"compare_at_price": "1.001"}, "compare_at_price"),
        ("PATCH", product, {"price": "99999999999999999"}, "price"),
    ]
    target.survive(
        Attack(method, path, body=_json(body), headers=JSON, names=name)
        for method, path, body, name in cases
    )


def test_a_setting_takes_no_value_of_another_type_or_size(target: Target) -> None:
    values: tuple[Any, ...] = (
        0, -1, 10**30, True, 1.5, "5", "x" * 999_999, "\0", [], {}, None, {"value": 1},
    )  # fmt: skip
    target.survive(
        Attack("PUT", "/api/v1/settings/imports.largest_mb", body=_json({"value": value}),
               headers=JSON, names="value")
        for value in values
    )  # fmt: skip


def test_a_currency_and_a_price_change_together(admin: Any, target: Target) -> None:
    path = f"/api/v1/products/{target.ids['/products']}"
    assert admin.patch(path, {"currency": "JPY", "price": "2999"}).json["price"] == "2999"
    assert admin.patch(path, {"currency": "KWD", "price": "9.995"}).json["price"] == "9.995"


def test_a_category_that_products_are_in_can_be_deleted(admin: Any, target: Target) -> None:
    assert admin.delete(f"/api/v1/categories/{target.ids['/categories']}").status_code == 204
    product = admin.get(f"/api/v1/products/{target.ids['/products']}").json
    assert product["category"] is None
    assert product["name"] == "Lamp"


def test_the_next_link_keeps_what_was_asked_for(admin: Any, target: Target) -> None:
    for number in range(3):
        admin.post(
            "/api/v1/products", {"name": f"A&B #{number} é+", "sku": f"{number}", "price": "1"}
        )
    for query in ("page_size=1&search=a%26b%20%C3%A9%2B", "page_size=1&cursor=&search=a%26b%20%23"):
        seen, link = 0, f"http://x/api/v1/products?{query}"
        while link:
            page = admin.get(link[link.index("/api") :]).json
            seen, link = seen + len(page["results"]), page["next"]
        assert seen == page["count"] > 0, query


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/api/v1/products", {"name": "x", "sku": "R-1", "price": "1"}, "sku"),
        ("/api/v1/categories", {"name": "x", "slug": "raced"}, "slug"),
        ("/api/v1/users", {"email": "raced@example.com", "password": PASSWORD}, "email"),
    ],
)
def test_of_two_that_make_the_same_at_once_one_is_refused(
    target: Target, path: str, body: dict[str, Any], name: str
) -> None:
    for number in range(5):
        value = str(body[name]).replace("raced", f"raced{number}").replace("R-1", f"R-{number}")
        attack = Attack("POST", path, body=json.dumps(body | {name: value}).encode(), headers=JSON)
        answers = _at_once(target, [attack] * 2)
        assert sorted(answer.status for answer in answers) == [201, 409]
        refused = max(answers, key=lambda answer: answer.status)
        assert not list(faults(refused))
        assert target.send(Attack("GET", path, "page_size=200")).body.count(value.encode()) >= 1


def _at_once(target: Target, attacks: list[Attack]) -> list[Answer]:
    answers: list[Answer] = []
    barrier = threading.Barrier(len(attacks))

    def send(attack: Attack) -> None:
        barrier.wait()
        answers.append(target.send(attack))
        target.shop.databases.close()

    threads = [threading.Thread(target=send, args=(attack,)) for attack in attacks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


# Random bodies.

_SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["29.99", "1e9", "x@example.com", "http://x", "lamps", "USD", NOT_FOUND])
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


#: Of how many routes bodies are drawn together; of more they are too large to draw.
TOGETHER = 16


def test_a_random_body_is_accepted_or_refused_as_promised(target: Target) -> None:
    # Found once: what an example does to the shop must not change what is drawn.
    found = [(*row, sorted(members(row[0]))) for row in writing(target)]
    for first in range(0, len(found), TOGETHER):
        _send_at_random(target, found[first : first + TOGETHER])


def _send_at_random(target: Target, found: list[Any]) -> None:
    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(bodies=st.tuples(*(_changes(own) for *_, own in found)))
    def send(bodies: tuple[dict[str, Any], ...]) -> None:
        for (route, path, good, _), changes in zip(found, bodies, strict=True):
            body = _json(good | changes)
            answer = target.send(Attack(route.method, path, body=body, headers=JSON))
            kept = answer.status in (200, 201, 202, 204)
            assert kept or not list(faults(answer, sent=body)), f"{path} {body!r}: {answer}"

    send()


def _changes(own: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for what to change in the good body of a route with these members."""
    names = st.sampled_from(own) | st.text(max_size=5)
    drawn = st.dictionaries(names, _VALUES, min_size=1, max_size=4)
    # An addon that is gone takes the routes along that the next body is for.
    return drawn.map(lambda changes: changes | {"cascade": False}) if "cascade" in own else drawn
