"""Extensions and includes in an Assembly: which fit, and the routes of what they add to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bodega.addons.faults import Fault
from bodega_sdk.companions import table_of
from bodega_sdk.extensions import Extension
from bodega_sdk.http import Route
from bodega_sdk.includes import Include

if TYPE_CHECKING:
    from bodega.addons.loading import LoadedAddon


def misfit(addons: Iterable["LoadedAddon"]) -> Fault | None:
    """Return the fault of an addon that adds to what is not there, not its, or named already."""
    addons = tuple(addons)
    served = {_table(route): route for addon in addons for route in addon.routes if route.mounted}
    # Of each collection: names of members and of query parameters → who has them.
    members: dict[str, dict[str, str]] = {}
    parameters: dict[str, dict[str, str]] = {}
    for addon in addons:
        needed = {addon.name, *(item.name for item in addon.manifest.dependencies)}
        items: tuple[Extension | Include, ...] = (*addon.extensions, *addon.includes)
        for item in items:
            table = table_of(item.resource)
            route = served.get(table)
            reason = _reason(item, route, needed)
            if route is not None and not reason:
                taken = members.setdefault(table, _members(route))
                known = parameters.setdefault(table, _parameters(addons, table))
                reason = _claim(taken, _member(item), item, "member")
                for name in item.short if isinstance(item, Extension) else ():
                    reason = reason or _claim(known, name, item, "query parameter")
            if reason:
                return _fault(addon, item, reason)
    return None


def _fault(addon: "LoadedAddon", item: Extension | Include, reason: str) -> Fault:
    kind = "extension" if isinstance(item, Extension) else f"include {item.name!r}"
    return Fault(
        addon.name,
        addon.name,
        f"its {kind} of {item.resource!r} does not fit: {reason}",
        f"Mend {addon.manifest.package}, or disable {addon.name}",
    )


def _reason(item: Extension | Include, route: Route | None, needed: set[str]) -> str:
    if route is None or route.mounted is None:
        return "no enabled addon serves a collection of that name"
    if route.addon not in needed:
        return f"its manifest's depends does not name {route.addon!r}"
    return ""


def _claim(taken: dict[str, str], name: str, item: Extension | Include, kind: str) -> str:
    """Take a name for an addon; say so when it is somebody's already."""
    if name in taken:
        return f"there is a {kind} {name!r} already, of {taken[name]}"
    taken[name] = item.addon
    return ""


def _member(item: Extension | Include) -> str:
    return item.addon if isinstance(item, Extension) else item.name


def _members(route: Route) -> dict[str, str]:
    schema = route.mounted[1].schema if route.mounted else None
    return dict.fromkeys(schema().fields, route.addon) if schema else {}


def _parameters(addons: Iterable["LoadedAddon"], table: str) -> dict[str, str]:
    """Return the query parameters of the list of a collection, with whose they are."""
    routes = (route for addon in addons for route in addon.routes if _table(route) == table)
    return {item.name: route.addon for route in routes for item in route.parameters}


def _table(route: Route) -> str:
    name: str = route.mounted[1].model._meta.table_name if route.mounted else ""
    return name


def extensions(addons: Iterable["LoadedAddon"]) -> dict[str, tuple[Extension, ...]]:
    """Return the extensions of each resource, by their addons' names: the same in any order."""
    found = _by_resource(item for addon in addons for item in addon.extensions)
    return {name: tuple(sorted(items, key=_member)) for name, items in found.items()}


def includes(addons: Iterable["LoadedAddon"]) -> dict[str, tuple[Include, ...]]:
    """Return the includes of each resource, by their names."""
    found = _by_resource(item for addon in addons for item in addon.includes)
    return {name: tuple(sorted(items, key=_member)) for name, items in found.items()}


def _by_resource(items: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(item.resource, []).append(item)
    return found


def routes(
    addons: Iterable["LoadedAddon"],
    by_resource: Mapping[str, tuple[Extension, ...]],
    included: Mapping[str, tuple[Include, ...]] | None = None,
) -> tuple[Route, ...]:
    """Return the routes of all addons, those of collections with what is added to them."""
    extensions = {table_of(name): items for name, items in by_resource.items()}
    includes = {table_of(name): items for name, items in (included or {}).items()}
    added = {
        table: (extensions.get(table, ()), includes.get(table, ()))
        for table in extensions.keys() | includes.keys()
    }
    return tuple(route for addon in addons for route in _extended(addon, added))


def _extended(
    addon: "LoadedAddon",
    added: Mapping[str, tuple[tuple[Extension, ...], tuple[Include, ...]]],
) -> Iterator[Route]:
    made: dict[Any, dict[tuple[str, str], Route]] = {}
    shapes: dict[Any, Any] = {}
    for route in addon.routes:
        items = added.get(_table(route))
        if route.mounted is None or items is None:
            continue
        if route.mounted not in made:
            path, kind = route.mounted
            collection = kind(*items)
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
