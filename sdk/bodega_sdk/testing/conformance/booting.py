"""V201 and V202: the addon in a shop alone, and beside the house."""

import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import suppress

from bodega.addons import lifecycle
from bodega.addons.discovery import GROUP
from bodega_sdk.errors import BodegaError
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.shops import Engine
from bodega_sdk.testing.conformance.subject import Subject


def check(subject: Subject, engine: Engine) -> Iterator[Finding]:
    """Start a shop with the addon, enable it in one that runs, and in one of the house."""
    found = _message(lambda: _begin(subject, engine)) or _message(lambda: _enable(subject, engine))
    if found:
        yield Finding("V201", found, engine=engine.name, remedy="Mend what the message names")
        return
    if told := _message(lambda: _beside_the_house(subject, engine)):
        yield Finding("V202", told, engine=engine.name)


def _message(attempt: Callable[[], str]) -> str:
    try:
        return attempt()
    except KeyboardInterrupt:
        raise
    # An addon's first start may do anything.
    except BaseException as error:
        kind = "" if isinstance(error, BodegaError) else f"{type(error).__name__}: "
        return f"{kind}{error}" or repr(error)


def _begin(subject: Subject, engine: Engine) -> str:
    with engine.started((*subject.needed(), subject.name)) as shop:
        fault = shop.assembly.faults.get(subject.name)
        return fault.reason if fault else ""


def _enable(subject: Subject, engine: Engine) -> str:
    with engine.started(subject.needed()) as shop:
        lifecycle.enable(shop, subject.name)
        shop.refresh()
        fault = shop.assembly.faults.get(subject.name)
        return fault.reason if fault else ""


def _beside_the_house(subject: Subject, engine: Engine) -> str:
    with engine.started(()) as shop:
        for name in _house(subject):
            # An addon of the house that does not start is not this one's fault.
            with suppress(BodegaError):
                lifecycle.enable(shop, name)
        lifecycle.enable(shop, subject.name)
        shop.refresh()
        fault = shop.assembly.faults.get(subject.name)
        return fault.reason if fault else ""


def _house(subject: Subject) -> list[str]:
    """Return the addons that come with Bodega, but for those it cannot stand beside."""
    entries = importlib.metadata.entry_points(group=GROUP)
    names = {entry.name for entry in entries if entry.dist and entry.dist.name == "bodega"}
    conflicts = {*subject.manifest.conflicts, subject.name}
    return sorted(
        name
        for name in names & subject.manifests.keys() - conflicts
        if subject.name not in subject.manifests[name].conflicts
    )
