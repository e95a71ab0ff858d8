"""V201 and V202: the addon in a shop alone, and beside the house."""

import importlib.metadata
from collections.abc import Callable, Iterator
from dataclasses import replace

from bodega.addons import lifecycle
from bodega.addons.discovery import GROUP
from bodega.addons.faults import Fault
from bodega.errors import PlanDrift
from bodega_sdk.errors import BodegaError
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.shops import Engine
from bodega_sdk.testing.conformance.subject import Subject


def check(subject: Subject, engine: Engine) -> Iterator[Finding]:
    """Start a shop with the addon, enable it in one that runs, and in one of the house."""
    for attempt, rule in ((_begin, "V201"), (_enable, "V201"), (_beside_the_house, "V202")):
        found = _attempt(rule, lambda made=attempt: made(subject, engine))  # type: ignore[misc]
        if found is not None:
            yield replace(found, engine=engine.name)
            return


def _attempt(rule: str, attempt: Callable[[], Fault | None]) -> Finding | None:
    try:
        fault = attempt()
    except KeyboardInterrupt:
        raise
    except PlanDrift as error:
        return Finding("V309", str(error))
    # An addon's first start may do anything.
    except BaseException as error:
        kind = "" if isinstance(error, BodegaError) else f"{type(error).__name__}: "
        return Finding(rule, f"{kind}{error}".replace("\n", " "))
    return Finding(rule, fault.reason, remedy=fault.remedy) if fault else None


def _begin(subject: Subject, engine: Engine) -> Fault | None:
    with engine.started((*subject.needed(), subject.name)) as shop:
        return shop.assembly.faults.get(subject.name)


def _enable(subject: Subject, engine: Engine) -> Fault | None:
    with engine.started(subject.needed()) as shop:
        lifecycle.enable(shop, subject.name)
        shop.refresh()
        return shop.assembly.faults.get(subject.name)


def _beside_the_house(subject: Subject, engine: Engine) -> Fault | None:
    # An addon of the house that does not start is quarantined: that is not this one's fault.
    with engine.started(_house(subject)) as shop:
        lifecycle.enable(shop, subject.name)
        shop.refresh()
        return shop.assembly.faults.get(subject.name)


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
