"""Signatures and keys as the Standard Webhooks specification has them.

``v1`` is HMAC-SHA256 with a secret that both sides know (``whsec_…``); ``v1a`` is ed25519:
the shop keeps ``whsk_…``, receivers get ``whpk_…``. What is signed is
``id.timestamp.body``, so that neither can be exchanged.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

#: What a webhook can be signed with → the schemes of its signatures.
SIGNINGS = {"v1": ("v1",), "v1a": ("v1a",), "both": ("v1", "v1a")}
#: Bytes of a secret.
SHORTEST, LONGEST = 24, 64
_SECRET, _PRIVATE, _PUBLIC = "whsec_", "whsk_", "whpk_"


@dataclass(frozen=True, slots=True)
class Key:
    """A new key.

    Args:
        scheme: ``v1`` or ``v1a``.
        private: what is kept: ``whsec_…`` or ``whsk_…``.
        public: of ``v1a``, what receivers verify with; empty otherwise.
    """

    scheme: str
    private: str
    public: str = ""


def new_key(scheme: str) -> Key:
    """Make a key of a scheme."""
    if scheme == "v1":
        return Key("v1", _SECRET + _text(secrets.token_bytes(32)))
    private = Ed25519PrivateKey.generate()
    seed = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Key("v1a", _PRIVATE + _text(seed), _PUBLIC + _text(public))


def given_key(secret: str) -> Key:
    """Return the key of a secret that somebody brings along.

    Raises:
        ValueError: it is none; the message repeats nothing of it.
    """
    expected = f"expected whsec_ and {SHORTEST} to {LONGEST} bytes in base64"
    try:
        size = len(base64.b64decode(secret.removeprefix(_SECRET), validate=True))
    except (binascii.Error, ValueError):
        raise ValueError(expected) from None
    if not secret.startswith(_SECRET) or not SHORTEST <= size <= LONGEST:
        raise ValueError(expected)
    return Key("v1", secret)


#: Takes what is to be signed; returns one signature, e.g. ``v1,K5oZ…``.
Signer = Callable[[bytes], str]


def signer(scheme: str, private: str) -> Signer:
    """Return what signs with a key."""
    raw = base64.b64decode(private.partition("_")[2])
    if scheme == "v1":
        return lambda content: f"v1,{_text(hmac.digest(raw, content, 'sha256'))}"
    key = Ed25519PrivateKey.from_private_bytes(raw)
    return lambda content: f"v1a,{_text(key.sign(content))}"


def sign(signers: Sequence[Signer], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: one for each key, with spaces between."""
    content = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(one(content) for one in signers)


def _text(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode()
