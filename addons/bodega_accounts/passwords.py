"""Passwords: argon2id with the parameters OWASP names (19 MiB, t=2, p=1).

Which ones are allowed follows OWASP ASVS 5.0, 6.2: no rules about kinds of characters,
but none of those that are tried first.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bodega_sdk.errors import invalid

SHORTEST, LONGEST = 8, 128
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Checked when there is no account, so that the answer takes as long as when there is one: what was
# hashed was random, and is nobody's. Written down, since hashing it took each start 40 ms.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$rJSfZ+H7L2RkrwqGaRx55A$"
    "DpsM5VoNp3jLMdR5giy7OkZBMMy4LDVSehZp47wXHRM"
)


def check(password: str, *own: str, field: str = "password") -> str:
    """Return a new password if it will do.

    Args:
        own: what the account's other members hold; a password must be none of them.

    Raises:
        InvalidInput: it is too short, too long, or one of those that are tried first.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise invalid(field, f"Must be {SHORTEST} to {LONGEST} characters long.")
    plain = password.casefold()
    if plain in _common():
        raise invalid(field, "This is one of the most common passwords; choose another.")
    names = {name.casefold() for text in own for name in (text, text.partition("@")[0]) if name}
    if plain in names or len(set(plain)) < 3:
        raise invalid(field, "This is too easy to guess; choose another.")
    return password


@cache
def _common() -> frozenset[str]:
    """Return the 30,000 most common passwords, those of forbidden length among them."""
    # Imported late: most processes never set a password.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def hash_password(password: str) -> str:
    """Return the hash to store of a password that was checked."""
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether a password is the one that was stored; as slow when nothing was."""
    try:
        return _hasher.verify(stored or _NOBODY, password) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than are used now."""
    return _hasher.check_needs_rehash(stored)
