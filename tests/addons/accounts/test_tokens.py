"""Tokens that are none: each is a 401, on open routes too, and changes nothing."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bodega.security.tokens import AUDIENCE, issuer
from bodega.shop import Shop
from bodega_sdk import issue_token, now

#: What the header of an access token says it is (RFC 9068).
TYPE = {"typ": "at+jwt"}
PATHS = ("/api/v1/auth/me", "/api/v1/products", "/api/v1/users")


def _part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _claims(shop: Shop, subject: str, **changes: Any) -> dict[str, Any]:
    """Return the claims of a good token, with changes; None leaves one out."""
    issued = int(now().timestamp())
    claims = {
        "sub": subject, "roles": ["admin"], "use": "access", "iss": issuer(shop.shop_id),
        "aud": AUDIENCE, "jti": "x", "iat": issued, "nbf": issued, "exp": issued + 600,
    } | changes  # fmt: skip
    return {name: value for name, value in claims.items() if value is not None}


def _forged(shop: Shop, subject: str) -> Iterator[str]:
    """Yield tokens that somebody without the private key can make."""
    kid, claims = shop.keys.current, _claims(shop, subject)
    for algorithm in ("none", "None", "NONE", ""):
        yield f"{_part({'alg': algorithm, 'kid': kid} | TYPE)}.{_part(claims)}."
    for secret in _public_forms(shop):
        signed = f"{_part({'alg': 'HS256', 'kid': kid} | TYPE)}.{_part(claims)}"
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        yield f"{signed}.{_part(mac)}"
    stranger = Ed25519PrivateKey.generate()
    for header in ({"kid": kid}, {"kid": "unknown"}, {}, {"kid": ""}, {"kid": "../../secret.key"}):
        yield jwt.encode(claims, stranger, algorithm="EdDSA", headers=header | TYPE)
    jwk = {"kid": kid, "jwk": shop.keys.jwks()["keys"][0]}
    yield jwt.encode(claims, stranger, algorithm="EdDSA", headers=jwk | TYPE)


def _public_forms(shop: Shop) -> tuple[bytes, ...]:
    public = shop.keys.public[shop.keys.current]
    encoding, form = serialization.Encoding, serialization.PublicFormat
    return (
        public.public_bytes(encoding.PEM, form.SubjectPublicKeyInfo),
        public.public_bytes(encoding.Raw, form.Raw),
        b"",
    )


def _out_of_order(shop: Shop, subject: str) -> Iterator[str]:
    """Yield tokens of this shop's own key that are not good now."""
    yield issue_token(subject, ("admin",), "access", timedelta(minutes=-1))
    yield issue_token(subject, ("admin",), "refresh", timedelta(minutes=5))
    yield issue_token(subject, ("admin",), "", timedelta(minutes=5))
    issued = int(now().timestamp())
    for changes in (
        {"exp": None}, {"exp": "soon"}, {"exp": -1}, {"use": None},
        {"use": ["access"]}, {"sub": None}, {"nbf": issued + 600}, {"iat": "x"},
        {"iss": "another"}, {"iss": None}, {"aud": "another"}, {"aud": None}, {"jti": None},
    ):  # fmt: skip
        yield _signed(shop, _claims(shop, subject, **changes))
    for kind in ("JWT", "refresh+jwt", ""):
        yield _signed(shop, _claims(shop, subject), kind)


def _signed(shop: Shop, claims: dict[str, Any], kind: str = TYPE["typ"]) -> str:
    headers = {"kid": shop.keys.current, "typ": kind}
    return jwt.encode(claims, shop.keys.private, algorithm="EdDSA", headers=headers)


