"""The dependency graph: what can be enabled, in which order, and why something cannot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bodega.addons.faults import Fault
from bodega_sdk.manifest import SDK_VERSION, Manifest, sdk_accepts


@dataclass(frozen=True, slots=True)
class Order:
    """Addons in an order in which each stands behind what it depends on.

    Args:
        names: deterministic: by depth, then by name.
        faults: addons that cannot be in it.
    """

    names: tuple[str, ...]
    faults: dict[str, Fault]


def resolve(
    wanted: Iterable[str],
    manifests: Mapping[str, Manifest],
    broken: Mapping[str, Fault] | None = None,
) -> Order:
    """Order the wanted addons; leave out the broken ones and whatever needs them.

    Args:
        wanted: names of the addons that should be enabled.
        manifests: the manifests there are.
        broken: addons known to be faulty.
    """
    wanted = sorted(set(wanted))
    faults = {name: fault for name, fault in (broken or {}).items() if name in wanted}
    for name in wanted:
        if name not in faults and (fault := _own_fault(name, set(wanted), manifests)):
            faults[name] = fault
    faults |= _cycles([name for name in wanted if name not in faults], manifests)
    _spread(wanted, manifests, faults)
    healthy = [name for name in wanted if name not in faults]
    depths: dict[str, int] = {}
    for name in healthy:
        _depth(name, manifests, depths)
    return Order(tuple(sorted(healthy, key=lambda name: (depths[name], name))), faults)


def _own_fault(name: str, wanted: set[str], manifests: Mapping[str, Manifest]) -> Fault | None:
    manifest = manifests.get(name)
    if manifest is None:
        return Fault(
            name,
            name,
            "its package is not installed",
            f"Install the package again or run 'bodega addons disable {name}'",
        )
    if not sdk_accepts(manifest):
        return Fault(
            name,
            name,
            f"it works with SDK {manifest.sdk}, and this is {SDK_VERSION}",
            f"Install a version of {name} made for this SDK",
        )
    return _dependency_fault(manifest, wanted, manifests) or _conflict(manifest, wanted)


def _dependency_fault(
    manifest: Manifest, wanted: set[str], manifests: Mapping[str, Manifest]
) -> Fault | None:
    for needed in manifest.dependencies:
        if needed.name not in manifests and needed.name not in wanted:
            return Fault(
                manifest.name,
                manifest.name,
                f"it depends on {needed.name}, which is not installed",
                f"Install {needed.name}, or disable {manifest.name}",
            )
        if needed.name not in wanted:
            return Fault(
                manifest.name,
                manifest.name,
                f"it depends on {needed.name}, which is not enabled",
                f"Run 'bodega addons enable {needed.name}'",
            )
        found = manifests.get(needed.name)
        if found is not None and not needed.accepts(found.version):
            return Fault(
                manifest.name,
                manifest.name,
                f"it depends on {needed.name}{needed.versions}, and {found.version} is installed",
                f"Install a {needed.name} that fits, or another {manifest.name}",
            )
    return None


def _conflict(manifest: Manifest, wanted: set[str]) -> Fault | None:
    for other in sorted(set(manifest.conflicts) & wanted):
        return Fault(
            manifest.name,
            manifest.name,
            f"it cannot be enabled beside {other}",
            f"Disable {other} or {manifest.name}",
        )
    return None


def _cycles(names: Iterable[str], manifests: Mapping[str, Manifest]) -> dict[str, Fault]:
    faults: dict[str, Fault] = {}
    for name in names:
        path = _path_back(name, name, manifests, (name,), set())
        if path:
            faults[name] = Fault(
                name,
                name,
                f"it depends on itself: {' → '.join(path)}",
                "Take one of these dependencies out of its manifest",
            )
    return faults


def _path_back(
    start: str,
    name: str,
    manifests: Mapping[str, Manifest],
    path: tuple[str, ...],
    seen: set[str],
) -> tuple[str, ...] | None:
    for needed in _needs(name, manifests):
        if needed == start:
            return (*path, start)
        if needed not in seen:
            seen.add(needed)
            found = _path_back(start, needed, manifests, (*path, needed), seen)
            if found:
                return found
    return None


def _needs(name: str, manifests: Mapping[str, Manifest]) -> list[str]:
    manifest = manifests.get(name)
    return [needed.name for needed in manifest.dependencies] if manifest else []


def _spread(
    wanted: Iterable[str], manifests: Mapping[str, Manifest], faults: dict[str, Fault]
) -> None:
    """Quarantine the dependents of the faulty, naming the culprit at the root."""
    changed = True
    while changed:
        changed = False
        for name in wanted:
            culprit = next((n for n in _needs(name, manifests) if n in faults), None)
            if name not in faults and culprit is not None:
                faults[name] = faults[culprit].spread_to(name)
                changed = True


def _depth(name: str, manifests: Mapping[str, Manifest], depths: dict[str, int]) -> int:
    if name not in depths:
        needs = _needs(name, manifests)
        depths[name] = 1 + max((_depth(needed, manifests, depths) for needed in needs), default=-1)
    return depths[name]


def _known_depth(name: str, manifests: Mapping[str, Manifest], depths: dict[str, int]) -> int:
    """Return the depth of an addon; 0 where a cycle has none."""
    try:
        return _depth(name, manifests, depths)
    except RecursionError:
        return 0


def ordered(names: Iterable[str], manifests: Mapping[str, Manifest]) -> list[str]:
    """Return addons, each behind what it depends on, whatever else is wrong with them."""
    depths: dict[str, int] = {}
    return sorted(names, key=lambda name: (_known_depth(name, manifests, depths), name))


def dependents(name: str, among: Iterable[str], manifests: Mapping[str, Manifest]) -> list[str]:
    """Return the addons that need this one, directly or through others, outermost first."""
    found: list[str] = []
    for other in among:
        if other != name and name in closure([other], manifests):
            found.append(other)
    depths: dict[str, int] = {}
    return sorted(found, key=lambda item: (-_known_depth(item, manifests, depths), item))


def closure(names: Iterable[str], manifests: Mapping[str, Manifest]) -> set[str]:
    """Return addons together with all that they depend on."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _needs(name, manifests)
    return found
