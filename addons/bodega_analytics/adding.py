"""Adding to sums: one statement for a hundred rows, which it makes where they are not there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from bodega_analytics.models import DAY, SLOT, SUMS, Interest
from bodega_analytics.parts import Place
from bodega_sdk import database, uuid7
from bodega_sdk.bulk import portions

#: Rows of one statement.
_ROWS = 100


def add_parts(generation: int, change: Mapping[Place, Mapping[str, int]]) -> bool:
    """Add to the sums of a generation, those of slots and of days; return whether anything was.

    Args:
        change: what is added to each measure; less than zero takes away.
    """
    rows: dict[str, dict[tuple[Any, ...], dict[str, int]]] = {name: {} for name in SUMS}
    for (name, at, currency, about), numbers in change.items():
        # A product and a buyer are UUIDs, a provider has a name.
        about = about if name == "takings" else about.replace("-", "")
        tail = (about,) if SUMS[name].about else ()
        for span in (SLOT, DAY):
            _merge(rows[name], (generation, span, at - at % span, currency, *tail), numbers)
    for name, model in SUMS.items():
        keys = ("generation", "span", "at", "currency", *((model.about,) if model.about else ()))
        _write(model._meta.table_name, keys, model.measures, rows[name])
    return any(rows.values())


def add_interest(found: Mapping[tuple[int, UUID], Mapping[str, int]]) -> None:
    """Add to how often products were looked at and put into carts, by slot and product."""
    rows: dict[tuple[Any, ...], dict[str, int]] = {}
    for (at, product), numbers in found.items():
        for span in (SLOT, DAY):
            _merge(rows, (span, at - at % span, product.hex), numbers)
    _write(Interest._meta.table_name, ("span", "at", "product"), Interest.measures, rows)


def _merge(
    rows: dict[tuple[Any, ...], dict[str, int]], key: tuple[Any, ...], numbers: Mapping[str, int]
) -> None:
    held = rows.setdefault(key, {})
    for measure, number in numbers.items():
        held[measure] = held.get(measure, 0) + number


def _write(
    table: str,
    keys: Sequence[str],
    measures: Sequence[str],
    rows: Mapping[tuple[Any, ...], Mapping[str, int]],
) -> None:
    """Add numbers to rows by their keys; in one order, so that nobody waits in a ring."""
    changed = ((key, rows[key]) for key in sorted(rows) if any(rows[key].values()))
    for some in portions(changed, _ROWS):
        values: list[Any] = []
        for key, numbers in some:
            values += [uuid7().hex, *key, *(numbers.get(measure, 0) for measure in measures)]
        _add(table, keys, measures, len(some), values)


def _add(
    table: str, keys: Sequence[str], measures: Sequence[str], count: int, values: Iterable[Any]
) -> None:
    columns = ", ".join(f'"{name}"' for name in ("id", *keys, *measures))
    row = ", ".join([database.obj.param] * (1 + len(keys) + len(measures)))
    unique = ", ".join(f'"{name}"' for name in keys)
    sums = ", ".join(f'"{name}" = {table}."{name}" + excluded."{name}"' for name in measures)
    database.execute_sql(
        f"INSERT INTO {table} ({columns}) VALUES {', '.join([f'({row})'] * count)} "
        f"ON CONFLICT ({unique}) DO UPDATE SET {sums}",
        list(values),
    )
