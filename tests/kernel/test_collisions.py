"""Collisions: of two addons that claim one name the second is refused, and both are named."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bodega import state
from bodega.addons import lifecycle
from bodega.addons.claims import KINDS
from bodega.database.structure import tables_of
from bodega.errors import AddonError
from bodega_sdk import Manifest, Setting
from bodega_sdk.errors import ManifestError

#: A minute of processor time.
pytestmark = pytest.mark.slow

#: The exit code of what an addon stands in the way of.
REFUSED = 3
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
START = """
import click
import peewee
from bodega_sdk import *


def model(table, column="size", index=None, **options):
    meta = type("Meta", (), {"table_name": table})
    key, field = peewee.IntegerField(primary_key=True), peewee.IntegerField(**options)
    found = type(table.title(), (Model,), {"id": key, column: field, "Meta": meta})
    if index:
        found.add_index(found.index(field, name=index))
    return found


@hookimpl
"""
MIGRATION = "def up(migrator, db):\n    db.execute_sql({!r})\n"


@dataclass(frozen=True)
class Guest:
    """An addon: what its plugin implements, its manifest's fields, what its migration executes."""

    name: str
    hook: str
    fields: str = "{}"
    migration: str = ""
    files: tuple[tuple[str, str], ...] = ()

    def ship(self, site: Any, version: str = "1.0.0") -> None:
        """Install its package."""
        fields = f"{self.fields} | {{'version': {version!r}}}"
        files = {"m0001_make": MIGRATION.format(self.migration)} if self.migration else {}
        folder = site.write(self.name, START + self.hook, fields=fields, **files)
        for name, text in self.files:
            (folder / name).write_text(text)


@dataclass(frozen=True)
class Pair:
    """Two addons that claim one name."""

    kind: str
    name: str
    one: Guest
    other: Guest


def table(owner: str, name: str, made: str = "", **options: Any) -> Guest:
    """Return an addon that owns a table; ``made`` by its migration."""
    told = "".join(f", {key}={value!r}" for key, value in options.items())
    statement = f"CREATE TABLE {made} (id integer PRIMARY KEY, size integer)" if made else ""
    hook = f"def register_models(): return [model({name!r}{told})]"
    return Guest(owner, hook, migration=statement)


def route(owner: str, path: str, **fields: Any) -> Guest:
    """Return an addon that serves a path."""
    hook = f"def register_routes(routes): routes.add(Route('GET', {path!r}, print, PUBLIC, 'x'))"
    return Guest(owner, hook, repr(fields))


def returns(owner: str, hook: str, item: str, **fields: Any) -> Guest:
    """Return an addon whose hook returns one thing."""
    return Guest(owner, f"def {hook}(): return [{item}]", repr(fields))


def page(owner: str) -> Guest:
    """Return an addon with a page of the console below a root that another one shares."""
    made = "ConsolePage('doors/open', 'Doors', AUTHENTICATED, lambda request: [])"
    importing = "    from bodega_sdk.console import ConsolePage"
    hook = f"def register_console_pages():\n{importing}\n    return [{made}]"
    return Guest(owner, hook, "{'routes': ('doors',)}")


def hook(owner: str) -> Guest:
    """Return an addon that publishes a hook."""
    specs = (
        "from bodega_sdk import hook\n\n\n@hook('observe', budget=0.1)\n"
        "def door_opened(door: str) -> None:\n    '''A door was opened.'''\n"
    )
    return Guest(owner, "def register_models(): return []", files=(("hookspecs.py", specs),))


