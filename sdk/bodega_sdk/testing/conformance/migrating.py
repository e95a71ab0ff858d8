"""V301, V302 and V305 to V308, V562: migrations one by one, and what they have made."""

import re
from collections.abc import Iterator
from typing import Any

from bodega.addons.foreign_keys import ForeignKey, foreign_keys
from bodega.addons.loading import migrations_folder
from bodega.database.migrating import (
    KERNEL_MIGRATIONS,
    MigrationFailed,
    _runner,
    migrate,
    pending,
    schema_change,
)
from bodega.database.structure import plain_tables
from bodega.errors import AddonError
from bodega_sdk.testing.conformance import agreeing, schema
from bodega_sdk.testing.conformance.filling import count, fill
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.shops import Engine
from bodega_sdk.testing.conformance.subject import Subject

_TARGET = re.compile(
    r"""^\s*(?:CREATE\s+(?:UNIQUE\s+)?INDEX\s.*?\sON|CREATE\s+TRIGGER\s.*?\sON|
    (?:CREATE|DROP|ALTER)\s+(?:VIRTUAL\s+)?TABLE(?:\s+IF\s+(?:NOT\s+)?EXISTS)?|INSERT\s+(?:OR\s+\w+\s+)?INTO|
    UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+)?"?(\w+)"?""",
    re.I | re.S | re.X,
)


def check(subject: Subject, engine: Engine) -> Iterator[Finding]:
    """Run the migrations on filled tables and on empty ones; compare models and tables."""
    if subject.migrations is not None:
        with engine.shop() as shop:
            _migrate_needed(subject, shop.databases.shop)
            yield from _filled(subject, engine, shop.databases.shop)
        with engine.shop() as shop:
            _migrate_needed(subject, shop.databases.shop)
            yield from _downs(subject, engine, shop.databases.shop)
    with engine.shop() as shop:
        database = shop.databases.shop
        _migrate_needed(subject, database)
        others = schema.objects(database)
        if subject.migrations is not None:
            with schema_change(database):
                migrate(database, subject.name, subject.migrations)
        yield from _names(subject, engine, schema.objects(database) - others)
        yield from _companions(subject, engine, foreign_keys(database))
        yield from agreeing.check(subject, engine, database)


def _migrate_needed(subject: Subject, database: Any) -> None:
    """Make the tables of the kernel and of what the addon depends on."""
    with schema_change(database):
        migrate(database, "bodega", KERNEL_MIGRATIONS)
        for addon in subject.assembly.addons:
            folder = migrations_folder(addon.manifest)
            if addon.name != subject.name and folder is not None:
                migrate(database, addon.name, folder)


def _own(subject: Subject, database: Any) -> list[str]:
    history = f"{subject.name}_migration"
    start = f"{subject.name}_"
    return [t for t in plain_tables(database) if t.startswith(start) and t != history]


def _filled(subject: Subject, engine: Engine, database: Any) -> Iterator[Finding]:
    """V306 and V307: one migration after the other, each on tables with rows."""
    folder = subject.migrations
    assert folder is not None
    foreign = [t for t in plain_tables(database) if not t.startswith("bodega_")]
    fill(database, foreign)
    for name in pending(database, subject.name, folder):
        before = fill(database, _own(subject, database))
        others = schema.rows(database, foreign)
        place = subject.place(folder / f"{name}.py")
        executed: list[str] = []
        try:
            with schema_change(database):
                migrate(database, subject.name, folder, executed, name)
        except (MigrationFailed, AddonError) as error:
            told = f"{name} does not run on filled tables: {error}".replace("\n", " ")
            yield Finding("V307", told, place, engine.name)
            return
        yield from _foreign_targets(subject, engine, executed, place)
        if hurt := schema.changed(others, schema.rows(database, foreign)):
            told = f"{name} changes {', '.join(hurt)}"
            yield Finding("V306", told, place, engine.name)
        for table, rows in before.items():
            if database.table_exists(table) and count(database, table) < rows:
                yield Finding("V307", f"{name} deletes rows of {table}", place, engine.name)


def _foreign_targets(
    subject: Subject, engine: Engine, executed: list[str], place: str
) -> Iterator[Finding]:
    for statement in executed:
        found = _TARGET.match(statement)
        # What begins otherwise but was there before is not its own; a new one is V301's.
        if found and _is_foreign(subject, found[1]):
            yield Finding("V306", f"it executes {statement[:120]!r}", place, engine.name)


def _is_foreign(subject: Subject, table: str) -> bool:
    needed = {
        model._meta.table_name
        for addon in subject.assembly.addons
        if addon.name != subject.name
        for model in addon.models
    }
    others = tuple(f"{name}_" for name in (*subject.manifests, "bodega") if name != subject.name)
    own = table.startswith(f"{subject.name}_")
    return table in needed or (not own and table.startswith(others))


def _names(subject: Subject, engine: Engine, made: set[tuple[str, str]]) -> Iterator[Finding]:
    """V301 and V302: everything new begins with the addon's name."""
    for kind, name in sorted(made):
        if not name.startswith(f"{subject.name}_"):
            rule = "V301" if kind in ("table", "view") else "V302"
            yield Finding(rule, f"{kind} {name!r}", engine=engine.name)


def _companions(subject: Subject, engine: Engine, keys: list[ForeignKey]) -> Iterator[Finding]:
    """V562: a companion's key points to its base and goes with it."""
    from bodega_sdk.companions import table_of

    for item in getattr(subject.loaded, "extensions", ()):
        table, base = item.model._meta.table_name, table_of(item.resource)
        key = item.model._meta.primary_key.column_name
        found = [k for k in keys if (k.table, k.parent, k.columns) == (table, base, key)]
        if not found or found[0].on_delete != "CASCADE":
            action = found[0].on_delete if found else "no foreign key"
            told = f"the key of {table} points to {base} with {action}"
            yield Finding("V562", told, engine=engine.name)


def _downs(subject: Subject, engine: Engine, database: Any) -> Iterator[Finding]:
    """V308: each up, its down, and up again, on empty tables."""
    folder = subject.migrations
    assert folder is not None
    # The table of history is there before the first migration, and stays behind its down.
    runner = _runner(database, subject.name, folder)
    runner.History.create_table()
    for item in [m for m in runner.status() if not m.applied]:
        before = schema.definitions(database)
        try:
            _run(database, runner.up, item.name)
        except Exception:  # V307 and V201 tell it.
            return
        if getattr(item.load(), "down", None) is None:
            continue
        yield from _undone(subject, engine, database, runner, item, before)


def _run(database: Any, direction: Any, name: str) -> None:
    with schema_change(database):
        direction(name)


def _undone(
    subject: Subject, engine: Engine, database: Any, runner: Any, item: Any, before: list[Any]
) -> Iterator[Finding]:
    place = subject.place(item.path)
    try:
        _run(database, runner.down, item.name)
        after = schema.definitions(database)
        left = [row for row in after if row not in before]
        gone = [row for row in before if row not in after]
        if left or gone:
            told = f"after down there is {_told(left)} more and {_told(gone)} less"
            yield Finding("V308", told, place, engine.name)
            return
        _run(database, runner.up, item.name)
    # down may do anything.
    except Exception as error:
        told = f"down fails: {type(error).__name__}: {error}".replace("\n", " ")
        yield Finding("V308", told, place, engine.name)


def _told(rows: list[Any]) -> str:
    return ", ".join(" ".join(map(str, row[:3])) for row in rows[:3]) or "nothing"
