"""Who fails or is killed in the middle leaves everything as it was."""

import hashlib
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.backup.commands import command
from tests.kernel.backup.contents import everything, nothing_is_there, rows_of
from tests.kernel.backup.marks import ONE_ENGINE, Fresh
from tests.kernel.backup.resealing import resealed

from bodega.backup import restore_backup, write_backup
from bodega.bundles import INDEX
from bodega.errors import OperatorError
from bodega.settings import Settings
from bodega.shop import Shop


def test_a_restore_that_fails_at_its_end_leaves_everything_as_it_was(
    filled: Shop, bundle: Path, fresh: Fresh, opened: Any
) -> None:
    def twice(members: dict[str, bytes]) -> None:
        """Bring in an account twice, in a file that is otherwise in order."""
        told = json.loads(members[INDEX])
        [entry] = [item for item in told["tables"] if item["table"] == "accounts_account"]
        members[entry["member"]] *= 2
        entry["rows"] *= 2
        entry["sha256"] = hashlib.sha256(members[entry["member"]]).hexdigest()
        members[INDEX] = json.dumps(told).encode()

    bad, before, other = resealed(bundle, twice), everything(filled), opened(fresh())
    with pytest.raises(OperatorError, match=r"accounts_account cannot be loaded: .*(?i:unique)"):
        restore_backup(other, bad)
    assert nothing_is_there(other)
    again = opened(filled.settings)
    with pytest.raises(OperatorError, match="cannot be loaded"):
        restore_backup(again, bad, replace=True)
    assert everything(again) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from bodega.backup import restore_backup, write_backup
from bodega.settings import read_settings
from bodega.shop import Shop

calls = int(sys.argv[3])

def progress(what, done, of):
    global calls
    calls -= 1
    if calls == 0 or what == "done":
        os.kill(os.getpid(), signal.SIGKILL)

shop, path = Shop(read_settings(), connections=3), Path(sys.argv[2])
if sys.argv[1] == "backup":
    write_backup(shop, path, overwrite=True, progress=progress)
else:
    restore_backup(shop, path, replace=True, progress=progress)
"""


def killed(settings: Settings, verb: str, path: Path, calls: int) -> None:
    """Kill a process that backs up or restores, at a moment of its progress."""
    done = command(settings, verb, str(path), str(calls), run=("-c", KILLED))
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("calls", [2, 9, 1000])
def test_who_is_killed_leaves_the_shop_and_the_file_as_they_were(
    filled: Shop, bundle: Path, calls: int
) -> None:
    """Killed while files are unpacked, while tables are loaded, and just before the commit."""
    whole = bundle.read_bytes()
    killed(filled.settings, "backup", bundle, calls)
    assert bundle.read_bytes() == whole
    filled.databases.shop.execute_sql("CREATE TABLE later (id INTEGER PRIMARY KEY)")
    (filled.settings.home / "files" / "later").write_text("later")
    before = everything(filled)
    killed(filled.settings, "restore", bundle, calls)
    assert everything(filled) == before
    restore_backup(filled, bundle, replace=True)
    assert "later" not in rows_of(filled.databases.shop)
    assert not (filled.settings.home / "restoring").exists()


@ONE_ENGINE
def test_files_go_back_when_the_commit_fails(filled: Shop, bundle: Path) -> None:
    """A row that points to none is found when everything is in its place already."""

    def orphan(members: dict[str, bytes]) -> None:
        told = json.loads(members[INDEX])
        [entry] = [item for item in told["tables"] if item["table"] == "imports_import"]
        members[entry["member"]], entry["rows"] = b"", 0
        entry["sha256"] = hashlib.sha256(b"").hexdigest()
        members[INDEX] = json.dumps(told).encode()

    (filled.settings.home / "files" / "later").write_text("later")
    before = everything(filled)
    with pytest.raises(OperatorError, match=r"imports_(bad_row|change)"):
        restore_backup(filled, resealed(bundle, orphan), replace=True)
    assert everything(filled) == before
    assert not [path for path in filled.settings.home.iterdir() if path.name.startswith("re")]


@ONE_ENGINE
def test_a_backup_that_fails_leaves_no_file(filled: Shop, bundle: Path, tmp_path: Path) -> None:
    before = bundle.read_bytes()

    def fail(what: str, done: int, of: int) -> None:
        if done == of // 2:
            raise OSError(28, "No space left on device")

    with pytest.raises(OperatorError, match=r"cannot write the backup: No space left.*; see that"):
        write_backup(filled, bundle, overwrite=True, progress=fail)
    assert bundle.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(OperatorError, match=r"cannot write .*nowhere/shop\.zip\.part: No such"):
        write_backup(filled, tmp_path / "nowhere" / "shop.zip")
    with pytest.raises(OperatorError, match="keep backups outside"):
        write_backup(filled, filled.settings.home / "files" / "shop.zip")


@ONE_ENGINE
def test_a_part_that_a_killed_process_left_is_written_over(filled: Shop, tmp_path: Path) -> None:
    part = tmp_path / "shop.zip.part"
    part.write_bytes(b"left" * 1_000_000)
    write_backup(filled, tmp_path / "shop.zip")
    assert not part.exists()
    assert (tmp_path / "shop.zip").stat().st_size < 1_000_000
    refused: list[str] = []

    def second(what: str, done: int, of: int) -> None:
        if not refused:
            with pytest.raises(OperatorError, match="is being written by another"):
                write_backup(filled, tmp_path / "other.zip")
            refused.append(what)

    write_backup(filled, tmp_path / "other.zip", progress=second)
    assert refused
