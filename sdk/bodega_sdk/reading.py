"""Reading rows of models: what peewee would, planned once for each statement.

peewee finds out for every query which column belongs to which model, and sets each value by
an attribute; here that is kept by the statement's text, and rows get their values at once.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import peewee

#: Statements whose plans, and lists of columns whose texts are kept.
_MOST = 512
#: Columns whose values come as they are from both engines.
_AS_THEY_ARE = (
    peewee.CharField, peewee.TextField, peewee.IntegerField, peewee.BigIntegerField,
)  # fmt: skip
_plans: OrderedDict[tuple[Any, str], "Plan | None"] = OrderedDict()
_lock = threading.Lock()

Column = tuple[int, str, Callable[[Any], Any] | None]


def rows_of(query: peewee.ModelSelect) -> list[Any]:
    """Return the rows of a query, as ``list(query)`` would."""
    database = query._database or query.model._meta.database
    sql, params = written(query)
    key = (query.model, sql)
    with _lock:
        plan, known = _plans.get(key), key in _plans
    if known and plan is None:
        return list(query)
    cursor = database.execute_sql(sql, params)
    if plan is None:
        wrapper = query._get_model_cursor_wrapper(cursor)
        wrapper.initialize()
        plan = _planned(wrapper)
        _keep(key, plan)
        if plan is None:
            return [wrapper.process_row(row) for row in cursor.fetchall()]
    return [plan.made(row) for row in cursor.fetchall()]


# How statements are written: lists of columns are long, and always the same.

_columns_of: dict[Any, str | None] = {}


def written(query: peewee.ModelSelect) -> tuple[str, Any]:
    """Return the text and the values of a query, as its ``sql()`` would."""
    shape = _shape(query)
    if shape is None:
        found: tuple[str, Any] = query.sql()
        return found
    if shape not in _columns_of:
        if len(_columns_of) >= _MOST:
            _columns_of.clear()
        _columns_of[shape] = _column_text(query)
    text = _columns_of[shape]
    found = query.sql() if text is None else _with(query, text).sql()
    return found


def _with(query: peewee.ModelSelect, text: str) -> peewee.ModelSelect:
    short = query.clone()
    short._returning = (peewee.SQL(text),)
    return short


def _shape(query: peewee.ModelSelect) -> Any:
    """Return what the text of a query's columns depends on; None where it is not known."""
    models: list[Any] = []
    waiting = list(query._from_list)
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, peewee.Join):
            waiting[:0] = [item.lhs, item.rhs]
        elif peewee.is_model(item):
            models.append(item)
        else:
            return None
    # The key holds the models, and they their fields: what has these names stays the same.
    plain = all(getattr(item, "model", None) in models for item in query._returning)
    fields = all(isinstance(item, peewee.Field) for item in query._returning)
    aliases = any(isinstance(item, peewee.FieldAlias) for item in query._returning)
    if not (plain and fields) or aliases or query._cte_list:
        return None
    database = query._database or query.model._meta.database
    return (type(getattr(database, "obj", database)), *models, *map(id, query._returning))


def _column_text(query: peewee.ModelSelect) -> str | None:
    """Return the columns of a query as they are written, if they can stand as a text."""
    usual = query.sql()
    start, end = "SELECT ", " FROM "
    text = usual[0].partition(end)[0].removeprefix(start)
    # Else other tables would have other names without the columns before them.
    return text if _with(query, text).sql() == usual else None


def _keep(key: tuple[Any, str], plan: "Plan | None") -> None:
    with _lock:
        _plans[key] = plan
        if len(_plans) > _MOST:
            _plans.popitem(last=False)


class Plan:
    """How a row becomes an object, and those that are joined to it.

    Args:
        model: of the object.
        columns: place in the row, name of the field and what converts its value.
        others: place and attribute of what is no field of it.
        joined: of each model that is joined: its attribute, whether that is a foreign key,
            itself and its columns.
    """

    def __init__(
        self,
        model: type[peewee.Model],
        columns: list[Column],
        others: list[Column],
        joined: list[tuple[str, bool, type[peewee.Model], list[Column]]],
    ) -> None:
        self._model = model
        self._columns, self._others, self._joined = columns, others, joined

    def made(self, row: tuple[Any, ...]) -> Any:
        """Return the object of a row."""
        found = _object(self._model, self._columns, row)
        for place, name, convert in self._others:
            value = row[place]
            setattr(found, name, value if convert is None else convert(value))
        for name, is_key, model, columns in self._joined:
            there = any(row[place] is not None for place, _, _ in columns)
            other = _object(model, columns, row) if there else None
            if is_key:
                found.__rel__[name] = other
            else:
                setattr(found, name, other)
        return found


def _object(model: type[peewee.Model], columns: list[Column], row: tuple[Any, ...]) -> Any:
    made: Any = object.__new__(model)
    made.__data__ = {
        name: row[place] if convert is None else convert(row[place])
        for place, name, convert in columns
    }
    made._dirty, made.__rel__ = set(), {}
    return made


def _planned(wrapper: Any) -> Plan | None:
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
    known = {wrapper.model, *(model for *_, model, _ in joined)}
    if len(joined) < len(joins) or columns.keys() - known or not all(map(_is_plain, known)):
        return None
    return Plan(wrapper.model, columns.get(wrapper.model, []), others, joined)


def _columns(wrapper: Any) -> Iterator[tuple[Any, str, Any, Any]]:
    """Yield the model, the name, what converts it and the field of each column."""
    keys = getattr(wrapper, "column_keys", [wrapper.model] * wrapper.ncols)
    yield from zip(keys, wrapper.columns, wrapper.converters, wrapper.fields, strict=True)


def _joined(
    main: Any, joins: Iterable[Any], columns: Mapping[Any, list[Column]]
) -> Iterator[tuple[str, bool, Any, list[Column]]]:
    """Yield the models that are joined to the main one, whose rows may lack."""
    for source, name, key, is_dict, is_outer, is_key in joins:
        if source is main and is_outer and not is_dict and key in columns:
            yield name, is_key, key, columns[key]


def _is_plain(model: Any) -> bool:
    """Whether a model is one, no alias, and made as all of them are."""
    return peewee.is_model(model) and model.__init__ is peewee.Model.__init__
