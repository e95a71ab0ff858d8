"""What is damaged, no backup, or of another shop is refused, and nothing is written."""

import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.backup.contents import nothing_is_there
from tests.kernel.backup.marks import ONE_ENGINE, Fresh
from tests.kernel.backup.resealing import index, resealed

from bodega.backup import read_info, restore_backup
from bodega.database.connection import is_postgres
from bodega.errors import OperatorError


def test_a_flipped_byte_is_refused_wherever_it_is_and_nothing_is_written(
    bundle: Path, fresh: Fresh, opened: Any
) -> None:
    other, whole = opened(fresh()), bundle.read_bytes()
    chance = random.Random(7)
    places = {0, 5, len(whole) - 1, len(whole) - 70, len(whole) - 100}
    places |= {chance.randrange(len(whole)) for _ in range(40)}
    for place in sorted(places):
        content = bytearray(whole)
        content[place] ^= 1 << chance.randrange(8)
        bundle.write_bytes(content)
        with pytest.raises(OperatorError, match=r"is damaged|is not a backup"):
            restore_backup(other, bundle)
    assert nothing_is_there(other)


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99, -1, -64, -86, -120])
@ONE_ENGINE
def test_a_file_that_is_cut_off_is_refused(
    bundle: Path, fresh: Fresh, opened: Any, kept: float
) -> None:
    whole = bundle.read_bytes()
    bundle.write_bytes(whole[: int(kept * len(whole)) if kept >= 0 else int(kept)])
    other = opened(fresh())
    with pytest.raises(OperatorError, match="is cut off"):
        restore_backup(other, bundle)
    with pytest.raises(OperatorError, match="is cut off"):
        read_info(bundle)
    assert nothing_is_there(other)


def test_what_is_no_backup_is_refused(tmp_path: Path, fresh: Fresh, opened: Any) -> None:
    other = opened(fresh())
    (tmp_path / "notes.txt").write_text("not a zip file")
    with zipfile.ZipFile(tmp_path / "any.zip", "w") as archive:
        archive.writestr("a", "b")
    for name in ("notes.txt", "any.zip"):
        with pytest.raises(OperatorError, match=f"{name} is not a backup of Bodega"):
            restore_backup(other, tmp_path / name)
    for name in ("none.zip", "."):
        with pytest.raises(OperatorError, match=r"cannot read .*; name a file"):
            restore_backup(other, tmp_path / name)


@ONE_ENGINE
def test_a_newer_format_is_refused_naming_the_version(
    bundle: Path, fresh: Fresh, opened: Any
) -> None:
    newer = resealed(bundle, index(lambda told: told.update(format=2, bodega="9.0")))
    with pytest.raises(
        OperatorError, match=r"has format 2, .* reads 1; restore it with Bodega 9\.0"
    ):
        restore_backup(opened(fresh()), newer)


def test_another_engine_is_refused(bundle: Path, fresh: Fresh, opened: Any) -> None:
    other = opened(fresh())
    here = "PostgreSQL" if is_postgres(other.databases.shop) else "SQLite"
    engine = "sqlite" if here == "PostgreSQL" else "postgresql"
    alien = resealed(bundle, index(lambda told: told.update(engine=engine)))
    with pytest.raises(OperatorError, match=f"and this one runs on {here}; (un)?set DATABASE_URL"):
        restore_backup(other, alien)
    assert nothing_is_there(other)


@ONE_ENGINE
def test_a_backup_of_a_newer_kernel_is_refused(bundle: Path, fresh: Fresh, opened: Any) -> None:
    def later(told: dict[str, Any]) -> None:
        told["migrations"]["bodega"].append("0999_later")

    with pytest.raises(OperatorError, match=r"0999_later of bodega had run .*; install Bodega"):
        restore_backup(opened(fresh()), resealed(bundle, index(later)))


@ONE_ENGINE
def test_a_file_outside_its_folder_is_refused(bundle: Path, fresh: Fresh, opened: Any) -> None:
    for path in ("../outside", "/outside", "a/../../outside"):
        evil = resealed(bundle, index(lambda told, path=path: told["files"][0].update(path=path)))
        with pytest.raises(OperatorError, match="outside its folder"):
            restore_backup(opened(fresh()), evil)
    assert not list(bundle.parent.rglob("outside"))
