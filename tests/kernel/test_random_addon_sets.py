"""Random sets of addons, random verbs: a plan is what happens, and planning changes nothing."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega import operator_settings, state
from bodega.addons import lifecycle
from bodega.addons.claims import Claim
from bodega.addons.discovery import discover
from bodega.addons.plans import Plan
from bodega.assembly import Assembly
from bodega.database.connection import is_postgres
from bodega.database.migrating import recorded
from bodega.database.structure import tables_of
from bodega.database.tables import AddonRow, JournalRow, LedgerRow, SettingRow
from bodega.errors import AddonError, PlanDrift

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow

#: Together at least a hundred; PostgreSQL rehearses four times as slowly.
EXAMPLES = {"sqlite": 75, "postgres": 35}
SAMPLES = ("notes", "pins", "walls", "ledger")
NAMES = ("alder", "birch", "cedar", "dogwood")
#: What a migration does behind the first one, which makes the table NAME_row.
CHANGES = {
    "create": "CREATE TABLE {name}_more{n} (id integer PRIMARY KEY, row_id integer "
    "REFERENCES {name}_row (id) ON DELETE CASCADE)",
    "alter": "ALTER TABLE {name}_row ADD COLUMN extra{n} integer",
    "rename": "ALTER TABLE {name}_row RENAME COLUMN title TO title{n}",
    "index": "CREATE INDEX {name}_row_by_size{n} ON {name}_row (size)",
    "fill": "INSERT INTO {name}_row (id, size) VALUES ({n}00, 0)",
    "move": "UPDATE {name}_row SET size = size + 1 WHERE size >= 0",
}
#: Why an addon was refused is written down there for `addons list`.
TOLD = {"bodega_addon": "whatever it holds"}
FIRST = "CREATE TABLE {name}_row (id integer PRIMARY KEY, title text, size integer)"
MIGRATION = '"""Made by a test."""\n\n\ndef up(migrator, db):\n    db.execute_sql({!r})\n'
PLUGIN = """
import click
import peewee
from bodega_sdk import PUBLIC, Channel, Event, Job, Model, Route, hookimpl


def model(name):
    meta = type("Meta", (), {{"table_name": name}})
    fields = {{"id": peewee.IntegerField(primary_key=True), "Meta": meta}}
    return type(name.title(), (Model,), fields)


@hookimpl
def register_models():
    return [model(name) for name in {tables!r}]


@hookimpl
def register_routes(routes):
    routes.add(Route("GET", "/{name}", lambda request: {{}}, PUBLIC, "Look at it"))


@hookimpl
def register_events():
    return [Event("{name}.grown", "It grew.", {{}})]


@hookimpl
def register_jobs():
    return [Job("{name}.grow", lambda run: None)]


@hookimpl
def register_channels():
    return [Channel("{name}.{{id}}", ("{name}.grown",), PUBLIC, "How it grows")]


@hookimpl
def register_commands():
    return [click.Command("{name}")]
