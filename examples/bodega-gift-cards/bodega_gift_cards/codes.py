"""Codes of cards: drawn at random, written in groups, kept as hashes."""

import hashlib
import hmac
import re
import secrets

from bodega_sdk import Money, setting

from bodega_gift_cards import hookspecs

#: No 0, 1, I, L, O: a code is read aloud, and typed by hand.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
#: Characters of a prefix at most.
PREFIX = 8


def new_code(amount: Money) -> str:
    """Draw a code for a card of this amount, without hyphens."""
    prefix = hookspecs.gift_card_prefix(amount) or ""
    length = setting("gift_cards.code_length")
    return plain(prefix)[:PREFIX] + "".join(secrets.choice(ALPHABET) for _ in range(length))


def plain(code: str) -> str:
    """Return a code as it is hashed: upper case, letters and digits only."""
    return re.sub(r"[^0-9A-Z]", "", code.upper())


def grouped(code: str) -> str:
    """Return a code as people read it, in groups of four: ``"ABCD-EFGH-…"``."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def hash_of(code: str) -> str:
    """Return what is kept of a code.

    A fast hash will do: there are 2 to the 59th codes or more, too many to try. The pepper
    makes what is in the database useless to whoever has nothing but the database.
    """
    pepper: str = setting("gift_cards.pepper")
    return hmac.new(pepper.encode(), plain(code).encode(), hashlib.sha256).hexdigest()
