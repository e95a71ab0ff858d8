"""Reading rows of models: what peewee would, planned once for each statement.

peewee finds out for every query which column belongs to which model, and sets each value by
an attribute; here that is kept by the statement's text, and rows get their values at once.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from functools import lru_cache
from typing import Any
from uuid import UUID

import peewee

from bodega_sdk._statements import engine_of, written
from bodega_sdk._written import dictionary
from bodega_sdk.models import UTCDateTimeField

#: Statements whose plans are kept.
_MOST = 512
#: Columns whose values come as they are from both engines.
_AS_THEY_ARE = (
    peewee.CharField, peewee.TextField, peewee.IntegerField, peewee.BigIntegerField,
)  # fmt: skip
#: Columns that read values of a type as they are, whatever they make of others.
_SAME = {peewee.UUIDField: UUID, peewee.BooleanField: bool}
#: How columns read that read nothing as nothing.
_NOTHING_STAYS = (
    peewee.Field.python_value, peewee.UUIDField.python_value, peewee.JSONField.python_value,
)  # fmt: skip
_plans: OrderedDict[tuple[Any, ...], "Plan | None"] = OrderedDict()
_lock = threading.Lock()

Convert = Callable[[Any], Any]
Column = tuple[int, str, Convert | None]


def rows_of(query: peewee.ModelSelect) -> list[Any]:
    """Return the rows of a query, as ``list(query)`` would, only faster.

    Args:
        query: of a model's rows; it may join others.

    Example::

        >>> [row.points for row in rows_of(Award.select().where(Award.points > 100))]
        []
    """
    database = query._database or query.model._meta.database
    sql, params = written(query)
    # Two queries of one text may put what is joined into attributes of other names.
    names = tuple(item[1] for joins in query._joins.values() for item in joins)
    engine = engine_of(query)
    key = (engine, query.model, names, sql)
    with _lock:
        plan, known = _plans.get(key), key in _plans
    if known and plan is None:
        return list(query)
    cursor = database.execute_sql(sql, params)
    if plan is None:
        wrapper = query._get_model_cursor_wrapper(cursor)
        wrapper.initialize()
        plan = _planned(wrapper, issubclass(engine, peewee.PostgresqlDatabase))
        _keep(key, plan)
        if plan is None:
            return [wrapper.process_row(row) for row in cursor.fetchall()]
    return [plan.made(row) for row in cursor.fetchall()]


def _keep(key: tuple[Any, ...], plan: "Plan | None") -> None:
    with _lock:
        _plans[key] = plan
        if len(_plans) > _MOST:
            _plans.popitem(last=False)


class Columns:
    """Columns of a row that make an object of a model.

    Args:
        model: of the object.
        columns: place in the row, name of the field and what converts its value.
        typed: whether the driver gives ids, truths and instants as such, as PostgreSQL's does.
    """

    def __init__(
        self, model: type[peewee.Model], columns: list[Column], typed: bool = False
    ) -> None:
        self._model = model
        self._places = [place for place, _, _ in columns]
        known: dict[str, Any] = {"UTC": UTC}
        fields = model._meta.fields
        members = [
            (name, _value_of(place, convert, fields[name], typed, known))
            for place, name, convert in columns
        ]
        self._values = dictionary("row", members, known)

    def there(self, row: tuple[Any, ...]) -> bool:
        """Whether a row has any of them."""
        return any(row[place] is not None for place in self._places)

    def made(self, row: tuple[Any, ...]) -> Any:
        """Return the object of a row."""
        made: Any = object.__new__(self._model)
        made.__data__ = self._values(row)
        made._dirty, made.__rel__ = set(), {}
        return made


def _value_of(
    place: int, convert: Convert | None, field: Any, typed: bool, known: dict[str, Any]
) -> str:
    """Return how the value of a column is written that stands at a place of a row.

    Args:
        typed: see :class:`Columns`.
        known: takes what is named in it.
    """
    value = f"row[{place}]"
    kinds = _types_of(field)
    if convert is None or (typed and len(kinds) > 1):
        return value
    if typed and _is_instant(field):
        # The connection's zone is UTC, unless somebody in between forgot to tell.
        return f"x if (x := {value}) is None or x.tzinfo is UTC else x.astimezone(UTC)"
    known[f"convert_{place}"], known[f"kinds_{place}"] = _quickly(convert, field), kinds
    return f"x if type(x := {value}) in kinds_{place} else convert_{place}(x)"


class Plan:
    """How a row becomes an object, and those that are joined to it.

    Args:
        columns: of the object.
        others: place and attribute of what is no field of it.
        joined: of each model that is joined: its attribute, whether that is a foreign key,
            and its columns.
    """

    def __init__(
        self, columns: Columns, others: list[Column], joined: list[tuple[str, bool, Columns]]
    ) -> None:
        self._columns, self._others, self._joined = columns, others, joined

    def made(self, row: tuple[Any, ...]) -> Any:
        """Return the object of a row."""
        found = self._columns.made(row)
        for place, name, convert in self._others:
            value = row[place]
            setattr(found, name, value if convert is None else convert(value))
        for name, is_key, columns in self._joined:
            other = columns.made(row) if columns.there(row) else None
            if is_key:
                found.__rel__[name] = other
            else:
                setattr(found, name, other)
        return found


def _quickly(convert: Convert, field: Any) -> Convert:
    """Return what converts a field's values; few codes, e.g. of currencies, come often."""
    return lru_cache(1000)(convert) if type(field) is peewee.FixedCharField else convert


