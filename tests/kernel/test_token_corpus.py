"""Attacks on tokens: what this shop did not sign for this use is refused, at every door.

The list follows RFC 8725 and the attacks that have worked on JWT libraries. Whatever is
signed here with the shop's own key is wrong in one thing only, so that nothing else refuses
it.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc import jwe
from joserfc.jwk import RSAKey

from bodega.security import keys as signing_keys
from bodega.security.keys import Key
from bodega_accounts import sessions
from bodega_accounts.models import Account
from bodega_sdk import transaction
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.deployment import ADMIN

# Tokens are no matter of the engine.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

#: Characters that the address which checks tokens reads at most.
LONGEST = 8000
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
LEEWAY = 5


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public_forms(key: Key) -> Iterator[str | bytes]:
    """Yield everything that a public key is known as, to be tried as a password."""
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    text = key.public.public_bytes(pem, spki)
    yield from (text, text.strip(), key.public.public_bytes(der, spki))
    jwk = key.jwk()
    yield from (json.dumps(jwk), json.dumps({"keys": [jwk]}), json.dumps(jwk, sort_keys=True))
    for name in {"x", "n", "e"} & jwk.keys():
        yield from (jwk[name], unb64(jwk[name]))
    if key.algorithm == "RS256":
        yield key.public.public_bytes(pem, serialization.PublicFormat.PKCS1)


@dataclass
class Forge:
    """Makes tokens, true ones and others, of a session that the administrator has.

    Args:
        keys: the shop's, the one that signs first.
    """

    shop: Any
    token: str

    @property
    def keys(self) -> list[Key]:
        """The shop's keys, the one that signs first."""
        self.shop.revocations.keep_up()
        ring = self.shop.keys
        return [ring.signing, *(key for key in ring.keys if key.kid != ring.current)]

    @property
    def edward(self) -> Key:
        """The key that is written with by hand: an Ed25519 one, if there is one."""
        return min(self.keys, key=lambda key: key.algorithm)

    @property
    def claims(self) -> dict[str, Any]:
        """What a true token says."""
        said: dict[str, Any] = jwt.decode(self.token, options={"verify_signature": False})
        return said

    def signed(self, key: Key | None = None, **claims: Any) -> str:
        """Return a token of the shop's own key."""
        return self.with_header({}, key, **claims)

    def with_header(self, header: Mapping[str, Any], key: Key | None = None, **claims: Any) -> str:
        """Return one of the shop's own key with another header; None leaves a claim out."""
        key = key or self.keys[0]
        payload = {n: v for n, v in (self.claims | claims).items() if v is not None}
        head = {"kid": key.kid, "typ": "at+jwt"} | dict(header)
        return jwt.encode(payload, key.private, head.pop("alg", key.algorithm), headers=head)

    def raw(self, header: bytes, payload: bytes, key: Any = None) -> str:
        """Return a token of any bytes, signed with an Ed25519 key: the shop's own."""
        key = key or self.edward.private
        body = f"{b64(header)}.{b64(payload)}"
        return f"{body}.{b64(key.sign(body.encode()))}"

    def head(self, kid: Any = None, **members: Any) -> bytes:
        """Return a header as it is written."""
        kid = self.edward.kid if kid is None else kid
        return json.dumps({"alg": "EdDSA", "typ": "at+jwt", "kid": kid} | members).encode()

    def body(self, **claims: Any) -> bytes:
        """Return claims as they are written."""
        return json.dumps(self.claims | claims).encode()

    def mac(self, algorithm: str, kid: str, secret: str | bytes) -> str:
        """Return a token that a password signs."""
        secret = secret.encode() if isinstance(secret, str) else secret
        body = f"{b64(self.head(kid, alg=algorithm))}.{b64(self.body())}"
        digest = getattr(hashlib, f"sha{algorithm[2:]}")
        return f"{body}.{b64(hmac.new(secret, body.encode(), digest).digest())}"


@pytest.fixture
def client(shop: Any) -> Client:
    return Client(shop.current.view, shop)


@pytest.fixture
def forge(shop: Any) -> Forge:
    account = Account.get(Account.email == ADMIN[0])
    with transaction():
        pair = sessions.begin(account, "203.0.113.9", "a test")
    return Forge(shop, pair["access"])


