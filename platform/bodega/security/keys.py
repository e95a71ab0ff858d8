"""The keys that sign tokens: kept in the database, encrypted with the secret key.

A key goes through four times. It is made and published, and signs nothing yet, so that
whoever keeps the key set has it before the first token comes. It signs. Its successor
signs, and it still checks the tokens that it signed. It is retired.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from bodega.database.tables import SigningKey
from bodega.errors import ConfigurationError, OperatorError
from bodega.security.secrets import cipher
from bodega_sdk.ids import uuid7
from bodega_sdk.models import now

_PURPOSE = "bodega signing keys"
#: What keys can be made for; RFC 8037 and RFC 7518 §3.3.
ALGORITHMS = ("EdDSA", "RS256")
#: How long a key is published before it signs: twice what the key set may be cached for.
LEAD = timedelta(minutes=10)
#: How long a key checks tokens after its successor took over; no token is good for longer.
KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the shop.

    Args:
        kid: its id.
        algorithm: one of :data:`ALGORITHMS`.
        private, public: the two halves.
        signs_from: when it begins to sign, or did.
    """

    kid: str
    algorithm: str
    private: Any
    public: Any
    signs_from: datetime

    def jwk(self) -> dict[str, str]:
        """Return the public half as a JSON Web Key (RFC 7517)."""
        head = {"use": "sig", "alg": self.algorithm, "kid": self.kid}
        if self.algorithm == "EdDSA":
            raw = self.public.public_bytes(
                serialization.Encoding.Raw, serialization.PublicFormat.Raw
            )
            return {"kty": "OKP", "crv": "Ed25519", **head, "x": _base64url(raw)}
        numbers = self.public.public_numbers()
        return {"kty": "RSA", **head, "n": _number(numbers.n), "e": _number(numbers.e)}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of a shop whose tokens are read, the one that signs last first to sign."""

    keys: tuple[Key, ...]

    @property
    def signing(self) -> Key:
        """The key that signs now."""
        moment = now()
        begun = [key for key in self.keys if key.signs_from <= moment]
        return begun[-1] if begun else self.keys[0]

    @property
    def current(self) -> str:
        """The id of the key that signs now."""
        return self.signing.kid

    @property
    def private(self) -> Any:
        """The private half of the key that signs now."""
        return self.signing.private

    @property
    def public(self) -> dict[str, Any]:
        """Key id → public half."""
        return {key.kid: key.public for key in self.keys}

    def find(self, kid: Any) -> Key | None:
        """Return the key of an id."""
        return next((key for key in self.keys if key.kid == kid), None)

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [key.jwk() for key in self.keys]}


def make_key(secret: bytes, algorithm: str = "EdDSA", signs_from: datetime | None = None) -> str:
    """Store a new signing key and return its id.

    Args:
        signs_from: now when None.
    """
    private = (
        Ed25519PrivateKey.generate()
        if algorithm == "EdDSA"
        else generate_private_key(public_exponent=65_537, key_size=2048)
    )
    clear = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    row = SigningKey.create(
        kid=uuid7().hex,
        algorithm=algorithm,
        private=cipher(secret, _PURPOSE).encrypt(clear).decode(),
        public=public.decode(),
        signs_from=signs_from or now(),
    )
    kid: str = row.kid
    return kid


def load_keys(secret: bytes) -> KeyRing | None:
    """Read the keys whose tokens are read; None when there are none yet.

    Raises:
        ConfigurationError: the secret key is not the one they were stored with.
    """
    rows = list(SigningKey.select().where(SigningKey.retired_at.is_null()))
    keys = sorted((_key(secret, row) for row in rows), key=lambda key: (key.signs_from, key.kid))
    return KeyRing(tuple(_unexpired(keys))) if keys else None


def _unexpired(keys: list[Key]) -> Iterable[Key]:
    """Yield the keys that signed nothing which is still good, left out."""
    oldest = now() - KEPT
    for key, successor in zip(keys, [*keys[1:], None], strict=True):
        if successor is None or successor.signs_from > oldest:
            yield key


def _key(secret: bytes, row: Any) -> Key:
    try:
        pem = cipher(secret, _PURPOSE).decrypt(row.private.encode())
    except InvalidToken:
        raise ConfigurationError(
            "BODEGA_SECRET_KEY is not the key this shop was made with; give the old one back, "
            "or empty the table bodega_signing_key and have everybody log in again"
        ) from None
    return Key(
        row.kid,
        row.algorithm,
        serialization.load_pem_private_key(pem, password=None),
        serialization.load_pem_public_key(row.public.encode()),
        row.signs_from or row.created_at,
    )


def rotate(secret: bytes, algorithm: str, *, at_once: bool = False) -> str:
    """Make the successor of the key that signs; return its id.

    It signs from :data:`LEAD` on, so that no token comes before its key is known everywhere.

    Args:
        at_once: whether it signs from now on: for when the old one was stolen.

    Raises:
        OperatorError: a key waits to sign already.
    """
    ring = load_keys(secret)
    waiting = [key for key in ring.keys if key.signs_from > now()] if ring else []
    if waiting and not at_once:
        raise OperatorError(
            f"key {waiting[0].kid} waits to sign already, from {waiting[0].signs_from:%H:%M:%S} "
            "UTC on; let it, or rotate with --now"
        )
    SigningKey.delete().where(SigningKey.signs_from > now()).execute()
    return make_key(secret, algorithm, None if at_once else now() + LEAD)


def retire(secret: bytes, kid: str) -> None:
    """Refuse every token that a key signed.

    Raises:
        OperatorError: there is no such key, or it is the one that signs.
    """
    ring = load_keys(secret)
    key = ring.find(kid) if ring else None
    if ring is None or key is None:
        raise OperatorError(f"there is no key {kid}; see 'bodega keys list'")
    if ring.current == kid:
        raise OperatorError(f"key {kid} signs now; make its successor with 'bodega keys rotate'")
    SigningKey.update(retired_at=now()).where(SigningKey.kid == kid).execute()
