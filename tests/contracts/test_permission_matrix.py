"""Who may call what: every route of the house, as everybody who could call it.

What is expected is computed from what the routes and the manifests declare; what happens
is seen by calling each route with a real token, about an object that there is. A new
route needs no test of its own here, but an object to be about and a body; the messages say
where to write them down.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bodega_sdk import AUTHENTICATED, PUBLIC, Reply, Route
from bodega_sdk.schemas import Schema

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow

HERE = "recipes.py and bodies.py of tests/contracts"
CAREFUL = pytest.mark.timeout(300)
# What is declared is no matter of the engine.
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

#: The routes that are open to everybody. A new one belongs here only if that is meant.
OPEN = {
    "DELETE /carts/{id}",
    "DELETE /carts/{id}/items",
    "DELETE /carts/{id}/items/{item}",
    "GET /carts/current",
    "GET /carts/{id}",
    "GET /categories",
    "GET /categories/tree",
    "GET /categories/{id}",
    "GET /categories/{id}/products",
    "GET /categories/{id}/translations",
    "GET /categories/{id}/translations/{language}",
    "GET /events/types",
    "GET /media/{key}",
    "GET /orders/{id}",
    "GET /orders/{id}/history",
    "GET /orders/{id}/returns",
    "GET /payments/sandbox/{intent}/challenge",
    "GET /payments/{id}",
    "GET /payments/{id}/refunds",
    "GET /products",
    "GET /products/featured",
    "GET /products/popular",
    "GET /products/search",
    "GET /products/suggestions",
    "GET /products/{id}",
    "GET /products/{id}/prices",
    "GET /products/{id}/prices/{currency}",
    "GET /products/{id}/quote",
    "GET /products/{id}/related",
    "GET /products/{id}/translations",
    "GET /products/{id}/translations/{language}",
    "GET /pulses/influx/ping",
    "GET /reviews",
    "GET /reviews/summary",
    "GET /reviews/{id}",
    "GET /shipping-methods",
    "GET /shipping-methods/{id}",
    "GET /tags",
    "GET /tags/{id}",
    "GET /tax-rates",
    "GET /tax-rates/{id}",
    "GET /variants",
    "GET /variants/{id}",
    "GET /wishlists/shared/{token}",
    "OPTIONS /imports/uploads",
    "PATCH /carts/{id}",
    "PATCH /carts/{id}/items/{item}",
    "POST /analytics/views",
    "POST /auth/email/confirm",
    "POST /auth/login",
    "POST /auth/password/reset",
    "POST /auth/password/reset/confirm",
    "POST /auth/refresh",
    "POST /auth/register",
    "POST /auth/register/confirm",
    "POST /auth/register/resend",
    "POST /auth/revoke",
    "POST /auth/verify",
    "POST /carts",
    "POST /carts/{id}/items",
    "POST /orders",
    "POST /orders/{id}/cancel",
    "POST /orders/{id}/notes",
    "POST /orders/{id}/returns",
    "POST /coupons/validate",
    "POST /payments",
    "POST /payments/sandbox/{intent}/approve",
    "POST /payments/sandbox/{intent}/refuse",
    "POST /payments/webhooks/{provider}",
    "POST /payments/{id}/cancel",
    "POST /payments/{id}/confirm",
}
#: Addresses beside the API's routes: pages and facts that anybody may see. The console asks
#: for a login of its own and reads through the API's handlers.
BESIDE = {
    "/",
    "/.well-known/jwks.json",
    "/api/asyncapi",
    "/api/docs",
    "/api/docs/start.js",
    "/api/problems/{code}",
    "/api/redoc",
    "/api/schema",
    "/console",
    "/console/session",
    "/console/static/{name}",
    "/console/{path:path}",
    "/health",
    "/health/detailed",
    "/health/live",
    "/health/ready",
    "/metrics",
}
#: Members that somebody might hope to slip in.
GREEDY = (
    "account", "account_id", "balance", "credit", "digest", "email_verified", "email_verified_at",
    "id", "is_admin", "is_staff", "is_superuser", "key", "organization", "organization_id",
    "owner", "owner_id", "password_hash", "permissions", "role", "roles", "second_factor",
    "started_by", "totp_secret", "user", "user_id", "vendor_id", "__class__", "$where",
)  # fmt: skip


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def in_order(route: Route) -> tuple[bool, bool]:
    """Reading first, and last what switches addons."""
    return route.method != "GET", route.path.startswith("/addons/")


# What is expected.


def refusals(route: Route, who: Any) -> set[int]:
    """Return the statuses that a caller may be refused with; none for whoever is let in."""
    if who.refused:
        return {401}
    if route.permission != PUBLIC and who.anonymous:
        return {401}
    if route.permission == AUTHENTICATED and who.is_key:
        return {403}
    if route.permission not in {PUBLIC, AUTHENTICATED} | who.held:
        return {403}
    return _not_theirs(route, who)


def _not_theirs(route: Route, who: Any) -> set[int]:
    """Return the statuses for objects that are not the caller's."""
    if route.objects == "all" or (route.beyond and route.beyond in who.held):
        return set()
    if route.objects == "organization" and not who.organization:
        return {403}
    theirs = "owner" if route.objects == "own" else "vendor"
    about_one = "{" in route.path
    if not about_one or who.name == theirs or who.name == f"{theirs}'s key":
        return set()
    return {404} if _is_hidden(route) else {403}


