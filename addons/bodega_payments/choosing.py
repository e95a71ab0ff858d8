"""Finds providers by their names; what a provider needs is imported when it is used."""

from importlib import import_module
from typing import Any, cast

from bodega_payments.hookspecs import payment_providers
from bodega_payments.providers import Misconfigured, Provider
from bodega_sdk import setting

#: Name → the module whose ``connect()`` makes it.
_OWN = {
    "sandbox": "bodega_payments.sandbox.provider",
    "stripe": "bodega_payments.stripe_provider",
}


def _maker(module: str) -> Any:
    return lambda: import_module(module).connect()


def names() -> frozenset[str]:
    """Return the names of all providers that there are."""
    return frozenset(_makers())


def _makers() -> Any:
    return payment_providers({name: _maker(module) for name, module in _OWN.items()})


def provider(name: str) -> Provider:
    """Return a provider.

    Raises:
        Misconfigured: there is none of this name, or its keys are missing.
    """
    maker = _makers().get(name)
    if maker is None:
        known = ", ".join(sorted(names()))
        raise Misconfigured(f"there is no provider {name!r} of payments; expected one of {known}")
    return cast(Provider, maker())


def current() -> Provider:
    """Return the provider that collects new payments."""
    return provider(setting("payments.provider"))
