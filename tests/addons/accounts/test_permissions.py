"""Who may call what: every route of the Assembly, as everybody."""

import re
from typing import Any

import pytest

from bodega.http.binding import authorise
from bodega.http.operations import kernel_routes
from bodega.permissions import PERMISSIONS
from bodega.shop import Shop
from bodega_sdk import AUTHENTICATED, PUBLIC, Route
from bodega_sdk.errors import PermissionDenied, Unauthenticated

NO_ROW = "01a1fd7c-0000-7000-8000-000000000000"
WHO = ("nobody", "user", "vendor", "staff", "admin")
#: What would end the session that the rest is asked with.
ENDING = (("POST", "/auth/logout"), ("DELETE", "/auth/sessions"))


def _path(route: Route) -> str:
    return "/api/v1" + re.sub(r"{\w+}", NO_ROW, route.path)


def _call(people: dict[str, Any], who: str, route: Route) -> Any:
    """Call a route as somebody: of no row and without a body, so that nothing is changed."""
    ending = who != "nobody" and (route.method, route.path) in ENDING
    client = people["nobody"].as_user(who) if ending else people[who]
    return client.request(route.method, _path(route))


def _routes(shop: Shop) -> tuple[Route, ...]:
    return (*kernel_routes(shop.current), *shop.assembly.routes)


def _granted(shop: Shop, who: str) -> set[str]:
    """Return what a role holds, read from the manifests alone."""
    manifests = [addon.manifest for addon in shop.assembly.addons]
    if who == "admin":
        declared = {name for manifest in manifests for name in manifest.permissions}
        return {PUBLIC, AUTHENTICATED} | declared | set(PERMISSIONS)
    held = {name for m in manifests for name in m.grants.get(who, ())}
    return held | ({PUBLIC} if who == "nobody" else {PUBLIC, AUTHENTICATED})


def test_every_route_lets_in_those_who_hold_its_permission_and_nobody_else(
    shop: Shop, people: dict[str, Any]
) -> None:
    for who in WHO:
        granted = _granted(shop, who)
        for route in _routes(shop):
            status = _call(people, who, route).status_code
            refusal = 401 if who == "nobody" else 403
            expected = route.permission in granted
            assert (status != refusal) == expected, f"{who}: {route.method} {route.path}: {status}"
            assert status < 500


def test_a_refusal_names_the_permission_or_asks_to_log_in(
    shop: Shop, people: dict[str, Any]
) -> None:
    guarded = [route for route in _routes(shop) if route.permission != PUBLIC]
    assert guarded
    for route in guarded:
        unknown = people["nobody"].request(route.method, _path(route))
        assert unknown.status_code == 401
        assert unknown.headers["WWW-Authenticate"] == "Bearer"
        known = _call(people, "user", route)
        if route.permission != AUTHENTICATED:
            assert known.status_code == 403
            assert route.permission in known.json["detail"]


def test_nobody_is_let_in_before_the_rest_of_the_request_is_read(
    shop: Shop, people: dict[str, Any]
) -> None:
    for route in _routes(shop):
        if route.permission != PUBLIC:
            answer = people["nobody"].request(
                route.method, _path(route) + "?nope=1", headers={"If-Match": "x"}
            )
            assert answer.status_code == 401


def test_every_permission_of_a_route_is_declared(shop: Shop) -> None:
    known = _granted(shop, "admin") | {PUBLIC, AUTHENTICATED}
    assert all(route.permission in known for route in _routes(shop))


def test_a_permission_that_nobody_declared_is_held_by_nobody(
    shop: Shop, people: dict[str, Any]
) -> None:
    for who in WHO:
        identity = shop.current.identify(people[who].token)
        for permission in ("nobody.declared_it", "", "products", "products.*", "*"):
            with pytest.raises(Unauthenticated if who == "nobody" else PermissionDenied):
                authorise(identity, permission)


def test_only_an_administrator_raises_a_role(people: dict[str, Any]) -> None:
    own = people["staff"].get("/api/v1/auth/me").json["id"]
    path = f"/api/v1/users/{own}"
    for who in ("user", "vendor", "staff"):
        assert people[who].patch(path, {"role": "admin"}).status_code == 403
    assert people["staff"].get(path).json["role"] == "staff"
    assert people["admin"].patch(path, {"role": "user"}).json["role"] == "user"


def test_an_administrator_cannot_delete_the_own_account(people: dict[str, Any]) -> None:
    own = people["admin"].get("/api/v1/auth/me").json["id"]
    assert people["admin"].delete(f"/api/v1/users/{own}").status_code == 403
    assert people["admin"].get("/api/v1/auth/me").status_code == 200