#: The name of an addon may begin like another's, and so may the names of what it owns.
PAIRS = {
    "a table": Pair(
        "table",
        "attic_box_lid",
        table("attic", "attic_box_lid"),
        table("attic_box", "attic_box_lid"),
    ),
    "a table that migrations make": Pair(
        "table",
        "attic_box_lid",
        table("attic", "attic_box_lid", "attic_box_lid"),
        table("attic_box", "attic_box_lid", "attic_box_lid"),
    ),
    "a table that the other keeps its migrations in": Pair(
        "table",
        "attic_box_migration",
        table("attic", "attic_box_migration", "attic_box_migration"),
        table("attic_box", "attic_box_lid", "attic_box_lid"),
    ),
    "an index": Pair(
        "index",
        "by_size",
        table("attic", "attic_box", index="by_size"),
        table("cellar", "cellar_box", index="by_size"),
    ),
    "an index whose name was derived": Pair(
        "index",
        "attic_box_lid_size",
        table("attic", "attic_box", column="lid_size", unique=True),
        table("attic_box", "attic_box_lid", unique=True),
    ),
    "a route": Pair(
        "route",
        "GET /doors/{}",
        route("attic", "/doors/{id}", routes=("doors",)),
        route("cellar", "/doors/{id}", routes=("doors",)),
    ),
    "a route whose parameter is called otherwise": Pair(
        "route",
        "GET /doors/{}",
        route("attic", "/doors/{id}", routes=("doors",)),
        route("cellar", "/doors/{number}", routes=("doors",)),
    ),
    "an operation": Pair(
        "operation", "get_attic_box", route("attic", "/attic/box"), route("attic_box", "/attic-box")
    ),
    "an event": Pair(
        "event",
        "door.opened",
        returns("attic", "register_events", "Event('door.opened', 'Above', {})"),
        returns("cellar", "register_events", "Event('door.opened', 'Below', {})"),
    ),
    "a channel": Pair(
        "channel",
        "doors.{}",
        returns("attic", "register_channels", "Channel('doors.{id}', (), PUBLIC, 'x')"),
        returns("cellar", "register_channels", "Channel('doors.{no}', (), PUBLIC, 'y')"),
    ),
    "a plain stream": Pair(
        "stream",
        "doors/{}",
        returns(
            "attic",
            "register_channels",
            "Channel('attic.{id}', (), PUBLIC, 'x', path='doors/{id}/')",
        ),
        returns(
            "cellar",
            "register_channels",
            "Channel('cellar.{no}', (), PUBLIC, 'y', path='doors/{no}')",
        ),
    ),
    "a command": Pair(
        "command",
        "paint",
        returns("attic", "register_commands", "click.Command('paint')"),
        returns("cellar", "register_commands", "click.Command('paint')"),
    ),
    "a page of the console": Pair("console page", "doors/open", page("attic"), page("cellar")),
    "a hook": Pair("hook", "door_opened", hook("attic"), hook("cellar")),
    "a credential": Pair(
        "credential",
        "doorkey_",
        returns("attic", "register_credentials", "Credential('doorkey_', print)"),
        returns("cellar", "register_credentials", "Credential('doorkey_', print)"),
    ),
}
#: Names of these kinds begin with "ADDON.", and no addon's name holds a dot: none can collide.
UNIQUE = ("permission", "setting", "job", "service")
#: Kinds of names that this kernel does not know yet have no claims that could collide.
KNOWN = {name: pair for name, pair in PAIRS.items() if pair.kind in KINDS}
#: Where an addon keeps its migrations it claims from its first version on.
GROWING = {name: pair for name, pair in KNOWN.items() if not pair.name.endswith("_migration")}
EVERY_PAIR = pytest.mark.parametrize("pair", KNOWN.values(), ids=KNOWN)
BOTH_ORDERS = pytest.mark.parametrize("turned", [False, True], ids=["one-other", "other-one"])
FIRST = pytest.mark.parametrize(
    "first_is",
    [
        "enabled",
        pytest.param("disabled", marks=pytest.mark.slow),
        pytest.param("quarantined", marks=pytest.mark.slow),
    ],
)


def everything(shop: Any) -> dict[str, list[str]]:
    """Return all rows of all tables."""
    database = shop.databases.shop
    return {
        name: sorted(map(repr, database.execute_sql(f'SELECT * FROM "{name}"').fetchall()))
        for name in tables_of(database)
    }