def _is_hidden(route: Route) -> bool:
    return route.mounted is None or route.mounted[1].hidden


# Everybody, and how they come to their tokens.


def _expired(world: Any) -> Any:
    admin = world.people["admin"]
    token = world.shop.current.issue_token(
        str(admin.account.id), ("admin",), "access", timedelta(minutes=-1), {}
    )
    return replace(admin, token=token, refused=True)


def _tampered(world: Any) -> Any:
    owner = world.people["owner"]
    head, body, signature = owner.token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    raised = json.dumps(claims | {"roles": ["admin"]}).encode()
    body = base64.urlsafe_b64encode(raised).rstrip(b"=").decode()
    return replace(owner, token=f"{head}.{body}.{signature}", refused=True)


def _deactivate(world: Any, person: Any) -> None:
    path = f"/api/v1/users/{person.account.id}"
    world.client(world.people["admin"]).patch(path, {"is_active": False}).expect(200)


def _deactivated(world: Any) -> Any:
    found = world.person("deactivated", "admin")
    _deactivate(world, found)
    return replace(found, refused=True)


def _key_of_a_deactivated_account(world: Any) -> Any:
    holder = world.person("deactivated", "admin")
    key = world.key_of(holder, "key of a deactivated account", *sorted(world.declared))
    assert world.client(key).get("/api/v1/users").status_code == 200
    _deactivate(world, holder)
    return replace(key, refused=True)


def _ended(world: Any) -> Any:
    found = world.person("ended session", "admin")
    path = "/api/v1/auth/logout"
    assert world.client(found).post(path).status_code == 204
    return replace(found, refused=True)


def _revoked_key(world: Any) -> Any:
    admin = world.people["admin"]
    key = world.key_of(admin, "revoked key", *sorted(world.declared))
    assert world.client(key).get("/api/v1/users").status_code == 200
    client = world.client(admin)
    listed = client.get("/api/v1/api-keys").json["results"]
    (mine,) = [item["id"] for item in listed if item["name"] == "revoked key"]
    assert client.delete(f"/api/v1/api-keys/{mine}").status_code == 204
    return replace(key, refused=True)


def _key(who: str, *scopes: str) -> Callable[[Any], Any]:
    return lambda world: world.key_of(world.people[who], f"{who}'s key", *scopes)


def _somebody(name: str) -> Callable[[Any], Any]:
    return lambda world: world.people[name]


EVERYBODY: dict[str, Callable[[Any], Any]] = {
    **{
        name: _somebody(name)
        for name in (
            "anonymous", "owner", "other user", "vendor", "other vendor", "vendor of none",
            "staff", "admin",
        )
    },
    "key of one permission": _key("admin", "accounts.read"),
    "key of a vendor": _key("vendor", "products.write"),
    "expired token": _expired,
    "tampered token": _tampered,
    "deactivated": _deactivated,
    "key of a deactivated account": _key_of_a_deactivated_account,
    "ended session": _ended,
    "revoked key": _revoked_key,
}  # fmt: skip