def rotate(shop: Any, algorithm: str, *, at_once: bool = True) -> str:
    """Do what ``bodega keys rotate --now`` does."""
    with shop.transaction():
        kid = signing_keys.rotate(shop.settings.key(), algorithm, at_once=at_once)
        shop.revocations.tell()
    return kid


def retire(shop: Any, kid: str) -> None:
    """Do what ``bodega keys retire`` does."""
    with shop.transaction():
        signing_keys.retire(shop.settings.key(), kid)
        shop.revocations.tell()


def answers(client: Client, token: str) -> dict[str, int]:
    """Send a token to every door; return what it says."""
    sent = {"Authorization": f"Bearer {token}"}
    return {
        "a route that wants a login": client.get("/api/v1/auth/me", headers=sent).status_code,
        "a public route": client.get("/api/v1/products", headers=sent).status_code,
        "verify": client.post("/api/v1/auth/verify", {"token": token}).status_code,
    }


def let_in(client: Client, tokens: Mapping[str, str]) -> list[str]:
    """Return the tokens that some door did not refuse as it should."""
    found = []
    for name, token in tokens.items():
        for door, status in answers(client, token).items():
            # What is too long to be looked at is told so.
            none_at_all = door == "verify" and (len(token) > LONGEST or "\0" in token)
            if status not in ((413, 422) if none_at_all else (401,)):
                found.append(f"{name}: {door} answered {status}")
    return found


# The corpus: each part yields what it is, and the token.


def unsigned(forge: Forge) -> Iterator[tuple[str, str]]:
    """The algorithm 'none'."""
    signature = forge.token.rpartition(".")[2]
    for kid in (forge.keys[0].kid, "", "none"):
        for alg in ("none", "None", "NONE", "nOnE", "none ", "", "null"):
            body = f"{b64(forge.head(kid, alg=alg))}.{b64(forge.body())}"
            yield f"alg {alg!r} kid {kid!r}", f"{body}."
            yield f"alg {alg!r} kid {kid!r}, no third part", body
            yield f"alg {alg!r} kid {kid!r}, signature of another", f"{body}.{signature}"
    for alg in (None, 7, ["EdDSA"], {"EdDSA": 1}, True):
        yield f"alg {alg!r}", f"{b64(forge.head(alg=alg))}.{b64(forge.body())}."
    yield "no alg", f"{b64(json.dumps({'kid': forge.keys[0].kid}).encode())}.{b64(forge.body())}."


def confused(forge: Forge) -> Iterator[tuple[str, str]]:
    """A public key as a password, and one kind of key for another."""
    for key in forge.keys:
        for number, secret in enumerate((*public_forms(key), key.kid, "", b"\0", "secret")):
            for bits in (256, 384, 512):
                token = forge.mac(f"HS{bits}", key.kid, secret)
                yield f"HS{bits} by form {number} of a key for {key.algorithm}", token
    for key in forge.keys:
        for name, token in _strangers(forge, key.kid):
            yield f"{name} for a key for {key.algorithm}", token
    first, *others = forge.keys
    for other in others:
        yield "kid of another key", forge.with_header({"kid": other.kid}, first)
        yield "kid of another key, turned", forge.with_header({"kid": first.kid}, other)


def _strangers(forge: Forge, kid: str) -> Iterator[tuple[str, str]]:
    """Tokens that are right in everything but whose key signed them."""
    header = {"kid": kid, "typ": "at+jwt"}
    edward, rivest = Ed25519PrivateKey.generate(), _RSA
    yield "EdDSA", jwt.encode(forge.claims, edward, "EdDSA", header)
    for algorithm in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
        yield algorithm, jwt.encode(forge.claims, rivest, algorithm, header)


_RSA = generate_private_key(public_exponent=65_537, key_size=2048)


def other_algorithms(forge: Forge) -> Iterator[tuple[str, str]]:
    """The right key, but not the algorithm that it is for."""
    for key in forge.keys:
        if key.algorithm == "RS256":
            for algorithm in ("RS384", "RS512", "PS256", "PS384", "PS512"):
                yield algorithm, forge.with_header({"alg": algorithm}, key)
        else:
            for alg in ("eddsa", "EDDSA", "Ed25519", "Ed448", "RS256", "HS256", "ES256", "none"):
                yield alg, forge.raw(forge.head(alg=alg), forge.body())


