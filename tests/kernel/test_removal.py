"""Uninstalling archives, purging leaves no trace, and a crash leaves nothing half done."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bodega import state
from bodega.addons import journal, lifecycle, removal
from bodega.database.connection import is_postgres
from bodega.database.tables import AddonRow, JournalRow, LedgerRow, SettingRow, SubscriptionRow
from bodega.errors import AddonError, OperatorError, PlanDrift


def schema(shop: Any) -> list[Any]:
    """Return all definitions in the database, comparable."""
    database = shop.databases.shop
    if not is_postgres(database):
        rows = database.execute_sql("SELECT name, sql FROM sqlite_master ORDER BY name")
        return list(rows.fetchall())
    columns = database.execute_sql(
        "SELECT table_name, column_name, data_type, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    )
    indexes = database.execute_sql(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    )
    return [*columns.fetchall(), *indexes.fetchall()]


def rows(shop: Any, table: str = "notes_note") -> list[Any]:
    found = shop.databases.shop.execute_sql(f"SELECT * FROM {table} ORDER BY id").fetchall()
    return list(found)


def fill(shop: Any, number: int) -> None:
    from bodega_sample_notes.models import Note

    for count in range(number):
        Note.create(title=f"Note {count} with 'quotes', \"more\" and ünïcode")


def test_uninstall_and_restore_bring_every_row_back(notes_shop: Any) -> None:
    fill(notes_shop, 1000)
    SettingRow.create(name="notes.longest", value=70)
    before = rows(notes_shop)
    change = lifecycle.apply(notes_shop, "uninstall", "notes")
    assert "notes_note" not in notes_shop.databases.shop.get_tables()
    assert SettingRow.get_or_none(SettingRow.name == "notes.longest") is None
    lifecycle.apply(notes_shop, "install", "notes")
    assert rows(notes_shop) == []
    restored = lifecycle.restore(notes_shop, Path(change.archives[0]))
    assert restored.rows["notes_note"] == len(before)
    assert rows(notes_shop) == before
    assert SettingRow.get_by_id("notes.longest").value == 70


def test_a_purge_leaves_the_schema_as_if_it_had_never_been_there(
    empty_shop: Any, site: Any
) -> None:
    before, ledger = schema(empty_shop), LedgerRow.select().count()
    site.install("notes")
    lifecycle.enable(empty_shop, "notes")
    empty_shop.refresh()
    fill(empty_shop, 10)
    assert schema(empty_shop) != before
    assert lifecycle.apply(empty_shop, "purge", "notes").archives == ()
    assert schema(empty_shop) == before
    assert LedgerRow.select().count() == ledger
    assert AddonRow.get_or_none(AddonRow.name == "notes") is None


def test_an_archive_names_the_files_and_restoring_tells_which_are_gone(
    notes_shop: Any, tmp_path: Path
) -> None:
    kept = notes_shop.settings.home / "files" / "notes" / "scans"
    kept.mkdir(parents=True)
    for name in ("a.png", "b.png", "c.png"):
        (kept / name).write_bytes(b"12345")
    path = Path(lifecycle.apply(notes_shop, "uninstall", "notes").archives[0])
    listed = json.loads(zipfile.ZipFile(path).read("archive.json"))["media"]
    assert listed[0] == {"path": "scans/a.png", "bytes": 5}
    assert [item["path"] for item in listed] == ["scans/a.png", "scans/b.png", "scans/c.png"]
    (kept / "b.png").unlink()
    (kept / "c.png").write_bytes(b"cut")
    lifecycle.apply(notes_shop, "install", "notes")
    assert lifecycle.restore(notes_shop, path).missing == ["scans/b.png", "scans/c.png"]


def test_an_addon_without_tables_can_be_restored_too(empty_shop: Any, site: Any) -> None:
    site.write("plain", fields="settings=(Setting('size', int, default=1, help='Size'),)")
    lifecycle.enable(empty_shop, "plain")
    SettingRow.create(name="plain.size", value=5)
    path = Path(lifecycle.apply(empty_shop, "uninstall", "plain").archives[0])
    with pytest.raises(AddonError, match="'plain' is not installed"):
        lifecycle.restore(empty_shop, path)
    lifecycle.enable(empty_shop, "plain")
    assert lifecycle.restore(empty_shop, path).rows == {}
    assert SettingRow.get_by_id("plain.size").value == 5


def test_a_purge_takes_the_files_of_all_that_it_purges(empty_shop: Any, site: Any) -> None:
    site.install("notes", "pins")
    lifecycle.enable(empty_shop, "pins")
    folders = [empty_shop.settings.home / "files" / name for name in ("notes", "pins", "other")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "x").touch()
    lifecycle.apply(empty_shop, "purge", "notes", cascade=True)
    assert [folder.exists() for folder in folders] == [False, False, True]


def test_a_view_on_its_tables_keeps_an_addon_and_the_reason_is_told(
    notes_shop: Any, engine: str
) -> None:
    database = notes_shop.databases.shop
    database.execute_sql("CREATE VIEW report AS SELECT id FROM notes_note")
    if engine == "postgres":
        with pytest.raises(AddonError, match=r"tables of notes cannot be dropped: .*view.*drop"):
            lifecycle.apply(notes_shop, "purge", "notes")
        assert "notes" in state.read_state().enabled
    database.execute_sql("DROP VIEW report")
    lifecycle.apply(notes_shop, "purge", "notes")


def test_a_purge_forgets_what_the_addon_had_read_of_the_log(notes_shop: Any) -> None:
    package = notes_shop.catalogue.manifests["notes"].package
    assert package == "bodega_sample_notes"
    SubscriptionRow.create(name=f"product.created>{package}.x.handler", offset=3)
    lifecycle.apply(notes_shop, "purge", "notes")
    assert not SubscriptionRow.select().where(SubscriptionRow.name.contains(package)).exists()


def test_an_addon_whose_package_is_gone_can_be_uninstalled(notes_shop: Any, site: Any) -> None:
    fill(notes_shop, 3)
    site.uninstall("notes")
    change = lifecycle.apply(notes_shop, "uninstall", "notes")
    assert Path(change.archives[0]).exists()
    assert "notes_note" not in notes_shop.databases.shop.get_tables()


def test_what_others_need_is_not_uninstalled(empty_shop: Any, site: Any) -> None:
    site.install("notes", "pins")
    lifecycle.enable(empty_shop, "pins")
    lifecycle.disable(empty_shop, "pins")
    with pytest.raises(AddonError, match="pins cannot do without notes; uninstall it first"):
        lifecycle.apply(empty_shop, "uninstall", "notes")
    change = lifecycle.apply(empty_shop, "uninstall", "notes", cascade=True)
    assert change.addons == ("notes", "pins") or set(change.addons) == {"pins", "notes"}
    assert len(change.archives) == 2


def test_a_plan_shows_what_is_done_and_does_nothing(empty_shop: Any, site: Any) -> None:
    site.install("notes")
    before, generation = schema(empty_shop), state.read_generation()
    plan = lifecycle.plan(empty_shop, "enable", "notes")
    assert (schema(empty_shop), state.read_generation()) == (before, generation)
    assert [step.verb for step in plan.steps] == ["install", "enable"]
    assert any("CREATE TABLE" in text and "notes_note" in text for text in plan.steps[0].statements)
    assert "GET /notes" in plan.added["route"]
    assert plan.removed == {}
    assert json.dumps(plan.as_json())
    assert lifecycle.apply_plan(empty_shop, plan.id).addons == ("notes",)


def test_a_plan_is_refused_when_the_shop_has_changed(empty_shop: Any, site: Any) -> None:
    site.install("notes", "ledger")
    plan = lifecycle.plan(empty_shop, "enable", "notes")
    lifecycle.enable(empty_shop, "ledger")
    before = state.read_state()
    with pytest.raises(PlanDrift, match="no longer as it was"):
        lifecycle.apply_plan(empty_shop, plan.id)
    assert state.read_state() == before


def test_the_plan_of_an_uninstall_names_the_rows_that_would_go(notes_shop: Any) -> None:
    fill(notes_shop, 5)
    there = len(rows(notes_shop))
    plan = lifecycle.plan(notes_shop, "uninstall", "notes")
    assert plan.lost["notes_note"].rows == there
    assert [step.verb for step in plan.steps] == ["disable", "uninstall"]
    assert "GET /notes" in plan.removed["route"]
    assert any("DROP TABLE" in text for text in plan.steps[1].statements)


@pytest.mark.parametrize("place", ["wait_until_drained", "remove", "archive_for"])
def test_a_failure_on_the_way_takes_everything_back(
    notes_shop: Any, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    fill(notes_shop, 3)
    before = (schema(notes_shop), rows(notes_shop), state.read_state().enabled)

    def fail(*_: Any) -> None:
        raise OperatorError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(removal, place, fail)
        with pytest.raises(OperatorError, match="the disk is full"):
            lifecycle.apply(notes_shop, "uninstall", "notes")
    assert (schema(notes_shop), rows(notes_shop), state.read_state().enabled) == before
    assert not list((notes_shop.settings.home / "archives").glob("*"))
    assert lifecycle.apply(notes_shop, "uninstall", "notes").addons == ("notes",)


def test_what_a_killed_operator_left_is_taken_back_by_the_next(
    notes_shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (schema(notes_shop), rows(notes_shop), state.read_state().enabled)

    class Killed(BaseException):
        """Stands for SIGKILL: nothing runs after it in this process."""

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(removal, "wait_until_drained", die)
        patch.setattr(journal, "recover", lambda shop: False)
        with pytest.raises(Killed):
            lifecycle.apply(notes_shop, "uninstall", "notes")
    assert state.read_state().enabled != before[2]
    assert JournalRow.select().count() == 1
    assert lifecycle.recover(notes_shop)
    assert (schema(notes_shop), rows(notes_shop), state.read_state().enabled) == before
    assert not lifecycle.recover(notes_shop)


def test_a_damaged_archive_restores_nothing(notes_shop: Any) -> None:
    fill(notes_shop, 50)
    path = Path(lifecycle.apply(notes_shop, "uninstall", "notes").archives[0])
    data = bytearray(path.read_bytes())
    data[len(data) // 4] ^= 0xFF
    path.write_bytes(data)
    lifecycle.apply(notes_shop, "install", "notes")
    with pytest.raises(OperatorError):
        lifecycle.restore(notes_shop, path)
    assert rows(notes_shop) == []
