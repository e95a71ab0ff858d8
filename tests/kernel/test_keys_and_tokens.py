"""Keys and tokens: only what this shop signed, for this use, and not too long ago, is read."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bodega.database.tables import SigningKey
from bodega.errors import ConfigurationError, OperatorError
from bodega.security.keys import load_keys, make_key
from bodega_sdk import issue_token, now, read_token
from bodega_sdk.errors import Unauthenticated

HOUR = timedelta(hours=1)
# Tokens are no matter of the engine; the keys that sign them are stored.
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def keys(empty_shop: Any) -> Any:
    return empty_shop.keys


def token(use: str = "access", lifetime: timedelta = HOUR, **claims: Any) -> str:
    return issue_token("somebody", ("user",), use, lifetime, **claims)


def forge(key: Any, headers: dict[str, Any], algorithm: str = "EdDSA", **claims: Any) -> str:
    payload = {"sub": "somebody", "roles": ["admin"], "use": "access", "exp": now() + HOUR}
    return jwt.encode(payload | claims, key, algorithm=algorithm, headers=headers)


def test_a_token_is_read_with_its_claims(keys: Any) -> None:
    claims = read_token(token(shelf="top"), "access")
    assert (claims["sub"], claims["roles"], claims["shelf"]) == ("somebody", ["user"], "top")
    assert claims["exp"] - claims["iat"] == 3600


@ONE_ENGINE
def test_two_tokens_are_never_the_same(keys: Any) -> None:
    assert token() != token()


@ONE_ENGINE
def test_a_claim_cannot_take_the_place_of_one_of_ours(keys: Any) -> None:
    claims = read_token(token(sub="somebody else", jti="1", shelf="top"), "access")
    assert (claims["sub"], claims["shelf"]) == ("somebody", "top")
    assert claims["jti"] != "1"


@ONE_ENGINE
def test_a_token_of_one_use_is_refused_for_another(keys: Any) -> None:
    with pytest.raises(Unauthenticated, match="'refresh', found one for 'access'"):
        read_token(token("access"), "refresh")
    with pytest.raises(Unauthenticated):
        read_token(token("refresh"), "access")


@ONE_ENGINE
def test_a_token_that_has_expired_is_refused_and_says_so(keys: Any) -> None:
    with pytest.raises(Unauthenticated, match="has expired"):
        read_token(token(lifetime=timedelta(seconds=-10)), "access")


@ONE_ENGINE
def test_a_token_without_an_end_is_refused(keys: Any) -> None:
    payload = {"sub": "somebody", "roles": ["admin"], "use": "access"}
    endless = jwt.encode(payload, keys.private, "EdDSA", {"kid": keys.current})
    with pytest.raises(Unauthenticated):
        read_token(endless, "access")


@ONE_ENGINE
def test_a_token_signed_with_another_key_is_refused(keys: Any) -> None:
    stranger = Ed25519PrivateKey.generate()
    for kid in (keys.current, "unknown"):
        with pytest.raises(Unauthenticated, match="not one of this shop's"):
            read_token(forge(stranger, {"kid": kid}), "access")


@ONE_ENGINE
def test_a_token_without_a_signature_is_refused(keys: Any) -> None:
    with pytest.raises(Unauthenticated):
        read_token(forge(None, {"kid": keys.current}, "none"), "access")


@ONE_ENGINE
def test_a_token_signed_with_the_public_key_as_a_password_is_refused(keys: Any) -> None:
    x = keys.jwks()["keys"][0]["x"]
    for secret in (x, base64.urlsafe_b64decode(x + "=")):
        forged = forge(secret, {"kid": keys.current}, "HS256")
        with pytest.raises(Unauthenticated):
            read_token(forged, "access")


@ONE_ENGINE
def test_a_token_whose_claims_were_changed_is_refused(keys: Any) -> None:
    head, body, signature = token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["roles"] = ["admin"]
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(Unauthenticated):
        read_token(f"{head}.{changed}.{signature}", "access")


@ONE_ENGINE
@pytest.mark.parametrize("text", ["", "x", "a.b.c", "..", "\0", "é" * 50, "x" * 100_000])
def test_what_is_no_token_is_refused(keys: Any, text: str) -> None:
    with pytest.raises(Unauthenticated, match="not one of this shop's"):
        read_token(text, "access")


@ONE_ENGINE
@pytest.mark.parametrize("kid", [None, 7, ["a"], {"a": 1}, ""])
def test_a_key_id_that_is_none_is_refused(keys: Any, kid: Any) -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "EdDSA", "kid": kid}).encode()).decode()
    _, body, signature = token().split(".")
    with pytest.raises(Unauthenticated):
        read_token(f"{head.rstrip('=')}.{body}.{signature}", "access")


def test_a_token_of_another_key_of_the_shop_is_still_read(keys: Any, empty_shop: Any) -> None:
    old = token()
    make_key(empty_shop.settings.key())
    ring = load_keys(empty_shop.settings.key())
    assert ring is not None
    assert ring.current != keys.current
    assert set(ring.public) == {keys.current, ring.current}
    empty_shop._keys = ring
    assert read_token(old, "access")["sub"] == "somebody"
    assert jwt.get_unverified_header(token())["kid"] == ring.current


@ONE_ENGINE
def test_the_key_set_lets_others_check_tokens_and_holds_no_private_part(
    keys: Any, empty_shop: Any
) -> None:
    (key,) = keys.jwks()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert "d" not in key
    public = jwt.PyJWK(key)
    assert jwt.decode(token(), public, ["EdDSA"], audience="bodega")["sub"] == "somebody"


def test_private_keys_are_stored_encrypted(keys: Any, empty_shop: Any) -> None:
    stored = SigningKey.get().private
    assert "PRIVATE" not in stored
    with pytest.raises(ConfigurationError, match="BODEGA_SECRET_KEY is not the key"):
        load_keys(b"another key, long enough")


def test_a_shop_that_was_never_started_has_no_keys(new_shop: Any, empty_shop: Any) -> None:
    SigningKey.delete().execute()
    assert load_keys(b"whatever it is, long enough") is None
    with pytest.raises(OperatorError, match="never started; run 'bodega migrate'"):
        _ = empty_shop.keys


@ONE_ENGINE
def test_roles_hold_what_the_enabled_addons_grant_them(notes_shop: Any) -> None:
    held = {
        role: notes_shop.current.identify(issue_token("somebody", (role,), "access", HOUR))
        for role in ("user", "staff", "admin", "nobody")
    }
    assert held["user"].may("notes.follow")
    assert not held["user"].may("notes.write")
    assert held["staff"].may("notes.write")
    assert held["admin"].may("accounts.write")
    assert held["nobody"].permissions == frozenset()
    assert held["nobody"].may("authenticated")


@ONE_ENGINE
def test_nobody_is_anonymous_and_may_do_what_is_public(notes_shop: Any) -> None:
    nobody = notes_shop.current.identify(None)
    assert not nobody.authenticated
    assert nobody.may("public")
    assert not nobody.may("authenticated")
    assert not nobody.may("notes.follow")


@ONE_ENGINE
def test_a_refresh_token_opens_no_door(notes_shop: Any) -> None:
    with pytest.raises(Unauthenticated):
        notes_shop.current.identify(issue_token("somebody", ("admin",), "refresh", HOUR))