def key_ids(forge: Forge) -> Iterator[tuple[str, str]]:
    """Key ids that name files, rows, addresses, or nothing."""
    kid = forge.edward.kid
    texts = (
        "../../../../../../dev/null", "/dev/null", "file:///dev/null", "keys/../../etc/passwd",
        "' OR '1'='1", "x' UNION SELECT 'secret' --", f"{kid}' --", "1; DROP TABLE x",
        "http://127.0.0.1:1/jwks.json", "//127.0.0.1/key", "|/bin/true", "$(true)", "{{7*7}}",
        f"{kid}\0", f"{kid} ", f" {kid}", kid.upper(), kid[:-1], f"{kid}0", "%", "*", "\n",
        "", "0", "none", "x" * 100_000, "\ud800",
    )  # fmt: skip
    others: tuple[Any, ...] = (7, 0, True, False, [kid], {"kid": kid}, [], 1.5, {"$gt": ""})
    for value in (*texts, *others):
        head = forge.head(value)
        yield f"kid {str(value)[:40]!r} by our own key", forge.raw(head, forge.body())
        stranger = Ed25519PrivateKey.generate()
        yield f"kid {str(value)[:40]!r} by a stranger's", forge.raw(head, forge.body(), stranger)
    for value in texts[:6]:
        for secret in ("", "\0", "secret"):
            yield f"kid {value!r}, password {secret!r}", forge.mac("HS256", value, secret)
    headless = json.dumps({"alg": "EdDSA", "typ": "at+jwt"}).encode()
    yield "no kid", forge.raw(headless, forge.body())
    yield "kid null", forge.raw(headless[:-1] + b', "kid": null}', forge.body())


def headers(forge: Forge) -> Iterator[tuple[str, str]]:
    """Headers that bring a key along, or ask for what we do not do."""
    stranger = Ed25519PrivateKey.generate()
    x = stranger.public_key().public_bytes_raw()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(x), "kid": "mine", "alg": "EdDSA"}
    certificate = base64.b64encode(x).decode()
    added: tuple[dict[str, Any], ...] = (
        {"jwk": jwk}, {"jku": "http://127.0.0.1:1/jwks.json"}, {"x5u": "http://127.0.0.1:1/c.pem"},
        {"x5c": [certificate]}, {"x5t": "0"}, {"x5t#S256": "0"}, {"crit": ["exp"]}, {"crit": []},
        {"crit": ["b64"], "b64": False}, {"b64": False}, {"cty": "JWT"}, {"zip": "DEF"},
        {"enc": "A256GCM"}, {"exp": 1}, {"iss": "us"}, {"p2c": 10**9}, {"url": "/"}, {"nonce": ""},
    )  # fmt: skip
    for members in added:
        name = ", ".join(members)
        for kid in (None, "mine"):
            head = forge.head(kid, **members)
            yield f"{name}, kid {kid}, a stranger's key", forge.raw(head, forge.body(), stranger)
        yield f"{name}, our own key", forge.raw(forge.head(**members), forge.body())


def meant_for_others(forge: Forge) -> Iterator[tuple[str, str]]:
    """Of another shop, for somebody else, or for another use."""
    ours = forge.claims["aud"]
    for aud in ("else", [ours], [ours, "else"], ["else"], [], "", {ours: 1}, 7, True, ours.upper(),
                f"{ours} ", f" {ours}", f"{ours}\0", [[ours]]):  # fmt: skip
        yield f"aud {aud!r}", forge.signed(aud=aud)
    iss = forge.claims["iss"]
    for other in ("urn:bodega:other", "", iss.upper(), f"{iss}/", f"{iss} ", iss[:-1], "bodega"):
        yield f"iss {other!r}", forge.signed(iss=other)
    for other in ([iss], {iss: 1}, 7, True):
        yield f"iss {other!r}", forge.raw(forge.head(), forge.body(iss=other))
    for typ in ("JWT", "jwt", "AT+JWT", "at+jwt ", "refresh+jwt", "application/at+jwt", "", "id"):
        yield f"typ {typ!r}", forge.raw(forge.head(typ=typ), forge.body())
    for typ in (None, 7, ["at+jwt"], {}):
        yield f"typ {typ!r}", forge.raw(forge.head(typ=typ), forge.body())
    bare = json.dumps({"alg": "EdDSA", "kid": json.loads(forge.head())["kid"]}).encode()
    yield "no typ", forge.raw(bare, forge.body())
    yield from _other_uses(forge)