def _broken(shop: Shop, good: str) -> Iterator[str]:
    """Yield texts that are no tokens, many of them nearly one."""
    header, payload, signature = good.split(".")
    yield from (good[:-10], good[10:], f"{header}.{payload}", f"{header}.{payload}.", f"{good}.x")
    yield from (f"{good},{good}", f"{good} x", "x", "a.b.c", "...", "null", "é", "\0", "=" * 64)
    yield f"{header}.{payload[::-1]}.{signature}"
    yield f"{header}.{payload}.{signature[::-1]}"
    yield "x" * 100_000
    yield ".".join(("x" * 50_000,) * 3)
    for head in (b"[" * 3000, b'{"a":' * 1500, b"\xff\xfe", b"", b"[]", b"5", b"{}", b'{"alg":5}'):
        yield f"{_part(head)}.{payload}.{signature}"
    kids: tuple[Any, ...] = (None, 5, [], {}, ["x"], "x" * 5000, "\0", True, 1e300)
    for kid in kids:
        yield f"{_part({'alg': 'EdDSA', 'kid': kid})}.{payload}.{signature}"
    algorithms: tuple[Any, ...] = (None, 5, [], {}, "RS256", "ES256", "EdDSA\0")
    for alg in algorithms:
        yield f"{_part({'alg': alg, 'kid': shop.keys.current})}.{payload}.{signature}"


def _all(shop: Shop, good: str) -> list[str]:
    subject = jwt.decode(good, options={"verify_signature": False})["sub"]
    own = (_forged(shop, subject), _out_of_order(shop, subject), _broken(shop, good))
    return [token for tokens in own for token in tokens]


def test_the_token_that_the_others_are_made_from_is_good(shop: Shop, admin: Any) -> None:
    subject = jwt.decode(admin.token, options={"verify_signature": False})["sub"]
    token = _signed(shop, _claims(shop, subject))
    for path in PATHS:
        assert admin.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_token_that_is_no_good_is_refused_everywhere(shop: Shop, admin: Any) -> None:
    for token in _all(shop, admin.token):
        for path in PATHS:
            answer = admin.get(path, headers={"Authorization": f"Bearer {token}"})
            _assert_refused(answer, token)


def test_a_header_that_is_no_bearer_token_is_refused(admin: Any) -> None:
    token = admin.token
    for sent in (
        "", " ", "Bearer", "Bearer ", "Bearer\t", f"Basic {token}", f"Token Token {token}", token,
        f"JWT {token}", f"Bearer{token}", f"Bearer={token}", f'Bearer "{token}"',
        f"Bearer Bearer {token}", "Basic YWRtaW46YWRtaW4=", "Digest x", "\xff\xfe",
        "Bearer \xe9", ",", "x" * 100_000,
    ):  # fmt: skip
        _assert_refused(admin.get(PATHS[0], headers={"Authorization": sent}), token)


def test_a_write_with_a_bad_token_changes_nothing(shop: Shop, admin: Any) -> None:
    made = admin.post("/api/v1/products", {"name": "Lamp", "sku": "L", "price": "1"}).json
    path = f"/api/v1/products/{made['id']}"
    for token in _all(shop, admin.token):
        headers = {"Authorization": f"Bearer {token}"}
        assert admin.patch(path, {"name": "Mine"}, headers=headers).status_code == 401
        assert admin.delete(path, headers=headers).status_code == 401
    assert admin.get(path).json == made


def test_a_refresh_token_that_is_no_good_is_refused(shop: Shop, client: Any, admin: Any) -> None:
    for token in (admin.token, *_all(shop, admin.token)):
        answer = client.post("/api/v1/auth/refresh", {"refresh": token})
        if answer.status_code == 422:
            assert len(token) > 4000 or "\0" in token
            assert answer.json["errors"][0]["field"] == "refresh"
        elif '"use":"refresh"' not in _payload(token):
            _assert_refused(answer, token)


def test_the_scheme_is_read_without_regard_to_case(admin: Any) -> None:
    for scheme in ("bearer", "BEARER", "Bearer "):
        answer = admin.get(PATHS[0], headers={"Authorization": f"{scheme} {admin.token}"})
        assert answer.status_code == 200


def _payload(token: str) -> str:
    try:
        return json.dumps(jwt.decode(token, options={"verify_signature": False})).replace(" ", "")
    except jwt.InvalidTokenError:
        return ""


def _assert_refused(answer: Any, token: str) -> None:
    shown = f"{token[:80]}: {answer.status_code} {answer.text[:200]}"
    assert answer.status_code == 401, shown
    assert answer.headers["Content-Type"] == "application/problem+json", shown
    assert answer.headers["WWW-Authenticate"] == "Bearer", shown
    assert answer.json["request_id"] == answer.headers["X-Request-ID"], shown
    assert len(token) < 30 or token[:30] not in answer.text, f"shown again: {shown}"
