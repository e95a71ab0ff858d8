"""Query parameters that narrow lists."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bodega_sdk.http import Parameter


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter that narrows a list.

    Args:
        parameter: its name, type and help.
        apply: takes the parsed value, returns a peewee condition.

    Example::

        >>> at_least = Parameter("points_min", int, "At least so many points.")
        >>> Filter(at_least, lambda value: Award.points >= value).parameter.parse("3")
        3
    """

    parameter: Parameter
    apply: Callable[[Any], Any]
