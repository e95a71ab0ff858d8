"""Codes: how they are compared, and how many are made that nobody can guess."""

import re
import secrets

from bodega_coupons.models import Coupon

#: Letters and digits that nobody confuses, read aloud or printed: no 0 O, no 1 I L, no U V.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTWXYZ"
#: Of these, so many in a code that was made: 58 bits.
LENGTH = 12
#: Codes that are made at once, at most.
MOST = 1000
#: What a code is: letters, digits, hyphens and underscores, ASCII only.
PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}")


def key_of(code: str) -> str:
    """Return what a code is compared by.

    Example::

        >>> key_of(" Spring-24 ")
        'SPRING-24'
    """
    return code.strip().upper()


def generate(count: int, prefix: str = "") -> list[str]:
    """Return so many codes that are not taken, from the system's source of chance.

    Args:
        prefix: what they begin with, e.g. ``"NEWS-"``.
    """
    found: dict[str, str] = {}
    while len(found) < count:
        made = [_one(prefix) for _ in range(count - len(found))]
        by_key = {key_of(code): code for code in made}
        taken = Coupon.select(Coupon.key).where(Coupon.key.in_(list(by_key))).tuples()
        for (key,) in taken:
            del by_key[key]
        found |= by_key
    return list(found.values())


def _one(prefix: str) -> str:
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
