"""V305: models and migrated tables, compared as the engine knows both."""

import re
from collections.abc import Iterator
from typing import Any

from bodega.addons.foreign_keys import foreign_keys
from bodega_sdk import models
from bodega_sdk.testing.conformance import schema
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.schema import Column
from bodega_sdk.testing.conformance.shops import Engine
from bodega_sdk.testing.conformance.subject import Subject

# SQLite keeps these pairs alike; raw SQL in a migration may name either.
_SAME_ON_SQLITE = (
    {"UUID", "TEXT"}, {"BOOLEAN", "BOOL", "INTEGER", "INT", "BIGINT", "SMALLINT"},
    {"JSON", "TEXT", "JSONB"}, {"REAL", "FLOAT", "DOUBLE", "DOUBLE PRECISION"},
)  # fmt: skip


def check(subject: Subject, engine: Engine, migrated: Any) -> Iterator[Finding]:
    """Make the models' tables elsewhere, and compare them with the migrated ones."""
    with engine.shop() as shop:
        stated = shop.databases.shop
        models.database.initialize(stated)
        try:
            for addon in subject.assembly.addons:
                stated.create_tables(addon.models)
        # A model may hold any SQL.
        except Exception as error:
            told = f"the tables of the models cannot be made: {error}".replace("\n", " ")
            yield Finding("V305", told, engine=engine.name)
            return
        for model in subject.loaded.models:
            for told in _model(model._meta.table_name, stated, migrated):
                place = f"{model.__module__}.{model.__name__}"
                yield Finding("V305", f"{place}: {told}", engine=engine.name)


def _model(table: str, stated: Any, migrated: Any) -> Iterator[str]:
    wanted, found = schema.columns(stated, table), schema.columns(migrated, table)
    if not found:
        yield f"no migration makes the table {table}"
        return
    for name in wanted.keys() - found.keys():
        yield f"column {table}.{name} is in the model only"
    for name in found.keys() - wanted.keys():
        yield f"column {table}.{name} is in the migrations only"
    for name in sorted(wanted.keys() & found.keys()):
        yield from _column(f"{table}.{name}", wanted[name], found[name])
    yield from _indexes(table, stated, migrated)
    yield from _keys(table, stated, migrated)


def _column(name: str, wanted: Column, found: Column) -> Iterator[str]:
    if not _alike(wanted.type, found.type):
        yield f"column {name} is {wanted.type} in the model, {found.type} in the migrations"
    if wanted.primary != found.primary:
        where = ("model", "migrations") if wanted.primary else ("migrations", "model")
        yield f"column {name} is in the primary key of the {where[0]}, not of the {where[1]}"
    elif wanted.null != found.null:
        told = ("may be null", "is NOT NULL") if wanted.null else ("is NOT NULL", "may be null")
        yield f"column {name} {told[0]} in the model and {told[1]} in the migrations"


def _alike(wanted: str, found: str) -> bool:
    one, other = re.sub(r"\s+", " ", wanted), re.sub(r"\s+", " ", found)
    return one == other or any({one, other} <= same for same in _SAME_ON_SQLITE)


def _indexes(table: str, stated: Any, migrated: Any) -> Iterator[str]:
    wanted = {(i.unique, i.columns) for i in schema.indexes(stated, table) if _counts(i)}
    found = {(i.unique, i.columns) for i in schema.indexes(migrated, table) if _counts(i)}
    for unique, names in sorted(wanted - found):
        kind = "unique index" if unique else "index"
        if unique or (True, names) not in found:
            yield f"the {kind} over {', '.join(names)} of {table} is in the model only"
    for unique, names in sorted(found - wanted):
        if unique:
            yield f"the unique index over {', '.join(names)} of {table} is in the migrations only"


def _counts(index: schema.Index) -> bool:
    return index.plain and not index.primary


def _keys(table: str, stated: Any, migrated: Any) -> Iterator[str]:
    wanted = {(k.columns, k.parent): k.on_delete for k in foreign_keys(stated) if k.table == table}
    keys = {(k.columns, k.parent): k.on_delete for k in foreign_keys(migrated) if k.table == table}
    for (names, parent), action in sorted(wanted.items()):
        found = keys.get((names, parent))
        if found is None:
            yield f"the foreign key from {table}.{names} to {parent} is in the model only"
        elif _action(found) != _action(action):
            yield f"{table}.{names} is ON DELETE {action} in the model, {found} in the migrations"


def _action(text: str) -> str:
    return text if text in ("CASCADE", "SET NULL") else "RESTRICT"
