"""V309 to V314 and V563: enable, disable, enable, uninstall, restore, purge."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from bodega.addons import lifecycle, loading
from bodega.database import outbox
from bodega.database.structure import plain_tables
from bodega.errors import PlanDrift
from bodega.http.openapi import document
from bodega_sdk.runtime import bound
from bodega_sdk.testing.conformance import schema
from bodega_sdk.testing.conformance.filling import fill
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.shops import Engine
from bodega_sdk.testing.conformance.subject import Subject

# What the kernel writes while addons come and go, whoever they are.
_VOLATILE = (
    "bodega_audit",
    "bodega_audit_head",
    "bodega_counter",
    "bodega_collection",
    "bodega_journal",
    "bodega_process",
)


class _Stopped(Exception):
    """A verb failed; what comes behind it cannot be looked at."""


def check(subject: Subject, engine: Engine) -> Iterator[Finding]:
    """Take the addon through two lives, with rows: one that is restored, one that is purged."""
    for life in (_Life.live, _Life.vanish):
        with engine.started(subject.needed()) as shop, ExitStack() as stack:
            made = _Life(subject, engine, shop, stack)
            with suppress(_Stopped):
                life(made)
            yield from made.found


class _Life:
    """One life of the addon."""

    def __init__(self, subject: Subject, engine: Engine, shop: Any, stack: ExitStack) -> None:
        self.subject, self.engine, self.shop, self.stack = subject, engine, shop, stack
        self.database = shop.databases.shop
        self.found: list[Finding] = []

    def live(self) -> None:
        """Enable, disable, enable, uninstall, install and restore."""
        self._surrounded()
        api = self._api()
        self._verb("V309", "enable", lifecycle.enable)
        kept = self._filled()
        self._disabled(api, kept)
        self._verb("V311", "enable", lifecycle.enable)
        self._compare("V311", kept, self._own(), "after disable and enable")
        if self.subject.migrations is not None:
            self._restored(self._filled() if kept != self._own() else kept)

    def vanish(self) -> None:
        """Enable and purge."""
        self._surrounded()
        outbox.relay(self.database)  # Enabling numbers what waits in the log; that is no trace.
        before, rows = self._definitions(), self._rows()
        self._verb("V309", "enable", lifecycle.enable)
        self._filled()
        self._verb("V313", "purge", lambda s, n: lifecycle.apply(s, "purge", n))
        self._trace(before, self._definitions())
        there = {table: found for table, found in self._rows().items() if table in rows}
        self._compare("V314", rows, there, "after purge")

    def _verb(self, rule: str, verb: str, function: Callable[..., Any]) -> Any:
        # Other processes will do what this verb leads to: they ask the addon anew.
        loading.ask_again(self.subject.manifest)
        try:
            made = function(self.shop, self.subject.name)
            self.shop.refresh()
            self.stack.enter_context(bound(self.shop.current))
            return made
        # An addon's migrations may raise anything.
        except Exception as error:
            kind = "V309" if isinstance(error, PlanDrift) else rule
            self._note(kind, f"{verb} fails: {type(error).__name__}: {error}")
            raise _Stopped from error

    def _note(self, rule: str, told: str) -> None:
        self.found.append(Finding(rule, told.replace("\n", " "), engine=self.engine.name))

    def _own(self) -> dict[str, list[str]]:
        start, history = f"{self.subject.name}_", f"{self.subject.name}_migration"
        every = plain_tables(self.database)
        return schema.rows(
            self.database, [t for t in every if t.startswith(start) and t != history]
        )

    def _filled(self) -> dict[str, list[str]]:
        fill(self.database, self._own())
        return self._own()

    def _surrounded(self) -> None:
        """Fill the tables of what it depends on."""
        fill(self.database, [t for t in plain_tables(self.database) if not t.startswith("bodega_")])

    def _rows(self) -> dict[str, list[str]]:
        tables = [t for t in plain_tables(self.database) if t not in _VOLATILE]
        return schema.rows(self.database, tables)

    def _definitions(self) -> list[Any]:
        return schema.definitions(self.database)

    def _api(self) -> str:
        return json.dumps(document(self.shop.assembly), sort_keys=True, default=str)

    def _disabled(self, api: str, kept: dict[str, list[str]]) -> None:
        there = self._definitions()
        self._verb("V311", "disable", lifecycle.disable)
        if self._api() != api:
            self._note("V563", "the OpenAPI document is not what it was before it was enabled")
        if self._definitions() != there:
            self._note("V311", "disabling changes tables")
        self._compare("V311", kept, self._own(), "after disable")

    def _restored(self, kept: dict[str, list[str]]) -> None:
        made = self._verb("V312", "uninstall", lambda s, n: lifecycle.apply(s, "uninstall", n))
        self._verb("V312", "install", lambda s, n: lifecycle.apply(s, "install", n))
        self._verb("V312", "restore", lambda s, n: lifecycle.restore(s, Path(made.archives[0])))
        self._compare("V312", kept, self._own(), "after uninstall, install and restore")

    def _compare(
        self, rule: str, before: dict[str, list[str]], after: dict[str, list[str]], when: str
    ) -> None:
        for table in schema.changed(before, after):
            counts = f"{len(before.get(table, ()))} → {len(after.get(table, ()))}"
            self._note(rule, f"rows of {table} differ {when} ({counts})")

    def _trace(self, before: list[Any], after: list[Any]) -> None:
        for row in [row for row in after if row not in before][:10]:
            self._note("V313", f"after purge there is still {' '.join(map(str, row[:3]))}")
        for row in [row for row in before if row not in after][:10]:
            self._note("V313", f"after purge there is no longer {' '.join(map(str, row[:3]))}")
