"""Headers of garbage."""

import re

import pytest
from tests.kernel.bad_input.attacks import ONE_ENGINE, Attack, Target, faults

from bodega_sdk import Route

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow


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
