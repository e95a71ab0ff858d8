"""Limits on how often something may happen, counted over all processes of the shop."""

from dataclasses import dataclass

from bodega_sdk.runtime import runtime


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many acts in so many seconds, for each key; the seconds begin with the first act.

    Counts are shared by all processes, survive a restart and are exact. They are no part of
    a transaction: what was counted stays counted when it is rolled back.

    Args:
        name: the addon's name, a dot and what is counted, e.g. ``"loyalty.code"``.
        amount: acts that are let through.
        seconds: from the first act until all is forgotten.

    Raises:
        ValueError: the amount or the seconds are less than 1, or there is no name.

    Example::

        >>> codes = RateLimit("loyalty.code", 2, 3600)
        >>> codes.hit("ada@shop.example")
        >>> codes.left("ada@shop.example")
        1
        >>> codes.hit("ada@shop.example")
        >>> codes.hit("ada@shop.example")
        Traceback (most recent call last):
        bodega_sdk.errors.TooManyRequests: Too many attempts; try again in 3600 seconds.
        >>> codes.reset("ada@shop.example")
    """

    name: str
    amount: int
    seconds: int

    def __post_init__(self) -> None:
        if not self.name or self.amount < 1 or self.seconds < 1:
            raise ValueError(f"{self}: expected a name, and an amount and seconds of at least 1")

    def hit(self, key: str) -> None:
        """Count one act, also when it is refused.

        Args:
            key: whose act, e.g. an e-mail address or :attr:`Request.address`; only a hash
                of it is stored.

        Raises:
            TooManyRequests: there were more than ``amount``; ``retry_after`` says for how
                many seconds it stays so.
        """
        runtime().hit_limit(self, key)

    def left(self, key: str) -> int:
        """Return how many acts of a key would be let through now; this counts nothing."""
        return runtime().limit_left(self, key)

    def reset(self, key: str) -> None:
        """Forget the acts of a key, e.g. once somebody has proved who they are."""
        runtime().reset_limit(self, key)
