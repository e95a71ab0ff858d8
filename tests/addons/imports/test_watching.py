"""The watched folder: what is taken from it, when, by how many, and where it is put."""

import os
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from bodega.database.tables import JobRow, SettingRow
from bodega.shop import Shop
from bodega_imports import watching
from bodega_imports.models import Import
from bodega_imports.watching import DONE, FAILED, TAKEN, Watcher
from bodega_sdk import now, uuid7
from bodega_sdk.runtime import bound

GOOD = b"sku,name,price\nL-1,Lamp,29.99\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder to watch."""
    made = tmp_path / "watched"
    made.mkdir()
    return made


def names(place: Path) -> list[str]:
    """Return what is in the folder itself, without the folders below it."""
    return sorted(item.name for item in place.iterdir() if item.name not in (TAKEN, DONE, FAILED))


def below(place: Path, name: str) -> list[str]:
    return sorted(item.name for item in (place / name).iterdir())


def at_once(place: Path) -> Watcher:
    """Return a watcher that waits for nothing."""
    return Watcher(place, settling=0.0)


def test_a_file_is_imported_and_put_away_with_the_id_of_its_import(
    shop: Shop, place: Path, admin: Any, worker: Any
) -> None:
    (place / "good.csv").write_bytes(GOOD)
    (place / "BAD.CSV").write_bytes(b"a,b\n1,2\n")
    (place / "empty.csv").touch()
    watcher = at_once(place)
    watcher.look()
    assert names(place) == []
    assert len(below(place, TAKEN)) == 3
    worker.run()
    watcher.look()
    runs = {run.filename: run for run in Import.select()}
    good, bad, empty = runs["good.csv"], runs["BAD.CSV"], runs["empty.csv"]
    assert (good.status, good.created, good.size) == ("completed", 1, len(GOOD))
    assert (good.source, good.started_by, good.organization) == ("watched folder", "folder", None)
    assert (bad.status, empty.status) == ("failed", "failed")
    assert empty.message == "The file is empty."
    assert below(place, TAKEN) == []
    assert below(place, DONE) == [f"{good.id}-good.csv"]
    assert below(place, FAILED) == sorted([f"{bad.id}-BAD.CSV", f"{empty.id}-empty.csv"])
    assert (place / DONE / f"{good.id}-good.csv").read_bytes() == GOOD
    shown = admin.get(f"/api/v1/imports/{good.id}").json
    assert (shown["source"], shown["filename"]) == ("watched folder", "good.csv")


def test_a_file_that_still_changes_is_left_alone(
    shop: Shop, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: clock[0])
    watcher = Watcher(place, settling=5.0)
    growing, part = place / "growing.csv", place / "whole.csv.part"
    part.write_bytes(GOOD)
    for second in range(0, 12, 2):
        clock[0] = second
        growing.write_bytes(GOOD * (second + 1))
        watcher.look()
        assert names(place) == ["growing.csv", "whole.csv.part"]
    clock[0] = 14.0
    watcher.look()
    assert "growing.csv" in names(place), "it has not been left for long enough"
    part.rename(place / "whole.csv")
    watcher.look()
    assert names(place) == ["growing.csv"], "whoever renames it says that it is whole"
    clock[0] = 16.0
    watcher.look()
    assert names(place) == []
    assert Import.select().count() == 2


def test_what_is_no_file_to_import_is_never_touched(shop: Shop, place: Path) -> None:
    outside = place.parent / "outside.csv"
    outside.write_bytes(GOOD)
    (place / "link.csv").symlink_to(outside)
    (place / "folder.csv").mkdir()
    os.mkfifo(place / "pipe.csv")
    for name in (".hidden.csv", "a.csv.part", "notes.pdf", "passwd"):
        (place / name).write_bytes(GOOD)
    before, watcher = names(place), at_once(place)
    with capture_logs() as logs:
        for _ in range(3):
            watcher.look()
    assert names(place) == before
    assert Import.select().count() == 0
    assert [(item["event"], item["name"]) for item in logs] == [
        ("links are not imported", "link.csv")
    ]
    # Nor what a link that was put in the place of a file which was taken leads to.
    made = uuid7()
    (place / TAKEN / f"{made}-x.csv").symlink_to(outside)
    watcher.look()
    run = Import.get_by_id(made)
    assert (run.status, run.message.startswith("The file cannot be read")) == ("failed", True)
    watcher.look()
    assert below(place, FAILED) == [f"{made}-x.csv"]
    assert outside.read_bytes() == GOOD