def _other_uses(forge: Forge) -> Iterator[tuple[str, str]]:
    for use in ("refresh", "id", "", "ACCESS", "access ", ["access"], {"access": 1}, True, 7):
        yield f"use {use!r}", forge.signed(use=use)
        if isinstance(use, str):
            header = {"typ": f"{use}+jwt"}
            yield f"use and typ {use!r}", forge.with_header(header, use=use)
            yield f"typ {use!r} alone", forge.with_header(header)
    issue = forge.shop.current.issue_token
    for use in ("refresh", "reset", "console"):
        lifetime = timedelta(hours=1)
        yield f"a token for {use}", issue(forge.claims["sub"], ("admin",), use, lifetime, {})


def claims(forge: Forge) -> Iterator[tuple[str, str]]:
    """Claims that are missing, too early, too late, or of the wrong kind."""
    for name in ("aud", "exp", "iat", "iss", "jti", "nbf", "sub", "use"):
        yield f"no {name}", forge.signed(**{name: None})
        yield f"{name} null", forge.raw(forge.head(), forge.body(**{name: None}))
    now = forge.claims["iat"]
    for seconds in (LEEWAY + 30, 3600, 10**9):
        # A clock that is that far ahead is none of ours (RFC 8725 says nothing of iat).
        yield f"nbf in {seconds} s", forge.signed(nbf=now + seconds)
        yield f"iat in {seconds} s", forge.signed(iat=now + seconds)
    for seconds in (LEEWAY + 1, 3600, 10**9):
        yield f"expired {seconds} s ago", forge.signed(exp=now - seconds)
    for value in (True, False, 0, -1, -(10**30), [], [now + 60], {}, "", "soon", "0x7fffffff"):
        yield f"exp {value!r}", forge.signed(exp=value)
    for value in (float("nan"), float("inf"), float("-inf")):
        for name in ("exp", "nbf", "iat"):
            yield f"{name} {value!r}", forge.signed(**{name: value})
    for value in ([], {}, "", "soon", 10**30):
        for name in ("nbf", "iat"):
            yield f"{name} {value!r}", forge.signed(**{name: value})
    for value in (7, 0, True, ["x"], {"id": "x"}, 1.5):
        yield f"sub {value!r}", forge.raw(forge.head(), forge.body(sub=value))
        yield f"jti {value!r}", forge.raw(forge.head(), forge.body(jti=value))


