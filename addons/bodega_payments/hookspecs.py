"""The hook that payments publish."""

from collections.abc import Callable, Mapping

from bodega_payments.providers import Provider
from bodega_sdk import hook

#: What makes a provider, when it is needed: name → a function without arguments.
Makers = Mapping[str, Callable[[], Provider]]


@hook("filter")
def payment_providers(makers: Makers) -> Makers:
    """Return the providers of payments, with your own behind those that are there.

    Called whenever one is looked for; the function of its name is called once for each use,
    so it should be quick, import what is heavy only then, and read its settings each time.

    Args:
        makers: name → what makes a :class:`bodega_payments.providers.Provider`.
    """
    raise AssertionError("a specification is not called")


__all__ = ["payment_providers"]
