"""Every way for an addon to be broken, everywhere in the graph: the rest serves on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from falcon import testing

from bodega.addons import lifecycle
from bodega.addons.listing import AddonState, listing
from bodega.errors import AddonError
from bodega.http.gate import Gate

#: Two minutes of processor time.
pytestmark = pytest.mark.slow

ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
PLUGIN = """
from bodega_sdk import *


@hookimpl
def register_routes(routes):
    routes.add(Route("GET", "/{name}", lambda request: {{"addon": "{name}"}}, PUBLIC, "Look"))
"""
IMPL = PLUGIN + "\n\n@hookimpl\ndef {hook}: {body}\n"
MANIFEST = "from bodega_sdk import Manifest, manifest_hook\n{}\n"
#: The chain that addons are broken in: each needs the one before.
CHAIN = ("root", "middle", "leaf")
POSITIONS = (*CHAIN, "beside")


def needs(name: str) -> tuple[str, ...]:
    """Return what an addon of the chain depends on."""
    place = CHAIN.index(name) if name in CHAIN else 0
    return CHAIN[place - 1 : place]


@dataclass(frozen=True)
class House:
    """A shop with a chain of three addons, and one beside it."""

    shop: Any
    site: Any

    def ship(self, name: str, plugin: str = PLUGIN, *, fields: str = "{}", **files: str) -> None:
        """Write an addon's package, which serves ``/NAME``."""
        needed = f"{{'depends': {needs(name)!r}}}"
        text = plugin.replace("{name}", name).replace("{{", "{").replace("}}", "}")
        self.site.write(name, text, fields=f"{needed} | {fields}", **files)

    def get(self, name: str) -> testing.Result:
        """Call an addon's route through the WSGI app."""
        return testing.simulate_get(Gate(self.shop), f"/api/v1/{name}")

    def told(self, name: str) -> AddonState:
        """Return what ``addons list`` says of an addon."""
        return next(item for item in listing(self.shop) if item.name == name)


Break = Callable[[House, str], None]


def plugin(text: str) -> Break:
    """Return what puts another plugin in place."""
    return lambda house, name: house.ship(name, text)


def hook(head: str, body: str) -> Break:
    """Return what adds a hook's implementation to the plugin."""
    return plugin(PLUGIN + f"\n\n@hookimpl\ndef {head}: {body}\n")


def fields(text: str) -> Break:
    """Return what changes fields of the manifest."""
    return lambda house, name: house.ship(name, fields=text)


def manifest(text: str) -> Break:
    """Return what puts another manifest module in place."""
    return lambda house, name: house.ship(name, manifest=MANIFEST.format(text))


def needing(*names: str) -> Break:
    """Return what adds dependencies to the manifest."""
    return lambda house, name: house.ship(name, fields=f"{{'depends': {(*needs(name), *names)!r}}}")


def migrate_later(house: House, name: str) -> None:
    """Ship a migration that has not run."""
    house.ship(name, m0001_wait="def up(migrator, db): pass\n")


def bring_twice(house: House, name: str) -> None:
    """Install a second package that brings an addon of the same name."""
    extra = house.site.folder / "another_package-1.0.dist-info"
    extra.mkdir()
    (extra / "METADATA").write_text("Metadata-Version: 2.1\nName: another-package\nVersion: 1.0\n")
    (extra / "entry_points.txt").write_text(f"[bodega.addons]\n{name} = another_package.manifest\n")
    house.site.forget()


def take_away(house: House, name: str) -> None:
    """Uninstall the package."""
    house.site.uninstall(name)


def mend(house: House, name: str) -> None:
    """Put everything in order again."""
    extra = house.site.folder / "another_package-1.0.dist-info"
    for path in extra.glob("*"):
        path.unlink()
    if extra.exists():
        extra.rmdir()
    for path in house.site.package(name).glob("migrations/*.py"):
        path.unlink()
    house.ship(name)


