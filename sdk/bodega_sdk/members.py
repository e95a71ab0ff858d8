"""Members of rows: which of them a caller may see and write, and which were asked for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bodega_sdk.errors import BadRequest, FieldError, PermissionDenied, Problem, Unauthenticated
from bodega_sdk.extensions import PERMISSION, WRITE_PERMISSION, Extension
from bodega_sdk.http import Parameter, Request
from bodega_sdk.identity import Identity
from bodega_sdk.includes import Include
from bodega_sdk.schemas import Schema

__all__ = ["PERMISSION", "WRITE_PERMISSION", "Guard", "Members", "Wanted", "guards", "writers"]


@dataclass(frozen=True, slots=True)
class Guard:
    """A member that needs a permission.

    Args:
        path: its name; with the addon's before it when an extension has it.
    """

    path: tuple[str, ...]
    permission: str

    @property
    def name(self) -> str:
        """The member as clients call it, e.g. ``loyalty.points``."""
        return ".".join(self.path)

    def find(self, data: Mapping[str, Any]) -> Any:
        """Return the object that holds the member, if it does."""
        for name in self.path[:-1]:
            data = data.get(name) or {}
        return data if self.path[-1] in data else None

    def take_out(self, shown: Iterable[dict[str, Any]]) -> None:
        """Take the member out of rendered rows."""
        *above, name = self.path
        for item in shown:
            data: Any = item
            for step in above:
                data = data.get(step) or {}
            data.pop(name, None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the rows one request shows.

    Args:
        fields: names of members; None for all of them.
        hidden: what the caller may not see.
        includes: what was asked for.
    """

    fields: frozenset[str] | None = None
    hidden: tuple[Guard, ...] = ()
    includes: tuple[Include, ...] = ()


_EVERYTHING = Wanted()


class Members:
    """The members of a collection's rows.

    Args:
        always: members that are shown anyhow and may be named in ``?include=``.
    """

    def __init__(
        self,
        schema: type[Schema],
        extensions: Sequence[Extension],
        includes: Sequence[Include],
        always: Sequence[str],
    ) -> None:
        self.guards = tuple(guards(schema, extensions))
        self._writers = tuple(writers(schema, extensions))
        self.includes = {item.name: item for item in includes}
        self._always = tuple(always)
        self._names = (*schema().dump_fields, *(item.addon for item in extensions))

    def parameters(self) -> Iterator[Parameter]:
        """Yield the query parameters that say what is shown."""
        names = ", ".join(self._names)
        yield Parameter("fields", str, f"Only these members, separated by commas; out of: {names}.")
        if self.includes or self._always:
            told = [f"{item.name} ({item.help})" for item in self.includes.values()]
            listed = ", ".join((*told, *self._always))
            yield Parameter("include", str, f"Show these too, separated by commas: {listed}.")

    def wanted(self, request: Request | None) -> Wanted:
        """Return what a request shows; without one, what everybody may see.

        Raises:
            BadRequest: it names a member that is unknown.
            PermissionDenied, Unauthenticated: it names one that its caller may not see.
        """
        if request is None:
            return Wanted(hidden=self.guards)
        sent, identity = request.query, request.identity
        hidden = tuple(item for item in self.guards if not identity.may(item.permission))
        if not (hidden or "fields" in sent or "include" in sent):
            return _EVERYTHING
        fields = self._fields(sent["fields"], hidden, identity) if "fields" in sent else None
        return Wanted(fields, hidden, self._included(sent.get("include", ""), identity))

    def _fields(self, text: str, hidden: Iterable[Guard], identity: Identity) -> frozenset[str]:
        names = _names("fields", text, (*self._names, *self.includes))
        for guard in hidden:
            if guard.name in names:
                raise _denied("fields", guard.permission, guard.name, identity)
        return names

    def _included(self, text: str, identity: Identity) -> tuple[Include, ...]:
        if not text:
            return ()
        names = _names("include", text, (*self.includes, *self._always))
        found = tuple(item for name, item in self.includes.items() if name in names)
        for item in found:
            if item.permission and not identity.may(item.permission):
                raise _denied("include", item.permission, item.name, identity)
        return found

    def apply(
        self, rows: Sequence[Any], shown: list[dict[str, Any]], wanted: Wanted, request: Any
    ) -> list[dict[str, Any]]:
        """Return rendered rows with what is wanted of them."""
        for guard in wanted.hidden:
            guard.take_out(shown)
        if wanted.fields is not None:
            shown = [_only(item, wanted.fields) for item in shown]
        for include in wanted.includes if rows else ():
            found = include.fetch([row.id for row in rows], request)
            for row, item in zip(rows, shown, strict=True):
                item[include.name] = found.get(row.id, ())
        return shown

    def spared(self, identity: Identity, addon: str) -> frozenset[str]:
        """Return the members of an extension that the caller may not write."""
        barred = (item for item in self._writers if not identity.may(item.permission))
        return frozenset(item.path[1] for item in barred if item.path[0] == addon and item.path[1:])

    def refuse(self, identity: Identity, data: Mapping[str, Any]) -> None:
        """Refuse a body with members that the caller may not write.

        Raises:
            PermissionDenied: naming the first.
        """
        for guard in self._writers:
            if guard.find(data) is not None and not identity.may(guard.permission):
                raise _denied(guard.name, guard.permission, guard.name, identity)


def guards(
    schema: type[Schema], extensions: Iterable[Extension] = (), kind: str = PERMISSION
) -> Iterator[Guard]:
    """Yield the members that need a permission, those of extensions too."""
    yield from _own_guards(schema, kind)
    for extension in extensions:
        for guard in guards(extension.schema, kind=kind):
            yield Guard((extension.addon, *guard.path), guard.permission)


# A class says the same whenever it is asked, and a shop asks of each route.
@lru_cache(1000)
def _own_guards(schema: type[Schema], kind: str) -> tuple[Guard, ...]:
    members = ((name, item, item.metadata.get(kind)) for name, item in schema().fields.items())
    return tuple(Guard((item.data_key or name,), may) for name, item, may in members if may)


def writers(schema: type[Schema], extensions: Iterable[Extension] = ()) -> Iterator[Guard]:
    """Yield the members that need a permission to be written."""
    extensions = tuple(extensions)
    for kind in (PERMISSION, WRITE_PERMISSION):
        yield from guards(schema, extensions, kind)


def _only(item: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in names}


def _names(parameter: str, text: str, known: Sequence[str]) -> frozenset[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            listed = ", ".join(dict.fromkeys(known)) or "none"
            message = f"There is no {name!r}; separate names by commas, out of: {listed}."
            raise BadRequest(
                f"Query parameter '{parameter}': {message}", [FieldError(parameter, message, text)]
            )
    return frozenset(names)


def _denied(field: str, permission: str, name: str, identity: Identity) -> Problem:
    message = f"'{name}' needs the permission '{permission}'."
    kind = PermissionDenied if identity.authenticated else Unauthenticated
    return kind(message, [FieldError(field, message)])
