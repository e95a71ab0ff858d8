"""Showing rows as their schema says: what marshmallow would, planned once for a model.

What a column holds already is taken as it is: text, numbers, and also ids and instants, which
become text with the JSON. Whatever is not known to be alike is left to marshmallow's field.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

import peewee
from marshmallow import fields, missing

from bodega_sdk import schemas
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
#: Read in the place of members that are no columns, which are written over it.
_ANY = "id"


class Shower:
    """Shows rows of a model as a schema says.

    Args:
        kind: the schema.
        model: rows of other kinds are left to marshmallow.
    """

    def __init__(self, kind: type[Schema], model: type[Model]) -> None:
        self._schema = kind()
        self._model = model
        self._names: list[str] = []
        self._columns: list[str] = []
        #: Members that are made of columns alone, and of a row.
        self._made: list[tuple[str, Callable[[Mapping[str, Any]], Any]]] = []
        self._others: list[tuple[str, Callable[[Any], Any]]] = []
        self._planned = self._plan()
        #: Takes the values of the columns out of a row; of a single one it would be no tuple.
        self._values = itemgetter(*self._columns) if len(self._columns) > 1 else self._those

    def _plan(self) -> bool:
        """Plan how each member is shown; return whether that can be planned."""
        schema = self._schema
        own = type(schema).get_attribute is not Schema.get_attribute
        hooked = schema._hooks.get("pre_dump") or schema._hooks.get("post_dump")
        if own or hooked or _ANY not in self._model._meta.fields:
            return False
        for name, item in schema.dump_fields.items():
            path, shown = item.attribute or name, item.data_key or name
            if path not in schema.made and not hasattr(self._model, path):
                return False
            self._names.append(shown)
            column = self._model._meta.fields.get(path)
            if path not in schema.made and _alike(item, column):
                self._columns.append(path)
                continue
            self._columns.append(_ANY)
            getter = self._getter(item, path)
            if isinstance(getter, of_columns) and self._has_columns(getter.names):
                self._made.append((shown, _maker(getter)))
            else:
                self._others.append((shown, getter))
        return True

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
            item = dict(zip(self._names, self._values(data), strict=True))
            for name, value_of in self._made:
                item[name] = value_of(data)
        except KeyError:
            # It was read without some of them.
            data = defaultdict(lambda: None, data)
            item = dict(zip(self._names, self._those(data), strict=True))
            for name, value_of in self._made:
                item[name] = value_of(data)
        for name, value_of in self._others:
            item[name] = value_of(row)
        return item

    def _those(self, data: Mapping[str, Any]) -> Iterable[Any]:
        return map(data.get, self._columns)


def _maker(made: of_columns) -> Callable[[Mapping[str, Any]], Any]:
    """Return what makes a member of the values of a row."""
    make, names = made.make, made.names
    if not names:
        return lambda data: make()
    values = itemgetter(*names)
    if len(names) == 1:
        return lambda data: make(values(data))
    return lambda data: make(*values(data))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _alike(item: fields.Field[Any], column: peewee.Field | None) -> bool:
    return isinstance(column, _ALIKE.get(type(item), ())) and not isinstance(
        column, peewee.ForeignKeyField
    )