# What happens.


@CAREFUL
@pytest.mark.parametrize("name", EVERYBODY)
def test_every_route_does_for_everybody_what_it_declares(world: Any, name: str) -> None:
    who = EVERYBODY[name](world)
    wrong = [fault for route in sorted(world.routes, key=in_order)
             if (fault := misbehaves(world, who, route))]  # fmt: skip
    assert not wrong, f"as {name}:\n" + "\n".join(wrong)


def misbehaves(world: Any, who: Any, route: Route) -> str | None:
    """Call a route as somebody; return what was wrong with it, None if nothing was."""
    expected = refusals(route, who)
    found = _refused(world, who, route, expected) if expected else _let_in(world, who, route)
    return found and f"  {name_of(route)} ({route.permission}, {route.objects}): {found}"


def _refused(world: Any, who: Any, route: Route, expected: set[int]) -> str | None:
    body = world.body(who, route) if route.body is not None else None
    world.path(route)  # The object is made before anything is compared.
    before = world.digest() if route.method != "GET" else None
    answer = world.call(who, route, body)
    if answer.status_code not in expected:
        return f"expected {expected}, found {answer!r}"
    changed = _changed(before, world.digest()) if before else []
    return f"was refused, but changed {', '.join(changed)}" if changed else None


def _changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(name for name in before if before[name] != after[name])


def _let_in(world: Any, who: Any, route: Route) -> str | None:
    answer = world.call(who, route)
    if route.method != "GET":
        world.used_up(world.template_of(route))
        if route.path.startswith("/auth/") and who.account is not None and not who.is_key:
            world.log_in(who)
    status = answer.status_code
    if status in (401, 403, 404) or status >= 500:
        return f"expected to be let in, found {answer!r}"
    return None