#: way → how it is done, and what the reason says.
WAYS: dict[str, tuple[Break, str]] = {
    "import error": (plugin("import no_such_module"), "ModuleNotFoundError: No module named 'no_s"),
    "syntax error": (plugin("def register_models(:"), "SyntaxError"),
    "exit at import": (plugin("import sys\nsys.exit(3)"), "SystemExit: 3"),
    "cancelled at import": (
        plugin("import asyncio\nraise asyncio.CancelledError('at import')"),
        "CancelledError: at import",
    ),
    "endless recursion at import": (plugin("def f(): f()\nf()"), "RecursionError"),
    "exception in a hook": (hook("register_models()", "return 1 / 0"), "ZeroDivisionError"),
    "exception in a hook's generator": (hook("register_jobs()", "yield 1 / 0"), "ZeroDivision"),
    "exit in a hook": (hook("register_events()", "raise SystemExit('enough')"), "enough"),
    "wrong type from a hook": (hook("register_models()", "return ['x']"), "expected subclasses of"),
    "no list from a hook": (hook("register_jobs()", "return 7"), "TypeError"),
    "an event without a name": (
        hook("register_events()", "return [Event(7, 'x', {}), Event('a.b', 'x', {})]"),
        "expected a name such as",
    ),
    "unknown hook": (hook("register_modles()", "return []"), "unknown hook 'register_modles'"),
    "another one's table": (
        hook(
            "register_models()",
            "return [type('Page', (Model,), "
            "{'Meta': type('Meta', (), {'table_name': 'pages_page'})})]",
        ),
        "table 'pages_page' must begin with",
    ),
    "undeclared permission": (
        plugin(PLUGIN.replace("PUBLIC, ", "'pages.read', ")),
        "asks for 'pages.read'",
    ),
    "bad manifest": (fields("{'version': 'newest'}"), "version 'newest' is no PEP 440 version"),
    "manifest of wrong types": (fields("{'conflicts': ([],)}"), "conflicts"),
    "manifest raises": (manifest("raise RuntimeError('not today')"), "RuntimeError: not today"),
    "manifest exits": (manifest("raise SystemExit(4)"), "SystemExit: 4"),
    "manifest with a syntax error": (manifest("def addon_manifest(:"), "SyntaxError"),
    "no manifest in its module": (manifest(""), "expected one function marked @manifest_hook"),
    "missing dependency": (needing("unicorns"), "it depends on unicorns, which is not installed"),
    "version mismatch": (needing("accounts>=99"), "it depends on accounts>=99, and "),
    "incompatible SDK": (fields("{'sdk': '>=7'}"), "it works with SDK >=7, and this is "),
    "conflict": (fields("{'conflicts': ('accounts',)}"), "it cannot be enabled beside accounts"),
    "pending migration": (migrate_later, "migration 0001_wait is pending"),
    "duplicate name": (bring_twice, "two packages bring an addon of this name"),
    "package gone": (take_away, "its package is not installed"),
}
#: Nobody can say what a package depends on whose manifest cannot be read.
EVERYWHERE = pytest.mark.parametrize("position", POSITIONS)
EVERY_WAY = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def house(empty_shop: Any, site: Any) -> House:
    """A shop in which all of them are enabled and serve."""
    made = House(empty_shop, site)
    for name in POSITIONS:
        made.ship(name)
    for name in ("leaf", "beside"):
        lifecycle.enable(empty_shop, name)
    assert empty_shop.refresh().faults == {}
    return made


def harmed_by(position: str) -> tuple[str, ...]:
    """Return the addon at a position and those that need it."""
    return CHAIN[CHAIN.index(position) :] if position in CHAIN else (position,)


def check_all(house: House, harmed: tuple[str, ...], culprit: str, reason: str) -> None:
    """Check each addon's answer and state; so of those that are not harmed."""
    for name in POSITIONS:
        answer, told = house.get(name), house.told(name)
        if name not in harmed:
            assert (answer.status_code, answer.json) == (200, {"addon": name})
            assert (told.state, told.fault) == ("enabled", None)
            continue
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json["addon"], answer.json["culprit"]) == (name, culprit)
        assert told.state == "quarantined"
        assert told.fault is not None
        assert (told.fault.addon, told.fault.culprit) == (name, culprit)
        assert reason in told.fault.reason
        assert told.fault.remedy
        assert answer.json["remedy"] == told.fault.remedy
    assert json.dumps([item.as_json() for item in listing(house.shop)])


