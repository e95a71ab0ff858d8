"""Secrets that an addon keeps: encrypted with keys that only this shop can derive."""

import base64

from cryptography.fernet import Fernet, InvalidToken

from bodega_sdk.runtime import runtime


def derive_key(purpose: str) -> bytes:
    """Return 32 bytes that only this shop knows, the same ones for the same purpose.

    Derived from the shop's secret key by HKDF (RFC 5869).

    Args:
        purpose: what they are for; begin it with the addon's name.

    Example::

        >>> len(derive_key("loyalty cards"))
        32
    """
    return runtime().derive_key(purpose)


def seal(purpose: str, clear: str) -> str:
    """Encrypt a text, to be stored.

    Args:
        purpose: see :func:`derive_key`; what was sealed for another cannot be read.
        clear: the secret.

    Example::

        >>> unseal("loyalty pins", seal("loyalty pins", "1234"))
        '1234'
    """
    return _cipher(purpose).encrypt(clear.encode()).decode()


def unseal(purpose: str, sealed: str) -> str:
    """Return what was sealed.

    Args:
        purpose: the one it was sealed for.
        sealed: what :func:`seal` returned.

    Raises:
        ValueError: it was sealed for another purpose, with another secret key, or changed.

    Example::

        >>> unseal("loyalty pins", seal("something else", "1234"))
        Traceback (most recent call last):
        ValueError: this was sealed for another purpose, with another secret key, or changed
    """
    try:
        return _cipher(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise ValueError(
            "this was sealed for another purpose, with another secret key, or changed"
        ) from None


def _cipher(purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derive_key(purpose)))
