"""The house stays open: whatever an addon declares, the shop boots and the others serve."""

from collections.abc import Callable
from typing import Any

import pytest
from falcon import testing

from bodega.http.gate import Gate

HOOK = "from bodega_sdk import *\n\n\n@hookimpl\ndef {}\n"
ROUTE = HOOK.format('register_routes(routes): routes.add(Route("GET", {}, PUBLIC, "x"{}))')


def route(path: str, more: str = "") -> str:
    return ROUTE.format(f"{path!r}, lambda request: {{}}", more)


WRONG_TYPES = {
    "models are names": HOOK.format("register_models(): return ['odd_page']"),
    "models are instances": HOOK.format("register_models(): return [object()]"),
    "models are no list": HOOK.format("register_models(): return 7"),
    "routes are names": HOOK.format("register_routes(routes): routes.add('/odd')"),
    "jobs are names": HOOK.format("register_jobs(): return ['odd.work']"),
    "jobs are functions": HOOK.format("register_jobs(): return [print]"),
    "events are names": HOOK.format("register_events(): return ['odd.happened']"),
    "events are no list": HOOK.format("register_events(): return Event('odd.happened', 'x', {})"),
    "channels are names": HOOK.format("register_channels(): return ['odd.{id}']"),
    "commands are functions": HOOK.format("register_commands(): return [print]"),
    "a command bears the name of one of the kernel's": HOOK.format(
        "register_commands(): import click; return [click.Command('up')]"
    ),
    "a job's lane is none": HOOK.format("register_jobs(): return [Job('odd.work', print, 'fast')]"),
    "commands are names": HOOK.format("register_commands(): return ['odd']"),
    "subscriptions are to nobody": HOOK.format("register_subscriptions(events): events.on('a.b')"),
    "a subscription's handler is none": HOOK.format(
        "register_subscriptions(events): events.on('account.created', None)"
    ),
    "a hook has a parameter too many": HOOK.format("register_models(shop, more): return []"),
    "a hook raises": HOOK.format("register_jobs(): return 1 / 0"),
    "a hook ends the process": HOOK.format("register_jobs(): raise SystemExit(1)"),
}
BAD_ROUTES = {
    "the template names one parameter twice": route("/odd/{id}/parts/{id}"),
    "the template has white space": route("/odd/two words"),
    "the template has an empty segment": route("/odd//parts"),
    "the template has a parameter that is no identifier": route("/odd/{1}"),
    "the method is no method": HOOK.format(
        "register_routes(routes): routes.add(Route('FETCH', '/odd', print, PUBLIC, 'x'))"
    ),
    "one route is declared twice": HOOK.format(
        "register_routes(routes): routes.add(*[Route('GET', '/odd', print, PUBLIC, 'x')] * 2)"
    ),
    "the body's schema is none": route("/odd", ", body='OddSchema'"),
    "a query parameter has a type that nobody reads": route(
        "/odd", ", parameters=(Parameter('a', float),)"
    ),
    "a path parameter has a type that nobody reads": route(
        "/odd/{size}", ", path_types={'size': float}"
    ),
    "the permission's place holds none": ROUTE.format("'/odd', print", "").replace(
        "PUBLIC", "None"
    ),
}


DECLARATIONS = WRONG_TYPES | BAD_ROUTES


@pytest.fixture
def boots(empty_shop: Any, site: Any) -> Callable[..., str]:
    """Boot a shop in which an addon is enabled; return why it is quarantined, if it is."""

    def boot(name: str) -> str:
        site.write_down_as_enabled(name)
        assembly = empty_shop.refresh()
        for path, status in (("/api/v1/auth/me", 401), ("/api/schema", 200), ("/health", 200)):
            answer = testing.simulate_get(Gate(empty_shop), path)
            assert answer.status_code == status, f"{path}: {answer.text}"
        return str(assembly.faults.get(name, ""))

    return boot


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("plugin", DECLARATIONS.values(), ids=DECLARATIONS)
def test_an_addon_is_quarantined_when(site: Any, boots: Callable[[str], str], plugin: str) -> None:
    site.write("odd", plugin)
    assert boots("odd").startswith("odd is quarantined: ")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "fields", ["{'package': ''}", "{'package': None}", "{'package': 'bodega_sample_parent.odd'}"]
)
def test_an_addon_whose_package_cannot_be_imported_is_quarantined(
    site: Any, boots: Callable[[str], str], fields: str
) -> None:
    site.write("parent", init="raise RuntimeError('a parent that raises')")
    site.write("odd", fields=fields)
    assert "odd" in boots("odd")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_addon_cannot_take_the_kernels_name_and_with_it_its_tables(
    site: Any, boots: Callable[[str], str]
) -> None:
    site.write("bodega")
    assert "bodega" in boots("bodega")


def test_the_whole_gallery_enabled_at_once_does_not_keep_notes_from_serving(
    notes_shop: Any, site: Any
) -> None:
    broken = set(site.gallery) - {"notes", "pins", "walls", "ledger", "vault"}
    site.install(*broken, "ledger")
    site.write_down_as_enabled(*broken, "ledger")
    assert notes_shop.refresh().faults.keys() == broken
    told = testing.simulate_get(Gate(notes_shop), "/health/detailed").json
    assert told["quarantined"] == sorted(broken)
    answer = testing.simulate_get(Gate(notes_shop), "/api/v1/notes")
    assert answer.json["count"] == 1
