"""Passwords: argon2id with the parameters OWASP names (19 MiB, t=2, p=1)."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bodega_sdk.errors import invalid

SHORTEST, LONGEST = 8, 128
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Checked when there is no account, so that the answer takes as long as when there is one.
_NOBODY = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the hash to store.

    Raises:
        InvalidInput: shorter or longer than allowed.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise invalid("password", f"Must be {SHORTEST} to {LONGEST} characters long.")
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether a password is the one that was stored; as slow when nothing was."""
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
