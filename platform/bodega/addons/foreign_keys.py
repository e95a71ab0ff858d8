"""Foreign keys that would block others: an addon is a guest, also while it is disabled.

Read from the schema that the rehearsal has made, as the engine understood it: what a
model or a migration says it declares is not asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bodega.addons.faults import Fault
from bodega.database.connection import is_postgres

_POSTGRES = """
SELECT child.relname, parent.relname,
    (SELECT string_agg(attname, ', ' ORDER BY place) FROM unnest(con.conkey)
        WITH ORDINALITY k(number, place)
        JOIN pg_attribute ON attrelid = con.conrelid AND attnum = number),
    CASE con.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'RESTRICT' END,
    CASE con.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'RESTRICT' END,
    EXISTS (SELECT FROM pg_attribute WHERE attrelid = con.conrelid
        AND attnum = ANY (con.conkey) AND attnotnull),
    EXISTS (SELECT FROM pg_constraint main WHERE main.conrelid = con.confrelid
        AND main.contype = 'p' AND main.conkey @> con.confkey),
    (SELECT string_agg(attname, ', ' ORDER BY place) FROM unnest(con.confkey)
        WITH ORDINALITY k(number, place)
        JOIN pg_attribute ON attrelid = con.confrelid AND attnum = number)
FROM pg_constraint con
JOIN pg_class child ON child.oid = con.conrelid JOIN pg_class parent ON parent.oid = con.confrelid
WHERE con.contype = 'f' AND con.connamespace = current_schema()::regnamespace ORDER BY 1, 3
"""
# "to" is NULL when a key names no column: it points to the primary key.
_SQLITE = """
SELECT child.name, key."table", group_concat(key."from", ', '), key.on_delete, key.on_update,
    max(own."notnull" OR own.pk), min(key."to" IS NULL OR coalesce(target.pk, 0)),
    group_concat(coalesce(key."to", (
        SELECT main.name FROM pragma_table_info(key."table") main WHERE main.pk = key.seq + 1
    )), ', ')
FROM sqlite_master child
JOIN pragma_foreign_key_list(child.name) key
JOIN pragma_table_info(child.name) own ON own.name = key."from" COLLATE NOCASE
LEFT JOIN pragma_table_info(key."table") target ON target.name = key."to" COLLATE NOCASE
WHERE child.type = 'table' GROUP BY child.name, key.id ORDER BY 1, 3
"""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key as the engine knows it.

    Args:
        table, columns: where it stands.
        parent: the table it points to.
        on_delete, on_update: ``CASCADE``, ``SET NULL``, or anything else, which restricts.
        required: one of its columns is NOT NULL, so that SET NULL fails.
        primary: it points to the primary key, which nobody changes.
        parent_columns: what it points to there, in the order of ``columns``.
    """

    table: str
    parent: str
    columns: str
    on_delete: str
    on_update: str
    required: bool
    primary: bool
    parent_columns: str

    def restricts(self, action: str) -> bool:
        """Whether an action keeps rows of the parent from being deleted or changed."""
        return action != "CASCADE" and (action != "SET NULL" or self.required)


def foreign_keys(database: Any) -> list[ForeignKey]:
    """Return the foreign keys of the current schema."""
    rows = database.execute_sql(_POSTGRES if is_postgres(database) else _SQLITE).fetchall()
    return [
        ForeignKey(
            table, parent, columns, on_delete, on_update, bool(required), bool(primary), to_columns
        )
        for table, parent, columns, on_delete, on_update, required, primary, to_columns in rows
    ]


def blocking(database: Any, owners: Mapping[str, str]) -> Iterator[Fault]:
    """Yield a fault for each foreign key that keeps another addon from deleting or changing rows.

    Args:
        database: holds the tables of all addons.
        owners: table → addon.
    """
    keys = foreign_keys(database)
    swept = _swept(keys, owners)
    for key in keys:
        owner, other = owners.get(key.table, ""), owners.get(key.parent, "")
        foreign = owner != other
        if key.restricts(key.on_delete) and (foreign or key.parent in swept):
            yield _of_delete(key, owner, other if foreign else swept[key.parent])
        elif foreign and not key.primary and key.restricts(key.on_update):
            yield _of_change(key, owner, other)


def _swept(keys: list[ForeignKey], owners: Mapping[str, str]) -> dict[str, str]:
    """Return the tables whose rows go when another addon deletes its own, with that addon."""
    found: dict[str, str] = {}
    cascading = [key for key in keys if key.on_delete == "CASCADE"]
    while True:
        more = {
            key.table: found.get(key.parent) or owners.get(key.parent, "")
            for key in cascading
            if key.table not in found
            and (key.parent in found or owners.get(key.parent) != owners.get(key.table))
        }
        if not more:
            return found
        found |= more


def _of_delete(key: ForeignKey, owner: str, other: str) -> Fault:
    how = "with ON DELETE SET NULL though it is NOT NULL" if key.on_delete == "SET NULL" else (
        "without ON DELETE CASCADE or SET NULL"
    )  # fmt: skip
    reason = (
        f"column {key.columns} of its table {key.table} points to {key.parent} {how}, "
        f"so {other} could not delete its rows"
    )
    remedy = (
        "In the migration, declare the column with on_delete='CASCADE', "
        "or with null=True and on_delete='SET NULL'"
    )
    return Fault(owner, owner, reason, remedy)


def _of_change(key: ForeignKey, owner: str, other: str) -> Fault:
    reason = (
        f"column {key.columns} of its table {key.table} points to what is not the primary key of "
        f"{key.parent} without ON UPDATE CASCADE, so {other} could not change its rows"
    )
    remedy = (
        "In the migration, point the column to the primary key, or declare it with "
        "on_update='CASCADE'"
    )
    return Fault(owner, owner, reason, remedy)
