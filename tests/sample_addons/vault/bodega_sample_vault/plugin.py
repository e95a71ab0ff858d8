"""The index of vault: every hook it implements, and where."""

from collections.abc import Callable, Iterable

from bodega_sample_vault import opening

from bodega_sdk import hookimpl


@hookimpl
def register_secret_sources() -> Iterable[Callable[[str], str | None]]:
    """Return the source."""
    return [opening.look_up]
