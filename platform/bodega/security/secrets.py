"""Values kept secret at rest: Fernet under keys derived from the shop's secret key."""

import base64
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bodega.errors import ConfigurationError

#: What is shown in a secret's place.
MASK = "••••"
_SEALED = "sealed"


def cipher(secret: bytes, purpose: str) -> Fernet:
    """Return the cipher for one purpose; what it wrote, no other purpose's can read."""
    return Fernet(base64.urlsafe_b64encode(derive(secret, purpose)))


def derive(secret: bytes, purpose: str) -> bytes:
    """Return the key of 32 bytes for one purpose (HKDF, RFC 5869)."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(secret)


def seal(secret: bytes, name: str, value: Any) -> dict[str, str]:
    """Return the form in which a secret setting's value is stored.

    The setting's name is part of the key, so that one cannot be put in another's place.
    """
    clear = json.dumps(value).encode()
    return {_SEALED: _of_setting(secret, name).encrypt(clear).decode()}


def is_sealed(value: Any) -> bool:
    """Whether a stored value is what :func:`seal` makes; settings are never objects else."""
    return isinstance(value, dict) and value.keys() == {_SEALED}


def unseal(secret: bytes, name: str, value: dict[str, str]) -> Any:
    """Return what was sealed.

    Raises:
        ConfigurationError: the secret key is not the one it was stored with.
    """
    try:
        clear = _of_setting(secret, name).decrypt(value[_SEALED].encode())
    except InvalidToken:
        raise ConfigurationError(
            f"the secret setting {name} cannot be read: BODEGA_SECRET_KEY is not the key it was "
            f"stored with; give the old one back, or run 'bodega settings set {name} --stdin'"
        ) from None
    return json.loads(clear)


def _of_setting(secret: bytes, name: str) -> Fernet:
    return cipher(secret, f"bodega setting {name}")