def test_names_of_files_are_shown_but_cannot_lead_astray(shop: Shop, place: Path) -> None:
    strange = [b"\xff\xfe.csv", "Größe.csv".encode(), b"a;rm -rf.csv", b"x" * 250 + b".csv",
               b"new\nline.csv"]  # fmt: skip
    for name in strange:
        Path(os.fsdecode(os.fsencode(place) + b"/" + name)).write_bytes(GOOD)
    at_once(place).look()
    assert names(place) == []
    shown = {run.filename for run in Import.select()}
    assert len(shown) == len(strange)
    assert {"Größe.csv", "a;rm -rf.csv"} <= shown
    assert all(len(name) <= 255 for name in shown)


def test_several_workers_import_a_file_once(shop: Shop, place: Path, worker: Any) -> None:
    expected = {f"{number}.csv" for number in range(12)}
    for name in expected:
        (place / name).write_bytes(GOOD)
    barrier = threading.Barrier(3)

    def watch() -> None:
        with bound(shop.current):
            watcher = at_once(place)
            barrier.wait()
            for _ in range(3):
                watcher.look()
        shop.databases.close()

    threads = [threading.Thread(target=watch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.filename for run in Import.select()) == sorted(expected)
    assert JobRow.select().where(JobRow.name == "imports.import_file").count() == len(expected)
    for _ in expected:  # One after the other: who comes too early is tried again.
        JobRow.update(run_at=now()).where(JobRow.status == "queued").execute()
        worker.run()
    at_once(place).look()
    assert len(below(place, DONE)) == len(expected)


def test_what_a_dead_worker_had_taken_is_gone_on_with(
    shop: Shop, place: Path, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "good.csv").write_bytes(GOOD)

    def die(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(watching, "begin_import", die)
        with pytest.raises(SystemExit):
            at_once(place).look()
    (taken,) = below(place, TAKEN)
    assert Import.select().count() == 0
    at_once(place).look()
    assert str(Import.get().id) == taken[:36]
    # And once its job is gone for good, it has failed.
    JobRow.update(status="dead").where(JobRow.id == UUID(taken[:36])).execute()
    at_once(place).look()
    assert below(place, FAILED) == [taken]


def test_a_folder_that_cannot_be_used_is_told_once(shop: Shop, place: Path) -> None:
    missing, relative = Watcher(place / "nowhere"), Watcher(Path("imports"))
    with capture_logs() as logs:
        for _ in range(3):
            missing.look()
            relative.look()
    assert len(logs) == 2
    assert "No such file" in logs[0]["problem"]
    assert "whole path" in logs[1]["problem"]
    (place / "nowhere").mkdir()
    with capture_logs() as logs:
        missing.look()
        (place / "nowhere" / "x.csv").write_bytes(GOOD)
        missing.look()
    assert logs == []


class Waiting:
    """A run of a service that ends after some looks."""

    stopping = False

    def __init__(self, looks: int) -> None:
        self._left = looks

    def wait(self, seconds: float) -> bool:
        self._left -= 1
        return self._left < 0


def test_the_setting_says_which_folder_is_watched(
    shop: Shop, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SETTLING", 0.0)
    (place / "good.csv").write_bytes(GOOD)
    watching.watch(Waiting(5))
    assert names(place) == ["good.csv"], "no folder is watched unless one is named"
    SettingRow.create(name="imports.watched_folder", value=f" {place} ")
    shop.refresh()
    with bound(shop.current):
        watching.watch(Waiting(1))
        assert names(place) == []
    assert shop.assembly.services["imports.watcher"].run is watching.watch
