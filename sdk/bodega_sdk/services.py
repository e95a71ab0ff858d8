"""Services: work without an end that every worker process does while its addon is enabled."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class ServiceRun(Protocol):
    """One run of a service, given to it.

    Example::

        >>> def send(service: ServiceRun) -> None:
        ...     while not service.wait(1.0):
        ...         with transaction():
        ...             Award.update(points=Award.points + 1).execute()
    """

    @property
    def stopping(self) -> bool:
        """Whether it must return now: the addon is disabled or changed, or the worker stops."""

    def wait(self, seconds: float) -> bool:
        """Wait, but no longer than until it must return; True when it must."""


@dataclass(frozen=True, slots=True)
class Service:
    """A function that each worker process runs in a thread of its own, with the shop bound.

    Several workers run it at once: what they share, they claim as rows. It is told to stop, and
    begun anew, whenever the shop changes, e.g. by a setting; it should return within two
    seconds then, and nothing is drained before it has. When it raises, it is begun anew after a
    second, then two, four, up to a minute. When it returns by itself, it is done until the shop
    changes.

    Args:
        name: ``"addon.noun"``.
        run: takes the :class:`ServiceRun`.

    Example::

        >>> def send(service: ServiceRun) -> None:
        ...     while not service.wait(1.0):
        ...         ...
        >>> Service("loyalty.sender", send).name
        'loyalty.sender'
    """

    name: str
    run: Callable[[ServiceRun], None]
