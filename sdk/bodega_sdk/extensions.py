"""Extensions: what an addon adds to another addon's rows, kept in a table of its own.

A companion table has at most one row for each row that it extends, under the same id; a
missing row means that every field has its default. The kernel joins it to the rows it
extends, so that they show, take, filter and order by the extension's members under the
addon's name.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import peewee
from marshmallow import fields

from bodega_sdk.companions import Companion, CompanionKey
from bodega_sdk.errors import FieldError, InvalidInput
from bodega_sdk.filters import Filter
from bodega_sdk.http import Parameter
from bodega_sdk.identity import Identity
from bodega_sdk.models import Model
from bodega_sdk.pagination import Ordering
from bodega_sdk.runtime import runtime
from bodega_sdk.schemas import (
    Amount,
    Boolean,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Timestamp,
    Uuid,
    ValidationError,
)  # fmt: skip
from bodega_sdk.showing import Shower

#: Key of a field's ``metadata``: the permission that its member needs, to be seen and written.
PERMISSION = "permission"
#: The same, to be written only: everybody sees it.
WRITE_PERMISSION = "write_permission"
_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "": lambda left, right: left == right,
    "__gte": lambda left, right: left >= right,
    "__lte": lambda left, right: left <= right,
}
#: Members whose value can stand in one cell of a file.
_IN_A_CELL = (Amount, Boolean, Integer, String, Timestamp, Uuid)
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_MEANING = {"": "Exactly this {}.", "__gte": "This {} or more.", "__lte": "This {} or less."}


@dataclass(frozen=True)
class Extension:
    """What a companion table adds to the resource that it extends.

    Args:
        model: the companion table.
        schema: what it looks like outside; no member may be required.
        filters: fields that lists can be narrowed by: ``?loyalty.points=``, and for
            whole numbers ``__gte`` and ``__lte``.
        orderings: fields, never null and with a default, that lists can be ordered by.
        addon: its owner; written in by the kernel.
        short: query parameters without the addon's name: each stands for one of its own,
            ``{"points_min": "points__gte"}``, or is a :class:`Filter` whose condition also
            holds, or not, for rows without a companion. No two addons may have the same.

    Example::

        >>> found = Extension(ProductPoints, ProductPointsSchema, filters=("points",))
        >>> found.resource, list(found.faults())
        ('products.product', [])
    """

    model: type[Companion]
    schema: type[Schema]
    filters: tuple[str, ...] = ()
    orderings: tuple[str, ...] = ()
    addon: str = field(default="")
    short: Mapping[str, str | Filter] = field(default_factory=dict, hash=False)

    #: Types of the fields that can be filtered by.
    TYPES: ClassVar[Mapping[type[peewee.Field], type]] = {
        peewee.BooleanField: bool,
        peewee.IntegerField: int,
        peewee.UUIDField: UUID,
        peewee.CharField: str,
        peewee.TextField: str,
    }

    def owned_by(self, addon: str) -> "Extension":
        """Return the extension with its owner written in."""
        return replace(self, addon=addon)

    @property
    def resource(self) -> str:
        """What it extends, e.g. ``products.product``."""
        found: str = self.model._meta.primary_key.resource
        return found

    @property
    def attribute(self) -> str:
        """Where a row holds its companion."""
        return f"companion_of_{self.addon}"

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with it, in words."""
        if not isinstance(self.model._meta.primary_key, CompanionKey):
            yield f"{self.model.__name__}: its key must be 'id: Any = extends(\"addon.noun\")'"
            return
        known = self.model._meta.fields
        for name, item in known.items():
            if name != "id" and item.default is None and not item.null:
                yield f"{self.model.__name__}.{name}: must have a default or may be null"
        for name, member in self.schema().load_fields.items():
            if member.required:
                yield f"{self.schema.__name__}.{name}: no member of an extension is required"
        for name in {*self.filters, *self.orderings} - known.keys():
            yield f"{self.model.__name__} has no field {name!r} to filter or order by"
        for name in set(self.filters) & known.keys():
            if self._type(known[name]) is None:
                yield f"{self.model.__name__}.{name}: fields of its type cannot be filtered by"
        yield from self._short_faults()
        for name in set(self.orderings) & known.keys():
            if known[name].null or callable(known[name].default):
                yield f"{self.model.__name__}.{name}: to order by it, it needs a plain default"

    def _short_faults(self) -> Iterator[str]:
        full = {parameter.name for parameter, _ in self._own_conditions()}
        for name, meant in self.short.items():
            if isinstance(meant, Filter):
                if meant.parameter.name != name:
                    yield f"short {name!r}: its filter's parameter is {meant.parameter.name!r}"
            elif f"{self.addon}.{meant}" not in full:
                yield f"short {name!r}: there is no filter {meant!r}"

    @classmethod
    def _type(cls, item: peewee.Field) -> type | None:
        kinds = (kind for known, kind in cls.TYPES.items() if isinstance(item, known))
        return next(kinds, None)

    # What lists are narrowed and ordered by.

    def conditions(self) -> Iterator[tuple[Parameter, Callable[[Any], Any]]]:
        """Yield its query parameters, each with what makes a condition of the value."""
        own = dict(self._own_conditions())
        yield from own.items()
        by_name = {parameter.name: parameter for parameter in own}
        for name, meant in self.short.items():
            if isinstance(meant, Filter):
                yield meant.parameter, meant.apply
            else:
                full = by_name[f"{self.addon}.{meant}"]
                yield replace(full, name=name), own[full]

    def _own_conditions(self) -> Iterator[tuple[Parameter, Callable[[Any], Any]]]:
        for name in self.filters:
            if name not in self.model._meta.fields:
                continue  # One of its faults.
            item = self.model._meta.fields[name]
            kind = self._type(item) or str
            for suffix in _COMPARISONS if kind is int else ("",):
                help = _MEANING[suffix].format(name.replace("_", " "))
                parameter = Parameter(f"{self.addon}.{name}{suffix}", kind, help)
                yield parameter, _condition(item, _COMPARISONS[suffix])

    def ordered(self, base: type[Model]) -> Iterator[Ordering]:
        """Yield the orderings that it adds to lists of the rows it extends."""
        for name in self.orderings:
            item = self.model._meta.fields[name]
            yield Ordering(
                f"{self.addon}.{name}", item, _with_default(item), base._meta.primary_key,
                self._value_of(name),
            )  # fmt: skip

    def _value_of(self, name: str) -> Callable[[Any], Any]:
        return lambda row: getattr(self.companion(row), name)

    def joined_to(self, query: peewee.ModelSelect, base: type[Model]) -> peewee.ModelSelect:
        """Return a query of the rows it extends, joined to their companions."""
        same = self.model._meta.primary_key == base._meta.primary_key
        return query.join_from(
            base, self.model, peewee.JOIN.LEFT_OUTER, on=same, attr=self.attribute
        )

    # What rows show and take.

    def companion(self, row: Any) -> Companion:
        """Return the companion of a row that was read with it."""
        found: Companion | None = getattr(row, self.attribute, None)
        return self.model(id=row.id) if found is None else found

    def show(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """Return its members for each of many rows, as they are shown."""
        rows = list(rows)
        self._read_for([row for row in rows if not hasattr(row, self.attribute)])
        model: Any = self.model
        return _shower(self.schema, model).show(map(self.companion, rows))

    def _read_for(self, rows: list[Any]) -> None:
        """Read the companions of rows that were read without them."""
        found = self.model.read_many([row.id for row in rows]) if rows else {}
        for row in rows:
            setattr(row, self.attribute, found[row.id])

    def take(
        self, row: Any, data: Mapping[str, Any], *, whole: bool, spared: Iterable[str] = ()
    ) -> None:
        """Write loaded members.

        Args:
            whole: whether those that were not sent are reset, but for read-only ones. Fields
                that are no members stay as they are.
            spared: members that are not reset either: the caller may not write them.
        """
        try:
            values = self.model.loaded(data, row.id)
        except InvalidInput as error:
            raise _below(self.addon, error) from None
        if whole:
            values = self._reset(spared) | values
        self.model.write(row.id, **values)
        companion = self.companion(row)
        for name, value in values.items():
            setattr(companion, name, value)
        setattr(row, self.attribute, companion)

    def _reset(self, spared: Iterable[str]) -> dict[str, Any]:
        members, kept = _schema(self.schema).load_fields, set(spared)
        # What no member writes is the addon's own business.
        written = {item.attribute or name for name, item in members.items() if name not in kept}
        return {name: value for name, value in self.defaults().items() if name in written}

    # What files hold.

    def columns(self) -> dict[str, Callable[[str], Any]]:
        """Return how a cell of a file reads, by column, e.g. ``loyalty.points``.

        A cell that cannot be used raises ValueError, saying what was expected.
        """
        members = self.schema().load_fields.items()
        return {
            f"{self.addon}.{name}": _cell(member)
            for name, member in members
            if isinstance(member, _IN_A_CELL)
        }

    def withheld(self, identity: Identity) -> dict[str, str]:
        """Return the columns that somebody may not write, and the permissions they need.

        For what is written behind a request, e.g. of a file: collections see to themselves.
        """
        return {
            f"{self.addon}.{name}": needed
            for name, member in _schema(self.schema).load_fields.items()
            for key in (PERMISSION, WRITE_PERMISSION)
            if (needed := member.metadata.get(key)) and not identity.may(needed)
        }

    def defaults(self) -> dict[str, Any]:
        """Return the values that a missing row means, without the key."""
        empty = self.model()
        return {name: getattr(empty, name) for name in self.model._meta.fields if name != "id"}


def _cell(member: fields.Field[Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value: Any = text.strip()
        if isinstance(member, Boolean):
            value = {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
        elif isinstance(member, Integer) and _WHOLE.fullmatch(value):
            value = int(value)
        try:
            return member.deserialize(value)
        except ValidationError as error:
            raise ValueError(" ".join(map(str, error.messages))) from None

    return read


@lru_cache
def _shower(kind: type[Schema], model: Any) -> Shower:
    return Shower(kind, model)


@lru_cache
def _schema(kind: type[Schema]) -> Schema:
    """Return a schema to show rows with; making one takes longer than showing ten."""
    return kind()


def _below(addon: str, error: InvalidInput) -> InvalidInput:
    found = [FieldError(f"{addon}.{item.field}", item.message, item.found) for item in error.errors]
    return InvalidInput(error.detail, found)


def _condition(item: peewee.Field, compare: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    default = None if callable(item.default) else item.default

    def condition(value: Any) -> Any:
        found = compare(item, value)
        # Rows without a companion have the default; the index serves all others.
        if default is not None and compare(default, value):
            return found | item.model._meta.primary_key.is_null()
        return found

    return condition


def _with_default(item: peewee.Field) -> Any:
    """Return a field's value, its default where there is no companion, to order by."""
    default = peewee.Value(item.db_value(item.default), converter=False)
    return peewee.fn.COALESCE(item, default).coerce(False)


def extended(
    schema: type[Schema], extensions: Iterable[Extension], includes: Iterable[Any] = ()
) -> type[Schema]:
    """Return a schema with a member for each extension, and for each include."""
    return _extended(schema, tuple(extensions), tuple(includes))


# Kept, so that two collections of the same rows have one schema, and documents one name.
@lru_cache(maxsize=256)
def _extended(
    schema: type[Schema], extensions: tuple[Extension, ...], includes: tuple[Any, ...]
) -> type[Schema]:
    members: dict[str, Any] = {
        item.addon: Nested(item.schema, metadata={"description": f"Added by {item.addon}."})
        for item in extensions
    }
    for item in includes:
        told = {"description": f"Only with `?include={item.name}`. {item.help}".strip()}
        members[item.name] = List(Nested(item.schema), dump_only=True, metadata=told)
    if not members:
        return schema
    meta = type("Meta", (schema.Meta,), {"register": False})
    about = {"Meta": meta, "__doc__": schema.__doc__, "__module__": schema.__module__}
    return type(schema.__name__, (schema,), members | about)


def extensions_of(resource: str) -> tuple[Extension, ...]:
    """Return the extensions that the enabled addons bring to a resource, by addon.

    Args:
        resource: e.g. ``"products.product"``.

    Example::

        >>> extensions_of("products.product")
        ()
    """
    return runtime().extensions(resource)
