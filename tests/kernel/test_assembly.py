"""The Assembly: what is broken is quarantined by name, and the rest of the house stays open."""

import random
from typing import Any

import pytest

from bodega.addons.discovery import Catalogue
from bodega.assembly import build

#: addon → culprit and what its reason says, all of the gallery assembled at once.
VERDICTS = {
    "plugin_raises": ("plugin_raises", "RuntimeError: no such thing as a shop"),
    "plugin_exits": ("plugin_exits", "SystemExit: 3"),
    "plugin_syntax": ("plugin_syntax", "SyntaxError"),
    "plugin_missing": ("plugin_missing", "No module named 'bodega_sample_plugin_missing.plugin'"),
    "unknown_hook": ("unknown_hook", "unknown hook 'register_modles'"),
    "foreign_table": ("foreign_table", "table 'pages_page' must begin with 'foreign_table_'"),
    "route_outside": ("route_outside", "route GET /elsewhere/things must lie below /route-outside"),
    "undeclared_permission": ("undeclared_permission", "'undeclared_permission.read'"),
    "wrong_type": ("wrong_type", "it cannot be loaded"),
    "missing_dependency": ("missing_dependency", "depends on unicorns, which is not installed"),
    "wrong_version": ("wrong_version", "it depends on notes>=9, and 1.2.0 is installed"),
    "future_sdk": ("future_sdk", "it works with SDK >=2,<3, and this is 1.0.0"),
    "loner": ("loner", "it cannot be enabled beside notes"),
    "egg": ("egg", "egg → hen → egg"),
    "hen": ("hen", "hen → egg → hen"),
    "rock": ("rock", "rock → paper → scissors → rock"),
    "paper": ("paper", "paper → scissors → rock → paper"),
    "scissors": ("scissors", "scissors → rock → paper → scissors"),
    "same_route": ("same_route", "route 'GET /notes/{}' belongs to notes already"),
    "other_parameter": ("other_parameter", "name one place differently: {slug} and {id}"),
    "same_event": ("same_event", "event 'note.created' belongs to notes already"),
    "same_channel": ("same_channel", "channel 'notes.{}' belongs to notes already"),
    "same_command": ("same_command", "command 'notes' belongs to notes already"),
    "ledger_page": ("ledger_page", "table 'ledger_page_line' belongs to ledger already"),
    "manifest_raises": ("manifest_raises", "the author forgot something"),
    "bad_name": ("bad_name", "lower_snake_case"),
}
HEALTHY = ("ledger", "notes", "pins", "walls")


@pytest.mark.parametrize(("name", "verdict"), VERDICTS.items())
def test_a_broken_addon_is_quarantined_with_its_culprit_reason_and_remedy(
    site: Any, name: str, verdict: tuple[str, str]
) -> None:
    companions = {"notes", "ledger", "egg", "hen", "rock", "paper", "scissors"}
    site.install(*companions, *{name} - companions)
    assembly = build(site.catalogue(), {*companions, name})
    culprit, reason = verdict
    fault = assembly.faults[name]
    assert (fault.addon, fault.culprit) == (name, culprit)
    assert reason in fault.reason
    assert fault.remedy
    assert [addon.name for addon in assembly.addons] == ["ledger", "notes"]


def test_the_whole_gallery_at_once_leaves_the_healthy_addons_assembled(site: Any) -> None:
    site.install(*HEALTHY, *VERDICTS)
    assembly = build(site.catalogue(), [*HEALTHY, *VERDICTS])
    assert [addon.name for addon in assembly.addons] == list(HEALTHY)
    assert assembly.faults.keys() == VERDICTS.keys()
    for name, (culprit, reason) in VERDICTS.items():
        assert assembly.faults[name].culprit == culprit
        assert reason in assembly.faults[name].reason


def test_the_verdict_on_the_whole_gallery_is_the_same_in_any_order(site: Any) -> None:
    site.install(*HEALTHY, *VERDICTS)
    catalogue = site.catalogue()
    names = [*HEALTHY, *VERDICTS]
    first = build(catalogue, names)
    shuffle = random.Random(7)
    for _ in range(5):
        shuffle.shuffle(names)
        items = list(catalogue.manifests.items())
        shuffle.shuffle(items)
        catalogue.manifests.clear()
        catalogue.manifests.update(items)
        again = build(catalogue, names)
        assert dict(again.faults) == dict(first.faults)
        assert [addon.name for addon in again.addons] == [addon.name for addon in first.addons]


def test_an_import_error_names_the_file_and_the_line(site: Any) -> None:
    site.install("plugin_raises")
    fault = build(site.catalogue(), ["plugin_raises"]).faults["plugin_raises"]
    assert f"{site.package('plugin_raises')}/plugin.py:3" in fault.reason
    assert "bodega addons disable plugin_raises" in fault.remedy


def test_dependents_of_an_addon_that_does_not_load_name_it_as_the_culprit(site: Any) -> None:
    site.install("notes", "pins", "walls")
    (site.package("notes") / "plugin.py").write_text("1 / 0")
    assembly = build(site.catalogue(), ["notes", "pins", "walls"])
    assert assembly.addons == ()
    for name in ("pins", "walls"):
        assert assembly.faults[name].culprit == "notes"
        assert "ZeroDivisionError" in assembly.faults[name].reason


def test_an_addon_that_is_not_enabled_is_not_even_imported(site: Any) -> None:
    site.install("notes", "plugin_raises")
    assembly = build(site.catalogue(), ["notes"])
    assert [addon.name for addon in assembly.addons] == ["notes"]
    assert assembly.faults == {}


def test_an_assembly_holds_all_that_its_addons_declare(site: Any) -> None:
    site.install("notes", "pins", "walls")
    assembly = build(site.catalogue(), ["walls", "pins", "notes"], generation=7)
    assert [addon.name for addon in assembly.addons] == ["notes", "pins", "walls"]
    assert assembly.generation == 7
    assert {model._meta.table_name for model in assembly.models} == {"notes_note", "pins_pin"}
    assert sorted(assembly.jobs) == ["notes.count_words", "notes.forget_empty"]
    assert list(assembly.events) == ["note.created"]
    assert [item.name for item in assembly.channels] == ["notes.{id}"]
    assert list(assembly.commands) == ["notes"]
    assert [item.event for item in assembly.subscriptions] == ["note.created"]
    assert {"/notes", "/notes/{id}", "/walls"} == {route.path for route in assembly.routes}
    assert {"notes.write", "notes.follow"} <= assembly.permissions
    assert assembly.grants["user"] == {"notes.follow"}


def test_what_the_operator_set_goes_before_the_default_and_strangers_are_left_out(
    site: Any,
) -> None:
    site.install("notes")
    catalogue = site.catalogue()
    assert build(catalogue, ["notes"]).settings == {"notes.longest": 100}
    told = {"notes.longest": 5, "bodega.shop_id": "x", "gone.setting": 1}
    assert build(catalogue, ["notes"], settings=told).settings == {"notes.longest": 5}


def test_settings_of_an_addon_that_is_not_enabled_are_not_there(site: Any) -> None:
    site.install("notes")
    assert build(site.catalogue(), []).settings == {}


def test_an_empty_shop_is_an_assembly_too() -> None:
    assembly = build(Catalogue({}, {}), [])
    assert (assembly.addons, assembly.routes, dict(assembly.faults)) == ((), (), {})
