"""The order of tables by their foreign keys."""

from collections.abc import Iterable
from typing import Any


def load_order(database: Any, tables: Iterable[str]) -> list[str]:
    """Return tables so that each stands behind those it refers to; a circle by name."""
    waiting = sorted(set(tables))
    needs = {table: _referred(database, table) & set(waiting) - {table} for table in waiting}
    ordered: list[str] = []
    while waiting:
        ready = [table for table in waiting if needs[table] <= set(ordered)] or waiting[:1]
        ordered += ready
        waiting = [table for table in waiting if table not in ready]
    return ordered


def _referred(database: Any, table: str) -> set[str]:
    return {key.dest_table for key in database.get_foreign_keys(table)}