@EVERYWHERE
@EVERY_WAY
def test_a_broken_addon_takes_along_only_what_needs_it_and_heals_when_it_is_mended(
    house: House, way: str, position: str
) -> None:
    break_it, reason = WAYS[way]
    break_it(house, position)
    house.shop.refresh()
    check_all(house, harmed_by(position), position, reason)
    with pytest.raises(AddonError, match="is quarantined") as refused:
        lifecycle.retry(house.shop, harmed_by(position)[-1])
    assert reason in str(refused.value)
    mend(house, position)
    assert lifecycle.retry(house.shop, position).addons == (position,)
    assert house.shop.refresh().faults == {}
    check_all(house, (), "", "")


@ONE_ENGINE
@EVERYWHERE
@pytest.mark.parametrize("way", ["import error", "bad manifest", "version mismatch"])
def test_the_rest_of_the_shop_can_be_operated_beside_a_broken_addon(
    house: House, way: str, position: str
) -> None:
    WAYS[way][0](house, position)
    house.shop.refresh()
    house.site.install("notes")
    lifecycle.enable(house.shop, "notes")
    house.shop.refresh()
    assert house.get("notes").status_code == 200
    lifecycle.apply(house.shop, "purge", "notes")
    check_all(house, harmed_by(position), position, WAYS[way][1])
    lifecycle.disable(house.shop, position, cascade=True)
    assert house.shop.refresh().faults == {}
    for name in POSITIONS:
        assert house.get(name).status_code == (404 if name in harmed_by(position) else 200)


@ONE_ENGINE
def test_a_failing_migration_that_waits_keeps_nobody_else_from_being_installed(
    house: House,
) -> None:
    house.ship("beside", m0001_fail="def up(migrator, db): raise RuntimeError('no')\n")
    assert house.shop.refresh().faults.keys() == {"beside"}
    house.site.install("notes")
    assert lifecycle.enable(house.shop, "notes").addons == ("notes",)


@ONE_ENGINE
def test_an_index_in_plain_sql_is_as_good_as_any(house: House) -> None:
    body = (
        "\n    import peewee"
        "\n    page = type('Page', (Model,), {'Meta': type('Meta', (), {'table_name': 'leaf_x'})})"
        "\n    page.add_index(peewee.SQL('CREATE INDEX leaf_by_id ON leaf_x (id)'))"
        "\n    return [page]"
    )
    hook("register_models()", body)(house, "leaf")
    assert house.shop.refresh().faults == {}


@ONE_ENGINE
def test_a_manifest_that_cannot_be_shown_is_refused_before_it_has_to_be(house: House) -> None:
    fields("{'summary': object()}")(house, "leaf")
    house.shop.refresh()
    check_all(house, ("leaf",), "leaf", "summary")


CYCLES = {
    "itself": ("a",),
    "two": ("a", "b"),
    "three": ("a", "b", "c"),
    "five": ("a", "b", "c", "d", "e"),
}


@pytest.mark.parametrize("ring", CYCLES.values(), ids=CYCLES)
def test_a_cycle_shows_its_whole_path_and_whoever_needs_it_names_a_member(
    house: House, ring: tuple[str, ...]
) -> None:
    for name in ring:
        house.ship(name)
    house.ship("guest", fields=f"{{'depends': ({ring[-1]!r}, 'leaf')}}")
    lifecycle.enable(house.shop, "guest")
    for name in ring:
        lifecycle.enable(house.shop, name)
    for name, following in zip(ring, (*ring[1:], ring[0]), strict=True):
        house.ship(name, fields=f"{{'depends': ({following!r}, 'root')}}")
    assert house.shop.refresh().faults.keys() == {*ring, "guest"}
    for place, name in enumerate(ring):
        fault = house.told(name).fault
        assert fault is not None
        path = " → ".join((*ring[place:], *ring[:place], name))
        assert (fault.culprit, fault.reason) == (name, f"it depends on itself: {path}")
        assert house.get(name).json["addon"] == name
        assert house.get(name).status_code == 503
    guest = house.told("guest").fault
    assert guest is not None
    assert guest.culprit == ring[-1]
    check_all(house, (), "", "")
    house.ship(ring[-1])
    assert lifecycle.retry(house.shop, "guest").addons == ("guest",)
    assert house.shop.refresh().faults == {}
    assert house.get("guest").status_code == 200
