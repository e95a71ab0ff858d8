"""Methods and addresses that there are not, and bodies that nobody asked for."""

import pytest
from tests.kernel.bad_input.attacks import JSON, ONE_ENGINE, Attack, Target
from tests.kernel.bad_input.catalogue import TUS

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow


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