def detours(world: Any, route: Route) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield other ways to ask for the same: method, address and headers."""
    path, method = world.path(route), route.method
    if method == "GET":
        yield "HEAD", path, {}
    else:
        yield "POST", f"{path}?_method={method}", {"X-HTTP-Method-Override": method}
        yield "GET", f"{path}?_method={method}", {"X-HTTP-Method-Override": method}
    for other in (f"{path}/", f"/{path}", path.replace("/v1/", "/v1//"), f"{path};x=y",
                  path.replace("/v1/", "/v1/./"), path.replace("/v1/", "/v1/x/../"),
                  path.replace("/v1/", "/v1/%2e/"), f"{path}%00", f"{path}.json",
                  path.upper()):  # fmt: skip
        yield method, other, {}
    for name in ("X-Original-URL", "X-Rewrite-URL"):
        yield method, "/api/v1/products", {name: path}
    yield method, path, {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-User": "admin"}
    yield method, path, {"Cookie": f"bodega_console={world.people['admin'].token}"}


@ONE_ENGINE
def test_no_other_spelling_of_an_address_gets_past_the_door(world: Any) -> None:
    guarded = [route for route in world.routes if route.permission != PUBLIC]
    ways = [(route, way) for route in guarded for way in detours(world, route)]
    before, client = world.digest(), world.client(world.people["anonymous"])
    for route, (method, path, headers) in ways:
        answer = client.request(method, path, headers=headers)
        harmless = path == "/api/v1/products" and answer.status_code == 200
        refused = answer.status_code in (400, 401, 404, 405)
        assert refused or harmless or _is_open(route, method), f"{name_of(route)}: {answer!r}"
    assert not _changed(before, world.digest())


def _is_open(route: Route, method: str) -> bool:
    """Whether an address can be asked for in another way by everybody."""
    return f"{method} {route.path}" in OPEN


# What is declared.


def undeclared(routes: Any, declared: frozenset[str], open_to_all: set[str]) -> list[str]:
    """Return what is wrong with what routes declare, and what to do about it."""
    found = []
    for route in routes:
        name = name_of(route)
        if route.permission == PUBLIC and name not in open_to_all:
            found.append(f"{name} is open to everybody; if that is meant, add it to OPEN")
        elif route.permission not in {PUBLIC, AUTHENTICATED} | declared:
            found.append(f"{name} asks for '{route.permission}', which no manifest declares")
        if route.permission == AUTHENTICATED and route.objects != "own":
            found.append(f"{name} is for whoever is logged in, but not for their own objects only")
        if route.beyond and route.beyond not in declared:
            found.append(f"{name}: no manifest declares '{route.beyond}', which lifts its bounds")
    return found


@ONE_ENGINE
def test_every_route_declares_a_permission_that_there_is(world: Any) -> None:
    wrong = undeclared(world.routes, world.declared, OPEN)
    assert not wrong, "\n".join(wrong)


def test_a_route_without_a_declared_permission_would_be_found() -> None:
    def handler(request: Any) -> Reply:
        return Reply()

    routes = (
        Route("GET", "/open", handler, PUBLIC, "Open"),
        Route("GET", "/unknown", handler, "nobody.declared_it", "Unknown"),
        Route("GET", "/empty", handler, "", "Empty"),
        Route("GET", "/everybody", handler, AUTHENTICATED, "Of everybody"),
        Route("GET", "/lifted", handler, "loyalty.read", "Lifted", beyond="nobody.declared_it"),
        Route("GET", "/fine", handler, "loyalty.read", "Fine"),
    )
    found = undeclared(routes, frozenset({"loyalty.read"}), OPEN)
    assert [line.split()[1].rstrip(":") for line in found] == [
        "/open", "/unknown", "/empty", "/everybody", "/lifted"
    ]  # fmt: skip


@ONE_ENGINE
def test_no_route_is_said_to_be_open_that_is_not(world: Any) -> None:
    public = {name_of(route) for route in world.routes if route.permission == PUBLIC}
    assert public == OPEN


def templates_of(nodes: Any) -> Iterator[str]:
    """Yield the templates of the addresses that Falcon routes."""
    for node in nodes:
        if node.uri_template is not None:
            yield node.uri_template
        yield from templates_of(node.children)


@ONE_ENGINE
def test_nothing_is_served_that_is_not_declared(world: Any) -> None:
    app = world.shop.current.view.app
    # falcon.inspect wants handlers to be methods; ours are objects.
    served = set(templates_of(app._router._roots))
    assert served == {f"/api/v1{route.path}" for route in world.routes} | BESIDE


@ONE_ENGINE
def test_there_is_an_object_and_a_body_for_every_route(
    world: Any, recipes: dict[str, Any], bodies: dict[str, Any], uploads: dict[str, Any]
) -> None:
    missing = []
    for route in world.routes:
        template = world.template_of(route)
        if template and template not in recipes:
            missing.append(f"RECIPES[{template!r}]: what makes such an object, and returns its id")
        if route.body and not {name_of(route), route.body.__name__} & bodies.keys():
            missing.append(f"BODIES[{route.body.__name__!r}]: a body that is all right")
        if route.media and name_of(route) not in uploads:
            missing.append(f"UPLOADS[{name_of(route)!r}]: bytes to send, and their media type")
    assert not missing, f"add to {HERE}:\n" + "\n".join(sorted(set(missing)))


# What others see in lists.


def narrowed_lists(world: Any) -> list[Route]:
    """Return the lists of which not everybody sees everything."""
    return [
        route
        for route in world.routes
        if route.method == "GET" and route.listing and route.objects != "all"
    ]


def test_nobody_sees_what_is_somebody_else_s_in_a_list(world: Any) -> None:
    lists = narrowed_lists(world)
    assert {"/addresses", "/api-keys", "/auth/sessions"} <= {route.path for route in lists}
    for route in lists:
        names = ("owner", "other user") if route.objects == "own" else ("vendor", "other vendor")
        mine, other = (world.people[name] for name in names)
        if "{" in route.path:
            continue  # Of an object that others do not reach: the matrix has it.
        made = world.object_of(f"{route.path}/{{id}}")
        seen = world.call(mine, route)
        assert made in seen.text, f"{name_of(route)}: {mine.name} misses their own in {seen!r}"
        theirs = {item["id"] for item in seen.json["results"]}
        for query in ("", "?page_size=200", "?page_size=1&page=1"):
            found = world.client(other).get(f"/api/v1{route.path}{query}")
            if found.status_code == 400 and query:
                continue  # A list without pages.
            assert found.status_code == 200
            assert not any(one in found.text for one in theirs), f"{other.name} sees {found!r}"


def test_nobody_counts_what_is_somebody_else_s(world: Any) -> None:
    for route in narrowed_lists(world):
        if "{" in route.path:
            continue
        names = ("owner", "other user") if route.objects == "own" else ("vendor", "other vendor")
        mine, other = (world.people[name] for name in names)
        before = [world.call(one, route).json["count"] for one in (mine, other)]
        world.object_of(f"{route.path}/{{id}}")
        after = [world.call(one, route).json["count"] for one in (mine, other)]
        assert after == [before[0] + 1, before[1]], name_of(route)


# What may be written.


def writers(world: Any) -> list[tuple[Route, Schema]]:
    """Return the routes that read a body, with its schema."""
    return [(route, route.body(partial=route.partial)) for route in world.routes if route.body]


def greedy(schema: Schema) -> list[str]:
    """Return the members that must not be written by those who may write the others."""
    loaded = {field.data_key or name for name, field in schema.load_fields.items()}
    shown = {field.data_key or name for name, field in schema.dump_fields.items()}
    return sorted((shown | {*GREEDY, "a_member_that_nobody_knows"}) - loaded)


def whoever_may(world: Any, route: Route) -> Any:
    """Return somebody who is let in."""
    return next(person for person in reversed(world.people.values()) if not refusals(route, person))


@CAREFUL
def test_no_member_is_taken_that_is_not_to_be_written(world: Any) -> None:
    wrong = []
    for route, schema in writers(world):
        who = whoever_may(world, route)
        body = world.body(who, route)
        assert schema.load(body) is not None
        world.path(route)
        before = world.digest()
        for member in greedy(schema):
            for value in ("admin", True):
                answer = world.call(who, route, body | {member: value})
                if answer.status_code not in (400, 422):
                    wrong.append(f"{name_of(route)}: {member!r}: {answer!r}")
                elif member not in {error["field"] for error in answer.json["errors"]}:
                    wrong.append(f"{name_of(route)}: {member!r} is not named: {answer!r}")
        if changed := _changed(before, world.digest()):
            wrong.append(f"{name_of(route)} refused and changed {', '.join(changed)}")
    assert not wrong, "\n".join(wrong)


def given_away(world: Any) -> list[tuple[Route, str]]:
    """Return the routes by which something can be given to an organization, and the member."""
    found = []
    for route, schema in writers(world):
        # Of variants, for instance, the product says whose they are.
        owner = route.mounted[1].owner if route.mounted else None
        is_chosen = owner is not None and owner.name in schema.load_fields
        if route.objects == "organization" and is_chosen:
            found.append((route, owner.name))
    return found


def test_nobody_gives_what_is_theirs_to_others_or_takes_what_is_not(world: Any) -> None:
    found = given_away(world)
    assert {route.method for route, _ in found} == {"POST", "PUT", "PATCH"}
    other = world.people["other vendor"]
    for route, member in found:
        world.path(route)
        for name in ("vendor", "other vendor"):
            who, before = world.people[name], world.digest()
            body = world.body(who, route) | {member: other.organization}
            answer = world.call(who, route, body)
            assert answer.status_code == 403, f"{name}: {name_of(route)}: {answer!r}"
            assert not _changed(before, world.digest())
        body = world.body(world.people["admin"], route) | {member: other.organization}
        shown = world.call(world.people["admin"], route, body)
        assert shown.status_code in (200, 201), repr(shown)
        assert shown.json[member] == other.organization
        world.used_up(world.template_of(route))