def without_reasons(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return rows without those that tell ``addons list`` why an addon was refused."""
    return {name: found for name, found in rows.items() if name != "bodega_addon"}


def settled(shop: Any, site: Any, guest: Guest, first_is: str) -> None:
    """Enable the first addon, then bring it into a state."""
    guest.ship(site)
    lifecycle.enable(shop, guest.name)
    if first_is == "disabled":
        lifecycle.disable(shop, guest.name)
    if first_is == "quarantined":
        (site.package(guest.name) / "plugin.py").write_text("raise RuntimeError('out of order')")
        site.forget()
        assert guest.name in shop.refresh().faults


def says(told: str, pair: Pair, first: Guest, second: Guest) -> None:
    """Check that a refusal names both addons, the kind and the name."""
    assert told.startswith(f"{second.name} is quarantined: "), told
    assert f"{pair.kind} {pair.name!r} belongs to {first.name} already" in told, told


def test_every_kind_of_name_has_addons_that_collide_or_a_rule_that_keeps_them_apart() -> None:
    assert {pair.kind for pair in KNOWN.values()} | set(UNIQUE) == set(KINDS)


@FIRST
@BOTH_ORDERS
@EVERY_PAIR
def test_the_second_of_two_addons_that_claim_one_name_is_refused(
    empty_shop: Any, site: Any, pair: Pair, turned: bool, first_is: str
) -> None:
    first, second = (pair.other, pair.one) if turned else (pair.one, pair.other)
    settled(empty_shop, site, first, first_is)
    second.ship(site)
    before = everything(empty_shop)
    for verb in ("install", "enable"):
        with pytest.raises(AddonError) as refused:
            lifecycle.plan(empty_shop, verb, second.name)
        says(str(refused.value), pair, first, second)
        assert everything(empty_shop) == before
    for verb in ("install", "enable"):
        with pytest.raises(AddonError) as refused:
            lifecycle.apply(empty_shop, verb, second.name)
        says(str(refused.value), pair, first, second)
        assert without_reasons(everything(empty_shop)) == without_reasons(before)
    assert (first.name in state.read_state().enabled) == (first_is != "disabled")


@EVERY_PAIR
def test_each_of_two_that_collide_is_welcome_once_the_other_is_gone(
    empty_shop: Any, site: Any, pair: Pair
) -> None:
    pair.one.ship(site)
    pair.other.ship(site)
    for guest in (pair.one, pair.other):
        lifecycle.enable(empty_shop, guest.name)
        assert empty_shop.refresh().faults == {}
        lifecycle.apply(empty_shop, "purge", guest.name)


@ONE_ENGINE
@FIRST
@pytest.mark.parametrize("name", ["a table", "a table that migrations make", "an event"])
def test_the_command_line_tells_it_in_one_sentence_and_ends_with_3(
    empty_shop: Any, site: Any, terminal: Any, name: str, first_is: str
) -> None:
    pair = PAIRS[name]
    settled(empty_shop, site, pair.one, first_is)
    pair.other.ship(site)
    before = everything(empty_shop)
    for arguments in (["enable", pair.other.name, "--plan"], ["enable", pair.other.name]):
        done = terminal.run("addons", *arguments)
        assert done.returncode == REFUSED, done.stderr
        (line,) = (line for line in done.stderr.splitlines() if line.startswith("Error: "))
        says(line.removeprefix("Error: "), pair, pair.one, pair.other)
        assert without_reasons(everything(empty_shop)) == without_reasons(before)


@BOTH_ORDERS
@pytest.mark.parametrize("pair", GROWING.values(), ids=GROWING)
def test_an_upgrade_does_not_take_a_name_from_its_owner(
    empty_shop: Any, site: Any, pair: Pair, turned: bool
) -> None:
    first, second = (pair.other, pair.one) if turned else (pair.one, pair.other)
    site.write(second.name)
    lifecycle.enable(empty_shop, second.name)
    settled(empty_shop, site, first, "enabled")
    second.ship(site, "2.0.0")
    with pytest.raises(AddonError) as refused:
        lifecycle.plan(empty_shop, "upgrade", second.name)
    says(str(refused.value), pair, first, second)
    # Whatever the order of their names is: who was there first, serves on.
    assert empty_shop.refresh().faults.keys() == {second.name}


names = st.from_regex(r"[a-c]{1,2}(_[a-c0-9]{1,2}){0,2}", fullmatch=True)


@given(names, names, st.text("abc_.", max_size=8))
def test_what_begins_with_an_addons_name_and_a_dot_belongs_to_no_other(
    one: str, other: str, rest: str
) -> None:
    assume(one != other)
    owned = f"{one}.{rest}"
    assert Manifest(one, "1.0", "made_up", "A test's", permissions={owned: "x"}).permissions
    with pytest.raises(ManifestError, match=f"permission .* must begin with '{other}[.]'"):
        Manifest(other, "1.0", "made_up", "A test's", permissions={owned: "x"})


def test_neither_an_addons_name_nor_a_settings_holds_a_dot() -> None:
    with pytest.raises(ManifestError, match="name must be lower_snake_case"):
        Manifest("attic.box", "1.0", "made_up", "A test's")
    stray = Setting("box.size", int, default=1, help="x")
    with pytest.raises(ManifestError, match=r"setting 'box\.size': its name must be lower_snake"):
        Manifest("attic", "1.0", "made_up", "A test's", settings=(stray,))


@ONE_ENGINE
def test_a_job_that_bears_the_name_of_another_addon_is_refused(empty_shop: Any, site: Any) -> None:
    returns("attic", "register_jobs", "Job('attic.box.paint', print)").ship(site)
    returns("attic_box", "register_jobs", "Job('attic.box.paint', print)").ship(site)
    lifecycle.enable(empty_shop, "attic")
    with pytest.raises(AddonError, match=r"job 'attic\.box\.paint' must begin with 'attic_box[.]'"):
        lifecycle.enable(empty_shop, "attic_box")
