"""Extensions in an Assembly: which fit, and the routes of what they extend."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bodega.addons.faults import Fault
from bodega_sdk.extensions import Extension, table_of
from bodega_sdk.http import Route

if TYPE_CHECKING:
    from bodega.addons.loading import LoadedAddon


def misfit(addons: Iterable["LoadedAddon"]) -> Fault | None:
    """Return the fault of an addon that extends what is not there, or not its to extend."""
    addons = tuple(addons)
    served = {_table(route): route for addon in addons for route in addon.routes if route.mounted}
    for addon in addons:
        needed = {addon.name, *(item.name for item in addon.manifest.dependencies)}
        for extension in addon.extensions:
            reason = _reason(extension, served.get(table_of(extension.resource)), needed)
            if reason:
                return Fault(
                    addon.name,
                    addon.name,
                    f"its extension of {extension.resource!r} does not fit: {reason}",
                    f"Mend {addon.manifest.package}, or disable {addon.name}",
                )
    return None


def _reason(extension: Extension, route: Route | None, needed: set[str]) -> str:
    if route is None or route.mounted is None:
        return "no enabled addon serves a collection of that name"
    if route.addon not in needed:
        return f"its manifest's depends does not name {route.addon!r}"
    if extension.addon in route.mounted[1].schema().fields:
        return f"there is a member {extension.addon!r} already"
    return ""


def _table(route: Route) -> str:
    name: str = route.mounted[1].model._meta.table_name if route.mounted else ""
    return name


def extensions(addons: Iterable["LoadedAddon"]) -> dict[str, tuple[Extension, ...]]:
    """Return the extensions of each resource, by their addons' names: the same in any order."""
    found: dict[str, list[Extension]] = {}
    for addon in addons:
        for extension in addon.extensions:
            found.setdefault(extension.resource, []).append(extension)
    return {
        name: tuple(sorted(items, key=lambda item: item.addon)) for name, items in found.items()
    }


def routes(
    addons: Iterable["LoadedAddon"], by_resource: Mapping[str, tuple[Extension, ...]]
) -> tuple[Route, ...]:
    """Return the routes of all addons, those of collections with their extensions."""
    by_table = {table_of(name): items for name, items in by_resource.items()}
    return tuple(route for addon in addons for route in _extended(addon, by_table))


def _extended(
    addon: "LoadedAddon", by_table: Mapping[str, tuple[Extension, ...]]
) -> Iterator[Route]:
    made: dict[Any, dict[tuple[str, str], Route]] = {}
    shapes: dict[Any, Any] = {}
    for route in addon.routes:
        items = by_table.get(_table(route))
        if route.mounted is None or items is None:
            continue
        if route.mounted not in made:
            path, kind = route.mounted
            collection = kind(items)
            shapes[kind.schema] = collection.shape
            made[route.mounted] = {(r.method, r.path): r for r in collection.routes(path)}
    for route in addon.routes:
        found = made.get(route.mounted, {}).get((route.method, route.path), route)
        # What else shows such a row shows what extends it: one name, one schema.
        yield replace(
            found,
            addon=route.addon,
            tag=route.tag,
            mounted=route.mounted,
            body=shapes.get(found.body, found.body),
            returns=shapes.get(found.returns, found.returns),
        )