"""


@dataclass(frozen=True)
class Guest:
    """An addon that is made up; ``released`` of its migrations are in its package."""

    name: str
    depends: tuple[str, ...]
    conflicts: tuple[str, ...]
    bridge: tuple[str, ...]
    changes: tuple[str, ...]
    settings: int
    permissions: int
    released: int
    patch: int = 0

    @property
    def version(self) -> str:
        """Of what is released."""
        return f"1.{self.released}.{self.patch}"

    @property
    def migrations(self) -> dict[str, str]:
        """Module → text, of those that are released."""
        statements = [FIRST, *(CHANGES[change] for change in self.changes)] if self.changes else []
        return {
            f"m{n:04}_change": MIGRATION.format(text.format(name=self.name, n=n))
            for n, text in enumerate(statements[: self.released], 1)
        }

    @property
    def tables(self) -> list[str]:
        """The tables that its released migrations make."""
        released = self.changes[: max(self.released - 1, 0)]
        more = [f"{self.name}_more{n}" for n, text in enumerate(released, 2) if text == "create"]
        return [f"{self.name}_row", *more] if self.migrations else []

    @property
    def fields(self) -> str:
        """Its manifest."""
        needs = tuple(name for name in self.depends if name != self.name)
        permissions = {f"{self.name}.p{n}": "Do a thing" for n in range(self.permissions)}
        names = ", ".join(
            f"Setting('s{n}', int, default={n}, help='A number')," for n in range(self.settings)
        ).replace(",,", ",")
        return (
            f"{{'version': {self.version!r}, 'depends': {needs!r}, "
            f"'conflicts': {self.conflicts!r}, 'auto_enable_with': {self.bridge!r}, "
            f"'permissions': {permissions!r}, 'settings': ({names})}}"
        )

    def ship(self, site: Any) -> None:
        """Install its package."""
        plugin = PLUGIN.format(name=self.name, tables=self.tables)
        site.write(self.name, plugin, fields=self.fields, **self.migrations)


@dataclass(frozen=True)
class Move:
    """What an operator does, and what happens before its plan is applied.

    Args:
        pick: which addon, counted among those that the verb makes sense for.
        blind: whether the verb need not make sense.
    """

    verb: str
    pick: int
    blind: bool
    cascade: bool
    disturbance: str


@st.composite
def guests(draw: st.DrawFn) -> tuple[Guest, ...]:
    """Draw addons; each may need those before it."""
    made = []
    for place, name in enumerate(NAMES[: draw(st.integers(1, len(NAMES)))]):
        earlier = st.sampled_from((*NAMES[:place], "notes", "pins>=0.3"))
        others = st.sampled_from([item for item in (*NAMES, "ledger") if item != name])
        changes = draw(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=4))
        made.append(
            Guest(
                name,
                tuple(draw(st.lists(earlier, max_size=2, unique=True))),
                tuple(draw(st.lists(others, max_size=1 if draw(st.integers(0, 4)) == 0 else 0))),
                tuple(draw(st.lists(others, max_size=2, unique=True))),
                # A column can be renamed once.
                tuple(c for n, c in enumerate(changes) if c != "rename" or c not in changes[:n]),
                draw(st.integers(0, 2)),
                draw(st.integers(0, 2)),
                draw(st.integers(0, 4)),
            )
        )
    return tuple(made)


VERBS = ("enable", "install", "disable", "release", "upgrade", "uninstall", "purge")
DISTURBANCES = ("", "", "row", "row", "package", "addon", "setting")
moves = st.lists(
    st.builds(
        Move,
        st.sampled_from(VERBS),
        st.integers(0, 7),
        st.integers(0, 6).map(lambda number: number == 6),
        st.booleans(),
        st.sampled_from(DISTURBANCES),
    ),
    min_size=2,
    max_size=7,
)


def schema(database: Any) -> list[Any]:
    """Return all definitions in the database, comparable."""
    if not is_postgres(database):
        query = "SELECT name, sql FROM sqlite_master WHERE name <> 'sqlite_sequence' ORDER BY name"
        return list(database.execute_sql(query).fetchall())
    columns = (
        "SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull "
        "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE attnum > 0 "
        "AND relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1, 2"
    )
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    spaces = "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%%' ORDER BY 1"
    found = [database.execute_sql(query).fetchall() for query in (columns, indexes, spaces)]
    return [row for rows in found for row in rows]


def everything(shop: Any) -> dict[str, Any]:
    """Return all that the database holds, definitions and rows."""
    database = shop.databases.shop
    tables = tables_of(database)
    rows = {name: database.execute_sql(f'SELECT * FROM "{name}"').fetchall() for name in tables}
    found: dict[str, Any] = {name: sorted(map(repr, rows[name])) for name in tables}
    return found | {"": schema(database)}


def assembled(shop: Any) -> Assembly:
    """Return the Assembly that a process would serve now."""
    shop.catalogue = discover()
    return state.assemble(shop.databases.shop, shop.catalogue, state.read_state())


def owned(assembly: Assembly) -> set[Claim]:
    """Return the names that the addons of an Assembly own."""
    return {claim for addon in assembly.addons for claim in addon.claims}


def of_addons(statements: list[str]) -> list[str]:
    """Return the statements on addons' own tables; the runner makes its histories unasked."""
    return [
        text
        for text in statements
        if "bodega_" not in text and not (text.startswith("CREATE") and '_migration" (' in text)
    ]


