"""Finding addons: whatever a package does, it harms nobody but itself."""

import sys
from importlib.metadata import EntryPoint, entry_points
from itertools import permutations
from typing import Any

import pytest

from bodega.addons.discovery import GROUP, discover, read_catalogue
from bodega.editions import read_edition

BROKEN_MANIFESTS = {
    "manifest_raises": "RuntimeError: the author forgot something",
    "manifest_exits": "SystemExit: this addon has had enough",
    "manifest_syntax": "SyntaxError",
    "bad_name": "name must be lower_snake_case",
    "bad_version": "version 'newest' is no PEP 440 version such as '1.2.0'",
    "bad_grants": "staff is given 'bad_grants.write', which 'permissions' does not declare",
    "no_manifest": "expected one function marked @manifest_hook",
}


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


@pytest.mark.parametrize(("name", "reason"), BROKEN_MANIFESTS.items())
def test_a_manifest_that_cannot_be_used_is_a_fault_of_its_addon(
    site: Any, name: str, reason: str
) -> None:
    site.install(name)
    catalogue = discover()
    assert name not in catalogue.manifests
    fault = catalogue.faults[name]
    assert (fault.addon, fault.culprit) == (name, name)
    assert f"bodega_sample_{name}.manifest" in fault.reason
    assert reason in fault.reason
    assert f"Mend bodega_sample_{name}.manifest" in fault.remedy


def test_broken_manifests_do_not_hide_healthy_ones(site: Any) -> None:
    site.install("notes", "pins", *BROKEN_MANIFESTS)
    catalogue = discover()
    assert {"accounts", "products", "imports", "notes", "pins"} <= catalogue.manifests.keys()
    assert catalogue.faults.keys() == BROKEN_MANIFESTS.keys()
    assert catalogue.manifests["notes"].version == "1.2.0"


def test_the_shop_that_people_start_has_every_addon_of_the_house() -> None:
    ours = [one.name for one in entry_points(group=GROUP) if "bodega_manifests." in one.value]
    assert sorted(read_edition("storefront").addons) == sorted(ours)


def test_a_package_installed_later_is_found_by_the_same_process(site: Any) -> None:
    assert "notes" not in discover().manifests
    site.install("notes")
    assert "notes" in discover().manifests


def test_a_package_that_was_uninstalled_is_no_longer_found(site: Any) -> None:
    site.install("notes")
    assert "notes" in discover().manifests
    site.uninstall("notes")
    assert "notes" not in discover().manifests


def test_discovering_imports_the_manifest_and_nothing_else_of_an_addon(site: Any) -> None:
    site.install("notes")
    discover()
    imported = {name for name in sys.modules if name.startswith("bodega_sample_")}
    assert imported == {"bodega_sample_notes", "bodega_sample_notes.manifest"}


def test_two_packages_of_one_name_are_both_refused_in_any_order(site: Any) -> None:
    for name in ("notes", "pins", "walls"):
        site.install(name)
    rivals = [entry("notes", f"bodega_sample_{name}.manifest") for name in ("notes", "pins")]
    entries = [*rivals, entry("walls", "bodega_sample_walls.manifest")]
    for order in permutations(entries):
        catalogue = read_catalogue(order)
        assert list(catalogue.manifests) == ["walls"]
        reason = catalogue.faults["notes"].reason
        assert "bodega_sample_notes.manifest and bodega_sample_pins.manifest" in reason


def test_three_packages_of_one_name_are_all_refused(site: Any) -> None:
    site.install("notes")
    entries = [entry("notes", f"bodega_sample_{name}.manifest") for name in ("a", "notes", "z")]
    for order in permutations(entries):
        catalogue = read_catalogue(order)
        assert catalogue.manifests == {}
        assert list(catalogue.faults) == ["notes"]


def test_one_distribution_seen_twice_is_one_addon(site: Any) -> None:
    site.install("notes")
    twice = [entry("notes", "bodega_sample_notes.manifest")] * 2
    catalogue = read_catalogue(twice)
    assert list(catalogue.manifests) == ["notes"]
    assert catalogue.faults == {}


def test_an_entry_point_must_be_named_like_its_manifest(site: Any) -> None:
    site.install("notes")
    catalogue = read_catalogue([entry("scraps", "bodega_sample_notes.manifest")])
    assert catalogue.manifests == {}
    reason = catalogue.faults["scraps"].reason
    assert "the entry point is named 'scraps', the manifest 'notes'" in reason


@pytest.mark.parametrize(
    "manifest",
    [
        "from bodega_sdk import manifest_hook\n@manifest_hook\ndef addon_manifest(): return None",
        "from bodega_sdk import manifest_hook\n@manifest_hook\ndef addon_manifest(): return {}",
        "from bodega_sdk import manifest_hook\n@manifest_hook\ndef addon_manifest(): return 1 / 0",
        "from bodega_sdk import manifest_hook\n@manifest_hook\ndef addon_manifesto(): return {}",
        "from bodega_sdk import manifest_hook\n@manifest_hook\ndef addon_manifest(shop): return {}",
        "raise SystemExit",
        "import a_module_that_nobody_has",
    ],
)
def test_whatever_a_manifest_module_does_is_a_fault(site: Any, manifest: str) -> None:
    site.write("odd", manifest=manifest)
    catalogue = site.catalogue()
    assert list(catalogue.faults) == ["odd"]
    assert "bodega_sample_odd.manifest" in str(catalogue.faults["odd"])


def test_a_package_that_raises_when_imported_is_a_fault(site: Any) -> None:
    site.write("odd", init="raise LookupError('not today')")
    assert "LookupError: not today" in site.catalogue().faults["odd"].reason
