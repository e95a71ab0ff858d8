"""The texts of statements: kept, since writing one takes longer than a small one takes to run."""

from typing import Any

import peewee

from bodega_sdk._outline import Outline, outlined

#: Statements, and lists of columns, whose texts are kept.
_MOST = 512
#: The texts of outlines, with what keeps their ids theirs; None where it is not as expected.
_texts: dict[Any, tuple[str | None, Any]] = {}
_columns_of: dict[Any, str | None] = {}


def written(query: peewee.ModelSelect) -> tuple[str, Any]:
    """Return the text and the values of a query, as its ``sql()`` would."""
    outline = outlined(query)
    if outline is None:
        return _by_columns(query)
    key = (engine_of(query), *outline.key)
    known = _texts.get(key)
    if known is None:
        return _learnt(query, key, outline)
    return _by_columns(query) if known[0] is None else (known[0], outline.values)


def _learnt(query: peewee.ModelSelect, key: Any, outline: Outline) -> tuple[str, Any]:
    usual: tuple[str, Any] = query.sql()
    same = list(map(type, usual[1])) == list(map(type, outline.values))
    if len(_texts) >= _MOST:
        _texts.clear()
    _texts[key] = (usual[0] if same and usual[1] == outline.values else None, outline.held)
    return usual


def engine_of(query: peewee.ModelSelect) -> type:
    """Return the kind of database that a query is written for."""
    database = query._database or query.model._meta.database
    return type(getattr(database, "obj", database))


def _by_columns(query: peewee.ModelSelect) -> tuple[str, Any]:
    """Return them by the list of columns, which is long and always the same."""
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
    if not isinstance(query, peewee.ModelSelect):
        return None
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
    return (engine_of(query), *models, *map(id, query._returning))


def _column_text(query: peewee.ModelSelect) -> str | None:
    """Return the columns of a query as they are written, if they can stand as a text."""
    usual = query.sql()
    start, end = "SELECT ", " FROM "
    text = usual[0].partition(end)[0].removeprefix(start)
    # Else other tables would have other names without the columns before them.
    return text if _with(query, text).sql() == usual else None
