"""Enabling and disabling: wholly or not at all, in the right order, and told to everybody."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from falcon import testing

from bodega import state
from bodega.addons import lifecycle
from bodega.addons.listing import listing
from bodega.addons.operator_lock import operator_lock
from bodega.database.tables import AddonRow, JobRow
from bodega.errors import AddonError, Busy
from bodega.http.gate import Gate
from bodega.jobs.sweeper import Sweeper
from bodega_sdk import now

Follow = Callable[[], None]


def states(shop: Any) -> dict[str, str]:
    return {item.name: item.state for item in listing(shop)}


def status(shop: Any, path: str) -> int:
    return int(testing.simulate_get(Gate(shop), path).status_code)


def tables(shop: Any) -> set[str]:
    return set(shop.databases.shop.get_tables())


def test_enabling_installs_and_enables_what_an_addon_depends_on(empty_shop: Any, site: Any) -> None:
    site.install("notes", "pins", "walls")
    change = lifecycle.enable(empty_shop, "walls")
    assert change.addons == ("notes", "pins", "walls")
    empty_shop.refresh()
    assert {"notes_note", "pins_pin"} <= tables(empty_shop)
    assert status(empty_shop, "/api/v1/walls") == 200
    assert set(states(empty_shop).values()) == {"enabled", "available"}


def test_enabling_what_is_enabled_changes_nothing(empty_shop: Any, site: Any) -> None:
    site.install("notes")
    assert lifecycle.enable(empty_shop, "notes").addons == ("notes",)
    assert lifecycle.enable(empty_shop, "notes").addons == ()


def test_only_what_is_missing_is_enabled_with_it(empty_shop: Any, site: Any) -> None:
    site.install("notes", "pins", "walls")
    lifecycle.enable(empty_shop, "notes")
    assert lifecycle.enable(empty_shop, "walls").addons == ("pins", "walls")


def test_every_change_raises_the_generation_by_one(empty_shop: Any, site: Any) -> None:
    site.install("notes")
    before = state.read_generation()
    assert lifecycle.enable(empty_shop, "notes").generation == before + 1
    assert lifecycle.disable(empty_shop, "notes").generation == before + 2
    assert state.read_generation() == before + 2
    assert empty_shop.refresh().generation == before + 2


def test_the_routes_of_a_disabled_addon_are_gone_and_come_back_with_its_rows(
    notes_shop: Any,
) -> None:
    assert status(notes_shop, "/api/v1/notes") == 200
    lifecycle.disable(notes_shop, "notes")
    notes_shop.refresh()
    answer = testing.simulate_get(Gate(notes_shop), "/api/v1/notes")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert states(notes_shop)["notes"] == "disabled"
    lifecycle.enable(notes_shop, "notes")
    notes_shop.refresh()
    assert testing.simulate_get(Gate(notes_shop), "/api/v1/notes").json["count"] == 1


def test_disabling_what_others_need_is_refused_and_names_them(empty_shop: Any, site: Any) -> None:
    site.install("notes", "pins", "walls")
    lifecycle.enable(empty_shop, "walls")
    with pytest.raises(AddonError, match="walls, pins cannot do without notes"):
        lifecycle.disable(empty_shop, "notes")
    assert set(state.read_state().enabled) == {"accounts", "notes", "pins", "walls"}


def test_one_dependent_is_spoken_of_as_one(empty_shop: Any, site: Any) -> None:
    site.install("notes", "pins")
    lifecycle.enable(empty_shop, "pins")
    with pytest.raises(AddonError, match="pins cannot do without notes; disable it first"):
        lifecycle.disable(empty_shop, "notes")


def test_a_cascade_disables_the_outermost_first(empty_shop: Any, site: Any) -> None:
    site.install("notes", "pins", "walls")
    lifecycle.enable(empty_shop, "walls")
    assert lifecycle.disable(empty_shop, "notes", cascade=True).addons == ("walls", "pins", "notes")
    assert state.read_state().enabled == ("accounts",)


def test_disabling_what_is_not_enabled_is_refused_and_names_what_is(empty_shop: Any) -> None:
    with pytest.raises(AddonError, match="'notes' is not enabled; enabled are: accounts"):
        lifecycle.disable(empty_shop, "notes")


def test_enabling_what_nobody_has_names_what_there_is(empty_shop: Any) -> None:
    with pytest.raises(
        AddonError, match=r"no addon 'unicorns' .*: accounts, .*imports, .*products"
    ):
        lifecycle.enable(empty_shop, "unicorns")


@pytest.mark.parametrize(
    ("name", "culprit", "reason"),
    [
        ("plugin_raises", "plugin_raises", "no such thing as a shop"),
        ("manifest_raises", "manifest_raises", "the author forgot something"),
        ("egg", "egg", "egg → hen → egg"),
        ("future_sdk", "future_sdk", "it works with SDK >=2,<3"),
        ("wrong_version", "wrong_version", "it depends on notes>=9"),
        ("foreign_table", "foreign_table", "must begin with 'foreign_table_'"),
    ],
)
def test_an_addon_that_was_refused_changes_nothing_and_is_listed_as_quarantined(
    notes_shop: Any, site: Any, name: str, culprit: str, reason: str
) -> None:
    site.install(*{name, "hen"})
    before = state.read_state()
    with pytest.raises(AddonError, match="is quarantined"):
        lifecycle.enable(notes_shop, name)
    assert state.read_state() == before
    told = next(item for item in listing(notes_shop) if item.name == name)
    assert told.state == "quarantined"
    assert told.fault is not None
    assert told.fault.culprit == culprit
    assert reason in told.fault.reason


def test_a_dependency_that_nobody_has_is_refused_with_a_remedy_that_can_be_followed(
    empty_shop: Any, site: Any
) -> None:
    site.install("missing_dependency")
    with pytest.raises(AddonError, match="unicorns") as caught:
        lifecycle.enable(empty_shop, "missing_dependency")
    # Unicorns were never enabled, so telling the operator to disable them leads nowhere.
    assert "addons disable unicorns" not in str(caught.value)
    told = next(item for item in listing(empty_shop) if item.name == "missing_dependency")
    assert "addons disable unicorns" not in str(told.fault)


def test_a_failing_migration_leaves_nothing_behind(empty_shop: Any, site: Any) -> None:
    site.install("failing_migration")
    before, schema = state.read_state(), tables(empty_shop)
    with pytest.raises(AddonError, match="failing_migration"):
        lifecycle.enable(empty_shop, "failing_migration")
    assert tables(empty_shop) == schema
    assert state.read_state() == before
    assert states(empty_shop)["failing_migration"] == "quarantined"


def test_a_dependency_whose_migration_fails_takes_the_whole_change_back(
    empty_shop: Any, site: Any
) -> None:
    site.install("notes", "failing_migration")
    site.write("greedy", fields='{"depends": ("failing_migration", "notes")}')
    before, schema = state.read_state(), tables(empty_shop)
    with pytest.raises(AddonError, match="failing_migration"):
        lifecycle.enable(empty_shop, "greedy")
    assert (state.read_state(), tables(empty_shop)) == (before, schema)


def test_a_refused_addon_that_was_mended_can_be_enabled(empty_shop: Any, site: Any) -> None:
    site.install("plugin_raises")
    with pytest.raises(AddonError):
        lifecycle.enable(empty_shop, "plugin_raises")
    (site.package("plugin_raises") / "plugin.py").write_text('"""Mended."""\n')
    assert lifecycle.enable(empty_shop, "plugin_raises").addons == ("plugin_raises",)
    empty_shop.refresh()
    assert states(empty_shop)["plugin_raises"] == "enabled"


def test_enabling_an_enabled_addon_that_is_still_broken_is_refused(
    notes_shop: Any, site: Any
) -> None:
    site.install("plugin_raises")
    site.write_down_as_enabled("plugin_raises")
    with pytest.raises(AddonError, match="no such thing as a shop"):
        lifecycle.enable(notes_shop, "plugin_raises")


@pytest.mark.parametrize(
    ("there", "newcomer"), [("loner", "notes"), ("same_route", "notes"), ("ledger_page", "ledger")]
)
def test_a_newcomer_that_would_push_out_an_enabled_addon_is_refused(
    empty_shop: Any, site: Any, there: str, newcomer: str
) -> None:
    # Assembled together, the one that was there before would be the one that is quarantined.
    site.install(there, newcomer)
    lifecycle.enable(empty_shop, there)
    with pytest.raises(AddonError, match=there):
        lifecycle.enable(empty_shop, newcomer)
    assert empty_shop.refresh().faults == {}
    assert state.read_state().enabled == ("accounts", there)


def test_an_addon_whose_package_is_gone_is_quarantined_and_can_be_disabled(
    notes_shop: Any, site: Any
) -> None:
    site.uninstall("notes")
    fault = notes_shop.refresh().faults["notes"]
    assert fault.reason == "its package is not installed"
    assert status(notes_shop, "/api/v1/auth/me") == 401
    lifecycle.disable(notes_shop, "notes")
    assert notes_shop.refresh().faults == {}


def test_a_disabled_addon_was_written_down_with_its_version(notes_shop: Any) -> None:
    lifecycle.disable(notes_shop, "notes")
    row = AddonRow.get_by_id("notes")
    assert (row.enabled, row.version, row.fault) == (False, "1.2.0", None)


def test_the_jobs_of_a_disabled_addon_are_parked_and_resumed_once(
    notes_shop: Any, rebind: Follow, worker_of: Any
) -> None:
    job = JobRow.get(JobRow.name == "notes.count_words")
    lifecycle.disable(notes_shop, "notes")
    rebind()
    assert JobRow.get_by_id(job.id).status == "parked"
    assert worker_of(notes_shop) == 0
    lifecycle.enable(notes_shop, "notes")
    rebind()
    assert JobRow.get_by_id(job.id).status == "queued"
    assert worker_of(notes_shop) == 1
    assert JobRow.get_by_id(job.id).status == "succeeded"
    assert worker_of(notes_shop) == 0


def test_a_job_that_a_dead_worker_held_is_parked_while_its_addon_is_disabled(
    notes_shop: Any, rebind: Follow, worker_of: Any
) -> None:
    held = JobRow.get(JobRow.name == "notes.count_words")
    past = now() - timedelta(seconds=1)
    JobRow.update(status="running", attempts=1, lease_until=past).execute()
    lifecycle.disable(notes_shop, "notes")
    rebind()
    Sweeper(notes_shop).sweep()
    assert JobRow.get_by_id(held.id).status == "parked"
    lifecycle.enable(notes_shop, "notes")
    # Given back by somebody who had not seen yet that it was enabled.
    JobRow.update(status="parked").execute()
    rebind()
    Sweeper(notes_shop).sweep()
    assert JobRow.get_by_id(held.id).status == "queued"
    assert worker_of(notes_shop) == 1


def test_jobs_that_ended_are_not_resumed(notes_shop: Any, rebind: Follow, worker_of: Any) -> None:
    worker_of(notes_shop)
    lifecycle.disable(notes_shop, "notes")
    lifecycle.enable(notes_shop, "notes")
    rebind()
    assert worker_of(notes_shop) == 0


def test_jobs_of_other_addons_are_not_parked(empty_shop: Any, site: Any, rebind: Follow) -> None:
    site.install("notes", "pins")
    lifecycle.enable(empty_shop, "pins")
    rebind()
    with empty_shop.transaction():
        site.module("notes", "writing").write_note("Stay")
    lifecycle.disable(empty_shop, "pins")
    assert [row.status for row in JobRow.select()] == ["queued"]


def test_jobs_parked_while_a_migration_was_pending_go_on_after_it_ran(
    notes_shop: Any, site: Any, rebind: Follow
) -> None:
    later = site.package("notes") / "migrations" / "0002_later.py"
    later.write_text("def up(migrator, db): pass\n")
    site.forget()
    site.install("walls", "pins")
    site.write("other")
    lifecycle.enable(notes_shop, "other")
    assert [row.status for row in JobRow.select()] == ["parked"]
    lifecycle.prepare(notes_shop)
    assert [row.status for row in JobRow.select()] == ["queued"]


def test_of_two_operators_one_succeeds_and_the_other_is_told_who_is_at_work(
    empty_shop: Any, site: Any
) -> None:
    site.install("notes", "ledger")
    with operator_lock(empty_shop, "enable ledger"), pytest.raises(Busy, match="enable ledger by"):
        lifecycle.enable(empty_shop, "notes")
    assert lifecycle.enable(empty_shop, "notes").addons == ("notes",)


def test_another_process_sees_the_change(empty_shop: Any, site: Any, terminal: Any) -> None:
    site.install("notes")
    done = terminal.run("addons", "enable", "notes")
    assert done.returncode == 0, done.stderr
    assert state.read_generation() > empty_shop.assembly.generation
    empty_shop.refresh()
    assert status(empty_shop, "/api/v1/notes") == 200
