"""Functions that are written out for a plan: what stands in them need not be looked up."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def dictionary(
    argument: str, members: Iterable[tuple[str, str]], known: Mapping[str, Any]
) -> Callable[[Any], dict[str, Any]]:
    """Return a function of one argument that makes a dictionary.

    Args:
        argument: its name.
        members: keys, and expressions that our code wrote for their values: names in them are
            quoted by ``repr``, nothing stands in them that was sent.
        known: what the expressions name beside the argument.
    """
    told = ", ".join(f"{name!r}: {expression}" for name, expression in members)
    made: Callable[[Any], dict[str, Any]] = eval(  # noqa: S307
        f"lambda {argument}: {{{told}}}", dict(known)
    )
    return made
