"""The whole house in one shop, and everybody who may call it."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from bodega.database.structure import tables_of
from bodega.http.gate import Gate
from bodega.http.operations import kernel_routes
from bodega.permissions import PERMISSIONS
from bodega.shop import Shop
from bodega_accounts import avatars, sessions
from bodega_accounts.models import Account
from bodega_accounts.passwords import hash_password
from bodega_sdk import Route, now, transaction, uuid7
from bodega_sdk.testing.client import Answer, Client

PASSWORD = "a long password"
HASHED = hash_password(PASSWORD)
ADDRESS = {"name": "Ada", "line1": "1 Main Street", "city": "London", "country": "GB"}
#: Parameters of paths behind the first one, and the values that recipes see to.
SECOND = {
    "{language}": "de", "{currency}": "EUR", "{item}": "01a1fd7c-0000-7000-8000-000000000001",
}  # fmt: skip


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
    #: Path up to its first parameter → what makes such an object, and returns its id.
    recipes: dict[str, Callable[["World"], str]]
    #: Schema, or method and path → what makes a body that is all right.
    bodies: dict[str, Callable[["World", Person], Any]]
    #: Method and path → what makes the bytes to send, and their media type.
    uploads: dict[str, Callable[["World", Person], tuple[bytes, str]]]
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
                self._made[template] = self.recipes[template](self)
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
            content, media = self.uploads[f"{route.method} {route.path}"](self, person)
            headers = {"Content-Type": media}
            return client.request(route.method, path, body=content, headers=headers)
        if route.body is not None and body is None:
            body = self.body(person, route)
        return client.request(route.method, path, body)

    def body(self, person: Person, route: Route) -> Any:
        """Return a body that is all right."""
        special = self.bodies.get(f"{route.method} {route.path}")
        make = special or self.bodies[route.body.__name__]  # type: ignore[union-attr]
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
