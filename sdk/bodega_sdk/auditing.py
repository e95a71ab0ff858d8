"""The audit log: who did what that matters to security, in a chain that cannot be altered."""

from typing import Any

from bodega_sdk.runtime import runtime


def audit(action: str, target: str = "", **details: Any) -> None:
    """Write down an act in the audit log, with who did it and from where.

    It belongs to the open transaction and is rolled back with it; outside of one it gets
    one of its own. What stands under a name that looks secret (password, token, secret,
    key, code, authorization) is masked, and long values are shortened.

    Args:
        action: what was done, as "noun.past_participle".
        target: what it was done to, the kind and the id: ``"card:7"``.
        details: what else is worth knowing, JSON-serialisable, about 4 KB at most.

    Raises:
        ValueError: the action is not written like ``"card.blocked"``.

    Example::

        >>> with transaction():
        ...     audit("card.blocked", "card:7", reason="lost", pin_code="1234")
    """
    runtime().audit(action, target, details)
