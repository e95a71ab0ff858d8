"""Outlines of statements: what their text depends on, apart from the values that stand in it.

peewee writes a statement anew each time, which takes longer than a small one takes to run. Two
statements of one outline have one text. What is not known here has no outline: peewee writes it.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import peewee

Convert = Callable[[Any], Any] | None
#: Types of values that stand in a statement as one.
_PLAIN = (str, int, bool, float, bytes, Decimal, UUID, date, datetime)
_MANY = (list, tuple, set, frozenset)
#: Values of a list whose text, which says how many they are, is worth keeping.
_LONGEST = 100
_MOST = 512
_NULL = (peewee.OP.IS, peewee.OP.IS_NOT)
#: What lists of columns and of sources without values are written as, by the ids of their nodes;
#: with the nodes, whose ids these then remain. Queries are made of others, and share theirs.
_parts: dict[tuple[int, ...], tuple[list[Any], list[Any], Any]] = {}


class Unknown(Exception):
    """A node whose text may depend on what is not looked at here."""


class Outline:
    """The outline of a query.

    Attributes:
        key: what the text depends on: of each node its kind, then what it has.
        values: as drivers take them, in the order in which they stand in the text.
        held: what the key names by its id, which is nobody else's as long as this is kept.

    Raises:
        Unknown: it has none.
    """

    __slots__ = ("_aliases", "_numbered", "held", "key", "values")

    def __init__(self, query: Any) -> None:
        self.key: list[Any] = []
        self.values: list[Any] = []
        self.held: list[Any] = []
        self._aliases: dict[int, int] = {}
        self._numbered = 0
        self.add(query, None)

    def add(self, item: Any, convert: Convert) -> None:
        """Add a node.

        Args:
            convert: makes of a value what the column beside it holds.
        """
        writer = _WRITERS.get(type(item)) or _writer_of(item)
        writer(self, item, convert)

    def number(self, alias: Any) -> int:
        """Return the number of an alias: each request makes its own, and means the same."""
        self._numbered += 1
        return self._aliases.setdefault(id(alias), len(self._aliases))


def outlined(query: Any) -> Outline | None:
    """Return the outline of a query, None where it has none."""
    try:
        return Outline(query)
    except Unknown:
        return None


def _writer_of(item: Any) -> Callable[[Outline, Any, Convert], None]:
    if isinstance(item, peewee.FieldAlias):
        # Each alias has a class of its own.
        return _field_alias
    if _is_field(item):
        _WRITERS[type(item)] = _field
        return _field
    own: Callable[[Any, Outline], None] | None = getattr(type(item), "__outline__", None)
    if own is None:
        raise Unknown
    return lambda outline, node, _: own(node, outline)


def _is_field(item: Any) -> bool:
    plain = isinstance(item, peewee.Field) and type(item).__sql__ is peewee.Field.__sql__
    return plain and not isinstance(item, peewee.FieldAlias)


# Sources.


def _select(outline: Outline, query: Any, _: Convert) -> None:
    rare = (query._distinct, query._group_by, query._having, query._windows,
            query._cte_list)  # fmt: skip
    lock = query._for_update
    if lock is not None and (lock._of is not None or lock._nowait or lock._skip_locked):
        raise Unknown
    if any(item is not None for item in rare) or query._simple_distinct or query._lateral:
        raise Unknown
    _part(outline, query._returning, _columns)
    outline.key += (query._alias, lock and lock._expr)
    _part(outline, query._from_list, _sources)
    if query._where is None:
        outline.key.append(None)
    else:
        outline.add(query._where, None)
    _several(outline, query._order_by or (), None)
    for number in (query._limit, query._offset):
        if number is None:
            outline.key.append(None)
        else:
            outline.add(number, None)


def _part(outline: Outline, nodes: Any, write: Callable[[Outline, Any], None]) -> None:
    """Add nodes that were added to others before, if they have no values, at once."""
    ids = tuple(map(id, nodes))
    known = _parts.get(ids)
    if known is not None:
        outline.key += known[0]
        outline.held += known[1]
        return
    keys, held, values = len(outline.key), len(outline.held), len(outline.values)
    numbered = outline._numbered
    write(outline, nodes)
    # Numbers of aliases are others in other queries.
    if len(outline.values) == values and outline._numbered == numbered:
        if len(_parts) >= _MOST:
            _parts.clear()
        _parts[ids] = (outline.key[keys:], outline.held[held:], tuple(nodes))


def _columns(outline: Outline, columns: Any) -> None:
    if all(map(_is_field, columns)):
        outline.key += ("fields", tuple(map(id, columns)))
        outline.held.append(columns)
    else:
        outline.key.append("select")
        _several(outline, columns, None)


def _sources(outline: Outline, sources: Any) -> None:
    outline.key.append(len(sources))
    for item in sources:
        _source(outline, item)


def _compound(outline: Outline, query: Any, _: Convert) -> None:
    rare = (query._order_by, query._limit, query._offset, query._cte_list)
    if any(item is not None for item in rare):
        raise Unknown
    outline.key += ("compound", query.op, query._alias)
    outline.add(query.lhs, None)
    outline.add(query.rhs, None)


def _source(outline: Outline, item: Any) -> None:
    if type(item) is peewee.ModelSelect and item._alias is not None:
        outline.key += ("subquery", outline.number(item))
    elif type(item) not in (peewee.Join, peewee.ModelBase, peewee.ModelAlias):
        raise Unknown
    outline.add(item, None)


def _join(outline: Outline, item: Any, _: Convert) -> None:
    outline.key += ("join", item.join_type, item._on is None)
    _source(outline, item.lhs)
    _source(outline, item.rhs)
    if item._on is not None:
        outline.add(item._on, None)


def _model(outline: Outline, item: Any, _: Convert) -> None:
    outline.key += ("model", id(item))
    outline.held.append(item)


def _model_alias(outline: Outline, item: Any, _: Convert) -> None:
    outline.key += ("model alias", outline.number(item), item.alias)
    _model(outline, item.model, None)


# Columns and conditions.


def _field(outline: Outline, item: Any, _: Convert) -> None:
    outline.key += ("field", id(item))
    outline.held.append(item)


def _field_alias(outline: Outline, item: Any, _: Convert) -> None:
    if type(item.source) is not peewee.ModelAlias or not _is_field(item.field):
        raise Unknown
    _model_alias(outline, item.source, None)
    _field(outline, item.field, None)


def _column(outline: Outline, item: Any, _: Convert) -> None:
    # Of a subquery, whose alias is known by then or comes later.
    outline.key += ("column", outline.number(item.source), item.name)


def _expression(outline: Outline, item: Any, _: Convert) -> None:
    left, right = item.lhs, item.rhs
    field = left.unwrap() if isinstance(left, peewee.WrappedNode) else left
    convert = field.db_value if isinstance(field, peewee.Field) and left._coerce else None
    outline.key += ("expression", item.op, item.flat)
    outline.add(left, convert)
    if right is None and item.op in _NULL:
        outline.key.append(None)
    elif type(right) not in _MANY:
        outline.add(right, convert)
    elif 0 < len(right) <= _LONGEST:
        _several(outline, right, convert)
    else:
        # Nothing at all is written quite differently.
        raise Unknown


def _several(outline: Outline, items: Any, convert: Convert) -> None:
    outline.key.append(len(items))
    for item in items:
        outline.add(item, convert)


def _ordering(outline: Outline, item: Any, convert: Convert) -> None:
    outline.key += ("ordering", item.direction, item.collation, item.nulls)
    outline.add(item.node, convert)


def _negated(outline: Outline, item: Any, convert: Convert) -> None:
    outline.key.append("not")
    outline.add(item.node, convert)


def _alias(outline: Outline, item: Any, convert: Convert) -> None:
    outline.key += ("alias", item._alias)
    outline.add(item.node, convert)


def _function(outline: Outline, item: Any, convert: Convert) -> None:
    if item._filter is not None or item._order_by:
        raise Unknown
    outline.key += ("function", item.name, len(item.arguments))
    for one in item.arguments:
        if isinstance(one, peewee.Node):
            outline.add(one, convert)
        else:
            _plain(outline, one, None)


def _case(outline: Outline, item: Any, convert: Convert) -> None:
    # Beside a column, what it converts would have to be found out.
    if item.predicate is not None or convert is not None:
        raise Unknown
    outline.key += ("case", len(item.expression_tuples), item.default is None)
    for condition, value in item.expression_tuples:
        outline.add(condition, None)
        outline.add(value, None)
    if item.default is not None:
        outline.add(item.default, None)


def _node_list(outline: Outline, item: Any, convert: Convert) -> None:
    outline.key += ("list", item.glue, item.parens)
    _several(outline, item.nodes, convert)


def _sql(outline: Outline, item: Any, _: Convert) -> None:
    params = item.params or ()
    outline.key += ("sql", item.sql, len(params))
    for one in params:
        _plain(outline, one, None)


# Values.


def _value(outline: Outline, item: Any, convert: Convert) -> None:
    value = item if convert is None else convert(item)
    if isinstance(value, peewee.Node | type):
        raise Unknown
    outline.key.append("value")
    outline.values.append(value)


def _plain(outline: Outline, item: Any, convert: Convert) -> None:
    if item is not None and type(item) not in _PLAIN:
        raise Unknown
    _value(outline, item, convert)


def _value_node(outline: Outline, item: Any, convert: Convert) -> None:
    if item.multi:
        raise Unknown
    # False says that nothing is to be converted, None that it is up to what is around.
    own = convert if item.converter is None else item.converter
    _plain(outline, item.value, own or None)


_WRITERS: dict[Any, Callable[[Outline, Any, Convert], None]] = {
    peewee.ModelSelect: _select,
    peewee.ModelCompoundSelectQuery: _compound,
    peewee.Join: _join,
    peewee.ModelBase: _model,
    peewee.ModelAlias: _model_alias,
    peewee.Column: _column,
    peewee.Expression: _expression,
    peewee.Ordering: _ordering,
    peewee.Negated: _negated,
    peewee.Alias: _alias,
    peewee.Function: _function,
    peewee.Case: _case,
    peewee.NodeList: _node_list,
    peewee.SQL: _sql,
    peewee.Value: _value_node,
    **dict.fromkeys(_PLAIN, _value),
}
