"""Showing rows as their schema says: what marshmallow would, planned once for a model.

What a column holds already is taken as it is: text, numbers, and also ids and instants, which
become text with the JSON. Whatever is not known to be alike is left to marshmallow's field.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import peewee
from marshmallow import fields, missing

from bodega_sdk import schemas
from bodega_sdk._written import dictionary
from bodega_sdk.models import Model, UTCDateTimeField
from bodega_sdk.schemas import Schema, of_columns

#: Kind of a member → kinds of columns whose values need no conversion.
_ALIKE: dict[type, tuple[type[peewee.Field], ...]] = {
    schemas.String: (peewee.CharField, peewee.TextField),
    schemas.Email: (peewee.CharField, peewee.TextField),
    schemas.Url: (peewee.CharField, peewee.TextField),
    schemas.Integer: (peewee.IntegerField,),
    schemas.Boolean: (peewee.BooleanField,),
    schemas.Uuid: (peewee.UUIDField,),
    schemas.Timestamp: (UTCDateTimeField,),
}


class Shower:
    """Shows rows of a model as a schema says.

    Args:
        kind: the schema.
        model: rows of other kinds are left to marshmallow.
    """

    def __init__(self, kind: type[Schema], model: type[Model]) -> None:
        self._schema = kind()
        self._model = model
        #: Members, and how their values are written; those of columns alone come from ``known``.
        self._members: list[tuple[str, str]] = []
        self._known: dict[str, Any] = {}
        self._others: list[tuple[str, Callable[[Any], Any]]] = []
        self._planned = self._plan()
        self._of_values = dictionary("data", self._members, self._known)

    def _plan(self) -> bool:
        """Plan how each member is shown; return whether that can be planned."""
        schema = self._schema
        own = type(schema).get_attribute is not Schema.get_attribute
        hooked = schema._hooks.get("pre_dump") or schema._hooks.get("post_dump")
        if own or hooked:
            return False
        for name, item in schema.dump_fields.items():
            path, shown = item.attribute or name, item.data_key or name
            if path not in schema.made and not hasattr(self._model, path):
                return False
            column = self._model._meta.fields.get(path)
            if path not in schema.made and _alike(item, column):
                self._members.append((shown, f"data[{path!r}]"))
                continue
            getter = self._getter(item, path)
            if isinstance(getter, of_columns) and self._has_columns(getter.names):
                self._members.append((shown, self._made_of(getter)))
            else:
                # Written over, in its place.
                self._members.append((shown, "None"))
                self._others.append((shown, getter))
        return True

    def _made_of(self, made: of_columns) -> str:
        maker = f"make_{len(self._known)}"
        self._known[maker] = made.make
        return f"{maker}({', '.join(f'data[{name!r}]' for name in made.names)})"

    def _has_columns(self, names: Iterable[str]) -> bool:
        """Whether a row's values of these are what it has as its attributes."""
        fields = [self._model._meta.fields.get(name) for name in names]
        return all(getattr(item, "accessor_class", None) is peewee.FieldAccessor for item in fields)

    def _getter(self, item: fields.Field[Any], path: str) -> Callable[[Any], Any]:
        made = self._schema.made.get(path)
        if not item._CHECK_ATTRIBUTE:
            accessor = self._schema.get_attribute
            return lambda row: item.serialize(path, row, accessor=accessor)
        if made is not None:
            return made
        if type(item) is schemas.Amount:
            return lambda row: _text(getattr(row, path))
        return lambda row: item._serialize(getattr(row, path, missing), path, row)

    def show(self, rows: Iterable[Any]) -> list[dict[str, Any]]:
        """Return rows as they are shown."""
        rows = list(rows)
        if self._planned and all(type(row) is self._model for row in rows):
            return [self._one(row) for row in rows]
        shown: list[dict[str, Any]] = self._schema.dump(rows, many=True)
        return shown

    def _one(self, row: Any) -> dict[str, Any]:
        data = row.__data__
        try:
            item = self._of_values(data)
        except KeyError:
            # It was read without some of them.
            item = self._of_values(defaultdict(lambda: None, data))
        for name, value_of in self._others:
            item[name] = value_of(row)
        return item


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _alike(item: fields.Field[Any], column: peewee.Field | None) -> bool:
    return isinstance(column, _ALIKE.get(type(item), ())) and not isinstance(
        column, peewee.ForeignKeyField
    )
