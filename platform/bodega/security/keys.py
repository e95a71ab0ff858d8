"""The keys that sign tokens: Ed25519, kept in the database, encrypted with the secret key."""

import base64
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bodega.database.tables import SigningKey
from bodega.errors import ConfigurationError
from bodega.security.secrets import cipher
from bodega_sdk.ids import uuid7

_PURPOSE = "bodega signing keys"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of a shop.

    Args:
        current: id of the key that signs.
        private: its private key.
        public: key id → public key, of every key whose tokens are still read.
    """

    current: str
    private: Any
    public: dict[str, Any]

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [_jwk(kid, key) for kid, key in self.public.items()]}


def _jwk(kid: str, key: Any) -> dict[str, str]:
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x}


def make_key(secret: bytes) -> None:
    """Store a new signing key."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    SigningKey.create(
        kid=uuid7().hex,
        private=cipher(secret, _PURPOSE).encrypt(private).decode(),
        public=public.decode(),
    )


def load_keys(secret: bytes) -> KeyRing | None:
    """Read the shop's keys; None when it has none yet.

    Raises:
        ConfigurationError: the secret key is not the one they were stored with.
    """
    rows = list(SigningKey.select().order_by(SigningKey.created_at, SigningKey.kid))
    if not rows:
        return None
    newest = rows[-1]
    try:
        pem = cipher(secret, _PURPOSE).decrypt(newest.private.encode())
    except InvalidToken:
        raise ConfigurationError(
            "BODEGA_SECRET_KEY is not the key this shop was made with; give the old one back, "
            "or empty the table bodega_signing_key and have everybody log in again"
        ) from None
    private = serialization.load_pem_private_key(pem, password=None)
    public = {row.kid: serialization.load_pem_public_key(row.public.encode()) for row in rows}
    return KeyRing(newest.kid, private, public)