def _is_instant(field: Any) -> bool:
    return type(field).python_value is UTCDateTimeField.python_value


def _types_of(field: Any) -> tuple[type, ...]:
    """Return the types whose values a field reads as they are, as far as that is known."""
    while type(field) is peewee.ForeignKeyField:
        field = field.rel_field
    kind = type(field)
    if kind.python_value not in _NOTHING_STAYS:
        return ()
    same = (
        found
        for known, found in _SAME.items()
        if issubclass(kind, known)
        and kind.python_value is known.python_value
        and kind.adapt is known.adapt
    )
    return (type(None), *same)


def _planned(wrapper: Any, typed: bool) -> Plan | None:
    """Return the plan of a statement; None when peewee has to make its rows."""
    columns: dict[Any, list[Column]] = {}
    others: list[Column] = []
    for place, (key, name, convert, field) in enumerate(_columns(wrapper)):
        if field is not None and field.name == name:
            convert = None if type(field) in _AS_THEY_ARE else convert
            columns.setdefault(key, []).append((place, name, convert))
        elif key is wrapper.model:
            others.append((place, name, convert))
        else:
            return None
    joins = getattr(wrapper, "src_to_dest", ())
    joined = [*_joined(wrapper.model, joins, columns)]
    known = {wrapper.model, *(model for _, _, model in joined)}
    if len(joined) < len(joins) or columns.keys() - known or not all(map(_is_plain, known)):
        return None
    return Plan(
        Columns(wrapper.model, columns.get(wrapper.model, []), typed),
        others,
        [(name, is_key, Columns(model, columns[model], typed)) for name, is_key, model in joined],
    )


def _columns(wrapper: Any) -> Iterator[tuple[Any, str, Any, Any]]:
    """Yield the model, the name, what converts it and the field of each column."""
    keys = getattr(wrapper, "column_keys", [wrapper.model] * wrapper.ncols)
    yield from zip(keys, wrapper.columns, wrapper.converters, wrapper.fields, strict=True)


def _joined(
    main: Any, joins: Iterable[Any], columns: Mapping[Any, list[Column]]
) -> Iterator[tuple[str, bool, Any]]:
    """Yield the models that are joined to the main one, whose rows may lack."""
    for source, name, key, is_dict, is_outer, is_key in joins:
        if source is main and is_outer and not is_dict and key in columns:
            yield name, is_key, key


def _is_plain(model: Any) -> bool:
    """Whether a model is one, no alias, and made as all of them are."""
    return peewee.is_model(model) and model.__init__ is peewee.Model.__init__
