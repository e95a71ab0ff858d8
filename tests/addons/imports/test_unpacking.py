"""Archives: the one file in them is read, and no bomb fills disk or memory."""

import gzip
import io
import os
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from bodega.database.tables import SettingRow
from bodega.shop import Shop
from bodega_imports.files import open_file
from bodega_imports.records import UnreadableFile
from bodega_products.models import Product

GOOD = b"sku,name,price\nL-1,Lamp,29.99\nC-1,Chair,99.00\n"


def zipped(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return target.getvalue()


def with_flag(archive: bytes) -> bytes:
    """Return a zip of one member, which says that it is encrypted."""
    data, directory = bytearray(archive), archive.index(b"PK\x01\x02")
    data[6] |= 1
    data[directory + 8] |= 1
    return bytes(data)


def bomb(megabytes: int) -> bytes:
    """Return a gzip of so many megabytes of nothing, made without having them."""
    packer = zlib.compressobj(9, wbits=31)
    nothing = b"x" * 1_000_000
    return b"".join(packer.compress(nothing) for _ in range(megabytes)) + packer.flush()


def lines(folder: Path, data: bytes, largest: int = 2_000_000_000) -> list[list[str]]:
    """Return the values of a file."""
    path = folder / "file.data"
    path.write_bytes(data)
    try:
        with open_file(path, largest=largest) as file:
            return [record.values for record in file]
    finally:
        assert [one.name for one in folder.iterdir()] == ["file.data"]


WELL_PACKED = {
    "a gzip of several members": gzip.compress(GOOD[:20]) + gzip.compress(GOOD[20:]),
    "a gzip with padding": gzip.compress(GOOD) + b"\0" * 40_000,
    "a gzip with an empty member": gzip.compress(b"") + gzip.compress(GOOD),
    "a zip that is not packed": zipped(("p.csv", GOOD), how=zipfile.ZIP_STORED),
    "a zip with a comment before it": b"PK\x03\x04" + zipped(("p.csv", GOOD)),
}


def test_archives_of_one_file_are_read(tmp_path: Path) -> None:
    for name, data in WELL_PACKED.items():
        assert [values[0] for values in lines(tmp_path, data)] == ["L-1", "C-1"], name


_TAR = bytearray(1024)
_TAR[257:262] = b"ustar"
REFUSED = {
    "no file": (zipped(), "holds no file"),
    "a folder alone": (zipped(("folder/", b""), ("__MACOSX/x", b"y")), "holds no file"),
    "several files": (zipped(("a.csv", GOOD), ("b.csv", GOOD)), r"2 files \(a.csv, b.csv\)"),
    "a password": (with_flag(zipped(("a.csv", GOOD))), "has a password"),
    "an unusual packing": (zipped(("a.csv", GOOD), how=zipfile.ZIP_BZIP2), "unusual way"),
    "an archive in it": (zipped(("a.zip", zipped(("a.csv", GOOD)))), "another archive"),
    "a gzip of a gzip": (gzip.compress(gzip.compress(GOOD)), "another archive"),
    "a zip in a gzip": (gzip.compress(zipped(("a.csv", GOOD))), "another archive"),
    "a tar in a gzip": (gzip.compress(bytes(_TAR)), r"an archive \(tar\)"),
    "a picture in a zip": (zipped(("a.csv", b"\x89PNG\r\n\x1a\n")), "a picture"),
    "a gzip cut off": (gzip.compress(GOOD)[:-9], "broken .it ends too early"),
    "a gzip with a wrong checksum": (gzip.compress(GOOD)[:-8] + b"12345678", "packed and broken"),
    "a gzip and junk": (gzip.compress(GOOD) + b"junk", "packed and broken"),
    "the beginning of a gzip": (b"\x1f\x8b\x08", "packed and broken"),
    "a zip cut off": (zipped(("a.csv", GOOD))[:-30], "packed and broken"),
    "a zip with a wrong checksum": (
        zipped(("a.csv", GOOD), how=zipfile.ZIP_STORED).replace(b"Lamp", b"Lump"), "Bad CRC"
    ),
    "nothing in a gzip": (gzip.compress(b""), "The file is empty"),
    "a word document": (zipped(("word/document.xml", b"<x/>")), r"a text document \(.docx\)"),
    "an OpenDocument table": (zipped(("META-INF/manifest.xml", b"")), r"file \(.ods\)"),
    "a binary workbook": (zipped(("xl/workbook.bin", b"")), r"\.xlsb"),
}  # fmt: skip


def test_what_is_no_archive_of_one_file_is_refused(tmp_path: Path) -> None:
    for name, (data, message) in REFUSED.items():
        with pytest.raises(UnreadableFile, match=message):
            pytest.fail(f"{name}: {lines(tmp_path, data)}")


def test_a_bomb_is_refused_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bodega_imports.unpacking.UNSUSPECTED", 1_000_000)
    written = 0
    write = zlib.decompressobj

    def counted(*given: Any, **named: Any) -> Any:
        unpacker = write(*given, **named)

        class Counted:
            eof = property(lambda _: unpacker.eof)
            unused_data = property(lambda _: unpacker.unused_data)
            unconsumed_tail = property(lambda _: unpacker.unconsumed_tail)

            def decompress(self, *given: Any) -> bytes:
                nonlocal written
                piece = unpacker.decompress(*given)
                written += len(piece)
                return piece

        return Counted()

    monkeypatch.setattr("bodega_imports.unpacking.zlib.decompressobj", counted)
    packed = bomb(30)
    with pytest.raises(UnreadableFile, match="more than 200 times its size"):
        lines(tmp_path, packed)
    assert 0 < written < max(1_000_000, len(packed) * 200) + (1 << 19)


def test_a_bomb_in_a_zip_is_refused_whatever_it_says_of_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_imports.unpacking.UNSUSPECTED", 1_000_000)
    data = zipped(("a.csv", b"x" * 8_000_000))
    with pytest.raises(UnreadableFile, match="more than 200 times its size"):
        lines(tmp_path, data)
    # It says that it has ten bytes: no more are taken, and the checksum tells.
    lying = data.replace(struct.pack("<L", 8_000_000), struct.pack("<L", 10))
    with pytest.raises(UnreadableFile, match="Bad CRC"):
        lines(tmp_path, lying)


def test_a_file_may_not_be_unpacked_to_more_than_the_limit(tmp_path: Path) -> None:
    data = b"sku,name\n" + os.urandom(1_500_000).hex().encode() + b",A\n"
    with pytest.raises(UnreadableFile, match="more than 2 MB"):
        lines(tmp_path, gzip.compress(data, 1), largest=2_000_000)
    assert len(lines(tmp_path, gzip.compress(GOOD), largest=2_000_000)) == 2


def test_a_table_of_contents_without_end_is_refused(tmp_path: Path) -> None:
    many = zipped(*[(f"{number:06}" + "x" * 60, b"") for number in range(12_000)])
    with pytest.raises(UnreadableFile, match="table of contents is too large"):
        lines(tmp_path, many)


@pytest.mark.slow
def test_memory_stays_small_while_a_file_is_unpacked(tmp_path: Path) -> None:
    rows = b"".join(b"%d,Name of %d,1.00\n" % (number, number) for number in range(600_000))
    data = gzip.compress(b"sku,name,price\n" + rows, 1)
    (tmp_path / "file.data").write_bytes(data)
    tracemalloc.start()
    try:
        with open_file(tmp_path / "file.data") as file:
            assert sum(1 for _ in file) == 600_000
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
        (tmp_path / "file.data").write_bytes(bomb(300))
        tracemalloc.reset_peak()
        with pytest.raises(UnreadableFile), open_file(tmp_path / "file.data"):
            pytest.fail("it is a bomb")
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_shop_refuses_a_bomb_and_stays_as_it_was(shop: Shop, admin: Any, worker: Any) -> None:
    SettingRow.create(name="imports.largest_unpacked_mb", value=1)
    shop.refresh()
    begun = admin.post(
        "/api/v1/imports",
        body=gzip.compress(GOOD + b"X,Y,1\n" * 200_000),
        headers={"Content-Type": "application/gzip"},
    )
    worker.run()
    run = admin.get(f"/api/v1/imports/{begun.json['id']}").json
    assert run["status"] == "failed"
    assert "more than 1 MB" in run["message"]
    assert Product.select().count() == 0