def tampered(forge: Forge) -> Iterator[tuple[str, str]]:
    """One character other than it was, and parts of two tokens."""
    parts = forge.token.split(".")
    for index, name in enumerate(("header", "payload", "signature")):
        part = parts[index]
        for place in sorted({0, 1, 2, 3, len(part) // 2, len(part) - 3, len(part) - 2}):
            for other in "A9-_z":
                if part[place] != other:
                    changed = part[:place] + other + part[place + 1 :]
                    yield f"{name} {place} {other}", _with(parts, index, changed)
        for changed in ("", part[:-4], part[4:], part + "AAAA", "AAAA" + part, part[::-1], "AAAA"):
            yield f"{name} {changed[:8]!r}…", _with(parts, index, changed)
    signature = unb64(parts[2])
    for number in (0, 31, 32, 63):
        flipped = bytearray(signature)
        flipped[number] ^= 0x80
        yield f"signature byte {number}", _with(parts, 2, b64(bytes(flipped)))
    yield "signature of zeros", _with(parts, 2, b64(bytes(64)))
    if forge.keys[0].algorithm == "EdDSA":
        high = int.from_bytes(signature[32:], "little") + ED25519_ORDER
        yield "S + L", _with(parts, 2, b64(signature[:32] + high.to_bytes(33, "little")[:32]))
    other = forge.signed(jti="another").split(".")
    yield "payload of another", f"{parts[0]}.{other[1]}.{parts[2]}"
    yield "signature of another", f"{parts[0]}.{parts[1]}.{other[2]}"
    for member in (b'"sub":"x"', b'"roles":["admin"]', b'"exp":9999999999'):
        twice = unb64(parts[1])[:-1] + b"," + member + b"}"
        yield f"{member!r} twice", _with(parts, 1, b64(twice))
        yield f"{member!r} first", _with(parts, 1, b64(b"{" + member + b"," + unb64(parts[1])[1:]))
    for pieces in ((0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0)):
        yield f"parts {pieces}", ".".join(parts[index] for index in pieces)


def _with(parts: list[str], index: int, changed: str) -> str:
    return ".".join([*parts[:index], changed, *parts[index + 1 :]])


def shapes(forge: Forge) -> Iterator[tuple[str, str]]:
    """What has another shape than a token."""
    token, (head, body, signature) = forge.token, forge.token.split(".")
    for text in (f"{token}.", f".{token}", f"{token}.{signature}", f"{head}..{signature}",
                 f"{head}.{body}", head, "..", "...", "....", ".", "a", f"{head}.{body}.",
                 f"{token}.{head}.{body}", f"{head}. {body}.{signature}", token.replace(".", ","),
                 f"{head}=.{body}.{signature}", f"{head}.{body}==.{signature}", token * 2,
                 f"{head}\t.{body}.{signature}", token.upper(), token.swapcase(), f"\0{token}",
                 f'"{token}"', f"{head}%2E{body}%2E{signature}", "Bearer",
                 f"Bearer {token}"):  # fmt: skip
        yield f"shape {text[:12]!r}… of {len(text)}", text
    for payload in (b"[]", b"null", b"1", b'"x"', b"true", b"", b"{", b"\xff\xfe", b"{}}", b"{}"):
        yield f"payload {payload!r}", forge.raw(forge.head(), payload)
        yield f"header {payload!r}", forge.raw(payload, forge.body())
    yield "a token in a token", forge.raw(forge.head(), token.encode())
    yield "a token in a token's text", forge.raw(forge.head(), json.dumps(token).encode())
    deep = b'{"a":' * 50_000
    yield "a deep header", f"{b64(deep)}.{body}.{signature}"
    yield "a deep header that is not too long", f"{b64(deep[:5900])}.e30.e30"
    yield "a deep payload", forge.raw(forge.head(), deep)
    yield "a deep list", f"{b64(b'[' * 5900)}.e30.e30"
    yield "a megabyte", f"{head}.{'A' * 2**20}.{signature}"
    yield "a megabyte that we signed", forge.raw(forge.head(), forge.body(x="A" * 2**20) + b"x")
    yield from _encrypted(forge)


def _encrypted(forge: Forge) -> Iterator[tuple[str, str]]:
    """A token that anybody can encrypt for the shop's public key."""
    for key in forge.keys:
        if key.algorithm == "RS256":
            header = {"alg": "RSA-OAEP", "enc": "A256GCM", "kid": key.kid, "cty": "JWT"}
            public = RSAKey.import_key(key.jwk() | {"use": "enc", "alg": "RSA-OAEP"})
            yield "JWE of claims", jwe.encrypt_compact(header, forge.body(), public)
            yield "JWE of a token", jwe.encrypt_compact(header, forge.token.encode(), public)


def of_another_shop(forge: Forge) -> Iterator[tuple[str, str]]:
    """All as it should be, with ids of keys alike, but signed by another shop."""
    for key in forge.keys:
        yield from _strangers(forge, key.kid)
    yield "the issuer alone", forge.signed(iss="urn:bodega:0190f4a2-0000-7000-8000-000000000000")


PARTS: tuple[Callable[[Forge], Iterator[tuple[str, str]]], ...] = (
    unsigned, confused, other_algorithms, key_ids, headers, meant_for_others, claims, tampered,
    shapes, of_another_shop,
)  # fmt: skip


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_it_is_refused_at_every_door(
    part: Callable[[Forge], Iterator[tuple[str, str]]], shop: Any, client: Client, forge: Forge
) -> None:
    rotate(shop, "RS256")
    rotate(shop, "EdDSA")
    assert {key.algorithm for key in forge.keys} == {"EdDSA", "RS256"}
    tokens = dict(part(forge))
    assert len(tokens) >= 8
    assert set(answers(client, forge.signed()).values()) == {200}
    found = let_in(client, tokens)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("part", [unsigned, confused, tampered], ids=lambda part: part.__name__)
def test_a_shop_that_signs_with_rsa_refuses_it_as_well(
    part: Callable[[Forge], Iterator[tuple[str, str]]], shop: Any, client: Client, forge: Forge
) -> None:
    (old,) = forge.keys
    rotate(shop, "RS256")
    retire(shop, old.kid)
    forge.token = forge.signed()
    assert {key.algorithm for key in forge.keys} == {"RS256"}
    assert set(answers(client, forge.token).values()) == {200}
    found = let_in(client, dict(part(forge)))
    assert not found, "\n".join(found)


def test_clocks_may_differ_by_a_few_seconds(client: Client, forge: Forge) -> None:
    now = forge.claims["iat"]
    for changes in (
        {"exp": now - LEEWAY + 3},
        {"nbf": now + LEEWAY - 2},
        {"iat": now + LEEWAY - 2},
    ):
        assert set(answers(client, forge.signed(**changes)).values()) == {200}, changes


def spellings(token: str) -> Iterator[str]:
    """Yield texts whose signature decodes to the same bytes."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    body, _, signature = token.rpartition(".")
    for letter in letters:
        if unb64(signature[:-1] + letter) == unb64(signature):
            yield f"{body}.{signature[:-1]}{letter}"
    for other in ("=", "==", "!", "~~~~"):
        yield token + other
    for between in ("!", "\r\n ", "=", "*" * 100):
        yield f"{body}.{signature[:20]}{between}{signature[20:]}"
    yield f"{body}.{signature.replace('-', '+').replace('_', '/')}"


def test_another_spelling_of_a_signature_gets_nobody_past_the_end_of_a_session(
    shop: Any, client: Client, forge: Forge
) -> None:
    tokens = list(spellings(forge.token))
    assert len(tokens) > 16
    for token in tokens:
        statuses = set(answers(client, token).values())
        assert statuses in ({200}, {401}), token
    with transaction():
        sessions.end_one(forge.claims["sub"], forge.claims["sid"], "a test")
    for token in (forge.token, *tokens):
        assert set(answers(client, token).values()) == {401}, token


def test_of_a_member_that_is_there_twice_the_last_one_counts(client: Client, forge: Forge) -> None:
    # RFC 7519 §4; only who has the key can sign such a thing.
    body = forge.body()
    ended = forge.raw(forge.head(), body[:-1] + b', "exp": 1}')
    other = forge.raw(forge.head(), body[:-1] + b', "use": "refresh"}')
    double = forge.raw(forge.head()[:-1] + b', "alg": "none"}', body)
    assert not let_in(client, {"exp": ended, "use": other, "alg": double})
    assert set(answers(client, forge.raw(forge.head(), b'{"exp": 1,' + body[1:])).values()) == {200}


def test_a_token_of_a_key_that_was_retired_is_refused(
    shop: Any, client: Client, forge: Forge
) -> None:
    (old,) = forge.keys
    rotate(shop, "RS256")
    assert set(answers(client, forge.token).values()) == {200}
    fresh = forge.signed()
    retire(shop, old.kid)
    assert not let_in(client, {"signed before": forge.token, "signed now": forge.signed(old)})
    assert set(answers(client, fresh).values()) == {200}


def test_whoever_logs_in_just_after_a_key_was_retired_gets_a_good_token(
    shop: Any, client: Client
) -> None:
    old = shop.keys.current
    rotate(shop, "EdDSA")
    retire(shop, old)
    # Nobody has sent this process a token since, by which it would have seen the news.
    token = client.log_in(*ADMIN).token
    assert token is not None
    assert jwt.get_unverified_header(token)["kid"] != old
    assert set(answers(client, token).values()) == {200}


def test_a_key_that_waits_to_sign_is_known_and_one_that_was_discarded_is_not(
    shop: Any, client: Client, forge: Forge
) -> None:
    # A host whose clock is ahead signs with it already, so its tokens are good everywhere.
    kid = rotate(shop, "EdDSA", at_once=False)
    waiting = next(key for key in forge.keys if key.kid == kid)
    assert shop.keys.current != kid
    early = forge.signed(waiting)
    assert set(answers(client, early).values()) == {200}
    rotate(shop, "EdDSA")
    assert not let_in(client, {"of a key that never came to sign": early})


def test_every_key_is_in_the_key_set_until_it_is_retired(
    shop: Any, client: Client, forge: Forge
) -> None:
    def published() -> set[str]:
        keys = client.get("/.well-known/jwks.json").expect(200)["keys"]
        assert not any({"d", "p", "q", "k"} & key.keys() for key in keys)
        return {key["kid"] for key in keys}

    (first,) = forge.keys
    second = rotate(shop, "RS256")
    waiting = rotate(shop, "EdDSA", at_once=False)
    assert published() == {first.kid, second, waiting}
    retire(shop, first.kid)
    assert published() == {second, waiting}