class Story:
    """One example: addons, and what is done to them, on a shop that is reset first."""

    def __init__(self, shop: Any, site: Any, made: tuple[Guest, ...]) -> None:
        self.shop, self.site = shop, site
        self.guests = {guest.name: guest for guest in made}
        self._filled = 0

    def begin(self) -> None:
        """Forget the example before, whatever became of it, and install the packages."""
        database = self.shop.databases.shop
        for path in self.site.folder.glob("*.dist-info"):
            self.site.uninstall(path.name.removeprefix("bodega_sample_").partition("-")[0])
        for table in tables_of(database):
            if not table.startswith(("bodega_", "accounts_")):
                cascade = " CASCADE" if is_postgres(database) else ""
                database.execute_sql(f'DROP TABLE "{table}"{cascade}')
        AddonRow.delete().where(AddonRow.name != "accounts").execute()
        LedgerRow.delete().where(LedgerRow.addon != "accounts").execute()
        SettingRow.delete().where(~SettingRow.name.startswith("bodega.")).execute()
        JournalRow.delete().execute()
        self.site.install(*SAMPLES)
        for guest in self.guests.values():
            guest.ship(self.site)

    def play(self, move: Move) -> None:
        """Do what an operator does, and hold everything against the plan."""
        sensible = self._sensible(move.verb)
        names = sorted((*self.guests, *SAMPLES) if move.blind or not sensible else sensible)
        name = names[move.pick % len(names)]
        if move.verb == "release":
            self._ship(name, released=5)
            return
        if move.verb == "upgrade" and name in self.guests:
            self._ship(name, released=self.guests[name].released + 2)
        before = everything(self.shop)
        plan = self._plan(move, name)
        assert everything(self.shop) == before, "planning has changed something"
        if plan is not None and self._disturb(move.disturbance, plan):
            before, old = everything(self.shop), plan
            plan = self._plan(move, name)
            # What can no longer be done at all is refused for that reason.
            with pytest.raises(PlanDrift if plan else AddonError):
                lifecycle.apply_plan(self.shop, old.id)
            allowed: dict[str, Any] = {} if plan else TOLD
            assert everything(self.shop) | allowed == before | allowed, "it was followed"
        if plan is None:
            self._refuse(move, name)
        else:
            self._apply(plan)
            self._fill()

    def _sensible(self, verb: str) -> set[str]:
        rows = list(AddonRow.select().where(AddonRow.installed, AddonRow.name != "accounts"))
        installed, enabled = {row.name for row in rows}, {row.name for row in rows if row.enabled}
        everybody, made = {*self.guests, *SAMPLES}, installed & self.guests.keys()
        return {
            "install": everybody - installed,
            "enable": everybody - enabled,
            "disable": enabled,
            "release": {name for name in made if self.guests[name].released < 5},
            "upgrade": made,
        }.get(verb, installed)

    def _plan(self, move: Move, name: str) -> Plan | None:
        with suppress(AddonError):
            return lifecycle.plan(self.shop, move.verb, name, cascade=move.cascade)
        return None

    def _refuse(self, move: Move, name: str) -> None:
        before = everything(self.shop)
        with pytest.raises(AddonError):
            lifecycle.apply(self.shop, move.verb, name, cascade=move.cascade)
        assert everything(self.shop) | TOLD == before | TOLD

    def _apply(self, plan: Plan) -> None:
        shop, executed = self.shop, []
        before, enabled = assembled(shop), set(state.read_state().enabled)
        had = owned(before) | self._upgraded(plan, before)
        with recorded(shop.databases.shop, executed):
            change = lifecycle.apply_plan(shop, plan.id)
        planned = [text for step in plan.steps for text in step.statements]
        assert of_addons(executed) == of_addons(planned)
        assert change.addons == tuple(dict.fromkeys(step.addon for step in plan.steps))
        after = assembled(shop)
        assert by_kind(owned(after) - had) == dict(plan.added)
        assert by_kind(had - owned(after)) == dict(plan.removed)
        assert after.faults.keys() <= before.faults.keys()
        gone, come = names(plan, "disable"), names(plan, "enable")
        assert set(state.read_state().enabled) == (enabled - gone) | come
        there = set(tables_of(shop.databases.shop))
        assert not there & plan.lost.keys()
        assert not JournalRow.select().exists()

    def _upgraded(self, plan: Plan, before: Assembly) -> set[Claim]:
        """What addons own that only waited for their upgrade: older processes serve it."""
        upgraded = names(plan, "upgrade") & before.faults.keys()
        rows = LedgerRow.select().where(LedgerRow.addon.in_(upgraded))
        return {Claim(row.kind, row.name) for row in rows}

    def _fill(self) -> None:
        """Write rows, as the addons would."""
        there = set(tables_of(self.shop.databases.shop))
        for guest in self.guests.values():
            if f"{guest.name}_row" in there:
                self._write_row(f"{guest.name}_row")

    def _write_row(self, table: str) -> None:
        self._filled += 1
        column = "size" if table.endswith("_row") else "row_id"
        value = str(self._filled) if column == "size" else "NULL"
        self.shop.databases.shop.execute_sql(
            f"INSERT INTO {table} (id, {column}) VALUES ({self._filled}, {value})"
        )

    def _ship(self, name: str, **changes: int) -> bool:
        if name not in self.guests:
            return False
        self.guests[name] = replace(self.guests[name], **changes)
        self.guests[name].ship(self.site)
        return True

    # Disturbances: each returns whether there was anything that it could change.

    def _disturb(self, kind: str, plan: Plan) -> bool:
        changing: dict[str, Callable[[Plan], bool]] = {
            "setting": self._change_a_setting,
            "addon": self._enable_or_disable_another,
            "row": self._write_a_row_that_would_go,
            "package": self._release_another_version,
        }
        return kind in changing and changing[kind](plan)

    def _change_a_setting(self, plan: Plan) -> bool:
        self._filled += 1
        operator_settings.change(self.shop, "accounts.access_minutes", self._filled)
        return True

    def _enable_or_disable_another(self, plan: Plan) -> bool:
        if any(step.addon == "ledger" for step in plan.steps):
            return False
        verb = "disable" if "ledger" in state.read_state().enabled else "enable"
        with suppress(AddonError):  # Somebody may be in conflict with it.
            lifecycle.apply(self.shop, verb, "ledger")
            return True
        return False

    def _write_a_row_that_would_go(self, plan: Plan) -> bool:
        for table in plan.lost:
            if table.partition("_")[0] in self.guests:
                self._write_row(table)
                return True
        return False

    def _release_another_version(self, plan: Plan) -> bool:
        return any(
            self._ship(step.addon, patch=self.guests[step.addon].patch + 1)
            for step in plan.steps
            if step.addon in self.guests
        )

    def end(self) -> None:
        """Purge whatever is installed."""
        while (
            row := AddonRow.get_or_none(AddonRow.installed, AddonRow.name != "accounts")
        ) is not None:
            self._apply(lifecycle.plan(self.shop, "purge", row.name, cascade=True))


def by_kind(found: set[Claim]) -> dict[str, tuple[str, ...]]:
    kinds = sorted({claim.kind for claim in found})
    return {kind: tuple(sorted(c.name for c in found if c.kind == kind)) for kind in kinds}


def names(plan: Plan, verb: str) -> set[str]:
    return {step.addon for step in plan.steps if step.verb == verb}


@pytest.mark.timeout(400)
def test_whatever_the_addons_and_verbs_a_plan_is_exactly_what_is_done(
    empty_shop: Any, site: Any, engine: str
) -> None:
    @settings(max_examples=EXAMPLES[engine], suppress_health_check=list(HealthCheck))
    @given(guests(), moves)
    def check(made: tuple[Guest, ...], played: list[Move]) -> None:
        story = Story(empty_shop, site, made)
        story.begin()
        bare = schema(empty_shop.databases.shop)
        ledger = sorted(LedgerRow.select(LedgerRow.name).tuples())
        for move in played:
            story.play(move)
        story.end()
        assert schema(empty_shop.databases.shop) == bare
        assert sorted(LedgerRow.select(LedgerRow.name).tuples()) == ledger

    check()
