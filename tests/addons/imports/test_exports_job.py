"""The job of an export, and its file: whole or not there, resumable, and only one's own."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bodega.database import outbox
from bodega.database.tables import JobRow
from bodega.jobs import administration
from bodega_accounts import sessions
from bodega_accounts.models import Account, Organization
from bodega_imports import exporting
from bodega_imports.export_commands import export_file
from bodega_imports.export_jobs import delete_old_exports
from bodega_imports.export_models import Export
from bodega_imports.exporting import exports_folder
from bodega_products.models import Product
from bodega_sdk import now, read_log, transaction, uuid7
from bodega_sdk.bulk import insert_rows
from bodega_sdk.snapshots import snapshot
from bodega_sdk.testing.client import Client

EXPORTS = "/api/v1/exports"


def fill(number: int, **fields: Any) -> None:
    """Make many products."""
    names = ("id", "name", "slug", "sku", "sku_key", "description", "price_minor", "currency",
             "search_text", "image_url", "is_active", "is_featured")  # fmt: skip
    rows = [
        (uuid7(), f"Lamp {at}", f"lamp-{at}", f"S-{at:05}", f"s-{at:05}", "x" * 100, at, "USD",
         "", "", True, False)
        for at in range(number)
    ]  # fmt: skip
    with transaction():
        insert_rows(Product, names, rows, same={"created_at": now(), "updated_at": now()} | fields)


@pytest.fixture
def file(admin: Any, worker: Any) -> str:
    """The address of the file of an export."""
    fill(50)
    run = admin.post(EXPORTS, {}).expect(202)
    worker.run()
    return f"{EXPORTS}/{run['id']}/file"


# The file.


def test_a_download_is_resumed_where_it_broke_off(admin: Any, file: str) -> None:
    whole = admin.get(file)
    data, tag = whole.content, whole.headers["ETag"]
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert whole.headers["Content-Disposition"].startswith('attachment; filename="products-')
    size = len(data)
    for asked, part in (
        ("bytes=0-99", data[:100]), ("bytes=100-", data[100:]), ("bytes=-7", data[-7:]),
        (f"bytes=10-{size + 5}", data[10:]), (f"bytes=-{size + 5}", data), ("bytes=0-0", data[:1]),
    ):  # fmt: skip
        answer = admin.get(file, headers={"Range": asked, "If-Range": tag})
        assert answer.content == part, asked
        assert answer.status_code == (206 if len(part) < size else 200), asked
    assert answer.headers["Content-Range"] == f"bytes 0-0/{size}"
    for headers in (
        {"Range": "bytes=5-", "If-Range": '"another"'}, {"Range": "bytes=5-3"},
        {"Range": "lines=1-2"}, {"Range": "bytes=0-1,5-6"}, {"Range": "bytes=-"},
    ):  # fmt: skip
        answer = admin.get(file, headers=headers)
        assert (answer.status_code, answer.content) == (200, data), headers
    for asked in (f"bytes={size}-", "bytes=-0"):
        answer = admin.get(file, headers={"Range": asked})
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
    head = admin.request("HEAD", file)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(size)
    assert admin.get(file, headers={"If-None-Match": tag}).status_code == 304
    assert admin.get(file, headers={"If-Match": tag}).status_code == 200
    assert admin.get(file, headers={"If-Match": '"another"'}).status_code == 412


def test_files_are_swept_and_deleted(admin: Any, worker: Any, file: str) -> None:
    run = Export.get()
    (exports_folder() / "left.csv.part").write_text("x")
    old = time.time() - 2 * 86_400
    os.utime(exports_folder() / "left.csv.part", (old, old))
    _sweep(worker)
    assert [path.name for path in exports_folder().iterdir()] == [run.stored]
    Export.update(expires_at=now() - timedelta(minutes=1)).execute()
    _sweep(worker)
    assert list(exports_folder().iterdir()) == []
    assert admin.get(f"{EXPORTS}/{run.id}").json["status"] == "expired"
    assert admin.get(file).status_code == 404
    again = admin.post(EXPORTS, {}).expect(202)
    worker.run()
    assert len(list(exports_folder().iterdir())) == 1
    assert admin.delete(f"{EXPORTS}/{again['id']}").status_code == 204
    assert list(exports_folder().iterdir()) == []
    assert admin.get(f"{EXPORTS}/{again['id']}").status_code == 404


def _sweep(worker: Any) -> None:
    with transaction():
        delete_old_exports.enqueue()
    worker.run()


def test_the_oldest_file_goes_when_there_are_too_many(admin: Any, worker: Any, shop: Any) -> None:
    admin.put("/api/v1/settings/imports.exports_kept", {"value": 2}).expect(200)
    shop.refresh()
    for _ in range(3):
        admin.post(EXPORTS, {}).expect(202)
        worker.run()
    states = [run["status"] for run in admin.get(EXPORTS).json["results"]]
    assert states == ["completed", "completed", "expired"]
    assert len(list(exports_folder().iterdir())) == 2


def test_so_many_exports_are_waiting_and_no_more(admin: Any) -> None:
    for _ in range(10):
        admin.post(EXPORTS, {}).expect(202)
    answer = admin.post(EXPORTS, {})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


# The job.


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let an export go on in small steps; the event is set when it has begun."""
    begun = threading.Event()
    write = exporting._Exporting._tick

    def tick(self: Any, rows: int) -> None:
        begun.set()
        time.sleep(0.01)
        write(self, rows)

    monkeypatch.setattr(exporting, "_PAUSE", 0.02)
    monkeypatch.setattr("bodega_sdk.snapshots._BATCH", 50)
    monkeypatch.setattr("bodega_imports.export_formats.BLOCK", 1 << 12)
    monkeypatch.setattr(exporting._Exporting, "_tick", tick)
    return begun


def test_progress_is_told_and_only_grows(
    admin: Any, worker: Any, shop: Any, slowly: threading.Event
) -> None:
    fill(2000)
    run = admin.post(EXPORTS, {"compression": "gzip"}).expect(202)
    worker.run()
    outbox.relay(shop.databases.shop)
    events = [item for item in read_log(0, 1000) if item.name.startswith("export.")]
    rows = [item.data["processed_rows"] for item in events]
    assert len(events) > 5
    assert rows == sorted(rows)
    assert (rows[0], rows[-1]) == (0, 2000)
    assert [item.name for item in events][-2:] == ["export.progressed", "export.completed"]
    assert {item.key for item in events} == {run["id"]}


@pytest.mark.parametrize("how", ["cancelled", "deleted"])
def test_who_cancels_or_deletes_an_export_stops_it(
    admin: Any, shop: Any, worker: Any, slowly: threading.Event, how: str
) -> None:
    fill(3000)
    run = admin.post(EXPORTS, {}).expect(202)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert slowly.wait(10)
    if how == "cancelled":
        administration.cancel(shop, JobRow.get(JobRow.name == "imports.export_products").id)
    else:
        admin.delete(f"{EXPORTS}/{run['id']}")
    began = time.monotonic()
    thread.join(10)
    assert time.monotonic() - began < 1
    assert list(exports_folder().iterdir()) == []
    shown = admin.get(f"{EXPORTS}/{run['id']}")
    assert shown.status_code == 404 or shown.json["status"] == "failed"


def test_an_export_whose_worker_died_begins_anew_and_is_whole(
    admin: Any, worker: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(100)
    expected = _done(admin, worker)
    run = admin.post(EXPORTS, {}).expect(202)
    for step in ("_write", "_complete"):

        def die(self: Any, *args: Any) -> None:
            self._part.with_suffix(".left").write_bytes(b"half")
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr(exporting._Exporting, step, die)
            worker.run()
        JobRow.update(run_at=now()).where(JobRow.id == run["id"]).execute()
    worker.run()
    done = admin.get(f"{EXPORTS}/{run['id']}").json
    assert done["status"] == "completed"
    assert admin.get(f"{EXPORTS}/{run['id']}/file").content == expected
    assert Export.get_by_id(run["id"]).stored == f"{run['id']}.3.csv"


KILLED = """
import os, signal, sys
from pathlib import Path
from bodega.http.app import build_app
from bodega.jobs.runner import Runner
from bodega.shop import Shop
from bodega_imports import export_formats, exporting
from bodega_sdk import snapshots
from bodega_sdk.testing.shop import settings_for

def die(self, rows):
    if rows > 1000:
        os.kill(os.getpid(), signal.SIGKILL)

exporting._Exporting._tick = die
snapshots._BATCH, export_formats.BLOCK = 50, 1 << 12
shop = Shop(settings_for(Path(sys.argv[1]), sys.argv[2]), build_app, connections=5)
shop.refresh()
Runner(shop, "killed", threads=1).run_next("bulk")
"""


@pytest.mark.slow
def test_an_export_whose_worker_is_killed_ends_with_one_whole_file(
    admin: Any, worker: Any, shop: Any
) -> None:
    fill(2000)
    expected = _done(admin, worker)
    run = admin.post(EXPORTS, {}).expect(202)
    told = [str(shop.settings.home), shop.settings.database_url]
    died = subprocess.run([sys.executable, "-c", KILLED, *told], check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    (left,) = exports_folder().glob("*.part")
    assert 0 < left.stat().st_size < len(expected)
    assert admin.get(f"{EXPORTS}/{run['id']}/file").status_code == 409
    JobRow.update(lease_until=now() - timedelta(1)).where(JobRow.id == run["id"]).execute()
    worker.expire_leases()
    worker.run()
    assert admin.get(f"{EXPORTS}/{run['id']}/file").content == expected
    assert Export.get_by_id(run["id"]).stored == f"{run['id']}.2.csv"


def _done(who: Any, worker: Any, **options: Any) -> bytes:
    run = who.post(EXPORTS, options).expect(202)
    worker.run()
    answer = who.get(f"{EXPORTS}/{run['id']}/file")
    assert answer.status_code == 200, answer.text
    content: bytes = answer.content
    return content


def test_an_export_sees_the_shop_at_one_moment(shop: Any) -> None:
    fill(10)
    with snapshot() as before:
        assert list(before.rows("SELECT count(*) FROM products_product")) == [(10,)]
        Product.update(name="Chair").execute()
        names = {name for (name,) in before.rows("SELECT name FROM products_product")}
    assert "Chair" not in names
    with snapshot() as after, pytest.raises(Exception, match="read"):
        after._connection.cursor().execute("DELETE FROM products_product")


# Whose.


@pytest.fixture
def vendor_of(client: Client) -> Callable[[Organization], Client]:
    """Return a client of a vendor of an organization."""

    def make(organization: Organization) -> Client:
        account = Account.create(
            email=f"{organization.name}@shop.example", role="vendor", password="-",
            preferences={}, organization=organization,
        )  # fmt: skip
        with transaction():
            pair = sessions.begin(account, "127.0.0.1", "test")
        return Client(client.gate, client.shop, pair["access"])

    return make


def test_a_vendor_exports_their_own_products_only(
    vendor_of: Any, admin: Any, client: Any, worker: Any
) -> None:
    acme, bolt = Organization.create(name="acme"), Organization.create(name="bolt")
    for sku, organization in (("A-1", acme), ("B-1", bolt), ("S-1", None)):
        Product.create(sku=sku, sku_key=sku.lower(), name=sku, slug=sku.lower(), price_minor=1,
                       currency="USD", organization=organization and organization.id,
                       is_active=False)  # fmt: skip
    ours, theirs = vendor_of(acme), vendor_of(bolt)
    wanted = {"columns": ["sku"]}
    assert _done(ours, worker, **wanted) == b"sku\nA-1\n"
    assert _done(admin, worker, **wanted) == b"sku\nA-1\nB-1\nS-1\n"
    for run in admin.get(EXPORTS).json["results"]:
        assert theirs.get(f"{EXPORTS}/{run['id']}").status_code == 404
        assert theirs.get(f"{EXPORTS}/{run['id']}/file").status_code == 404
        assert theirs.delete(f"{EXPORTS}/{run['id']}").status_code == 404
    others = {"columns": ["sku"], "filters": {"organization": str(bolt.id)}}
    assert _done(ours, worker, **others) == b"sku\n"
    denied = ours.post(EXPORTS, {"columns": ["sku", "cost"]})
    assert (denied.status_code, denied.json["errors"][0]["field"]) == (403, "columns.1")
    costly = admin.post(EXPORTS, {"columns": ["cost"]}).expect(202)
    Export.update(organization=acme.id).where(Export.id == costly["id"]).execute()
    worker.run()
    assert ours.get(f"{EXPORTS}/{costly['id']}/file").status_code == 403
    assert client.post(EXPORTS, {}).status_code == 401


# The command.


def test_the_command_writes_a_file_or_to_standard_output(shop: Any, tmp_path: Path) -> None:
    fill(3)
    path = tmp_path / "some.tsv.gz"
    path.write_bytes(b"old")
    done = CliRunner().invoke(
        export_file, [str(path), "--columns", "sku,price", "--filter", "price_min=0.01", "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["status"], told["total_rows"], told["format"]) == ("completed", 2, "tsv")
    assert gzip.decompress(path.read_bytes()) == b"sku\tprice\nS-00001\t0.01\nS-00002\t0.02\n"
    assert [item.name for item in tmp_path.iterdir() if "some" in item.name] == ["some.tsv.gz"]
    printed = CliRunner().invoke(export_file, ["-", "--format", "jsonl", "--columns", "sku"])
    # The log of the job that the command runs itself is on the same stream here.
    assert b'{"sku":"S-00000"}\n{"sku":"S-00001"}\n{"sku":"S-00002"}\n' in printed.stdout_bytes
    for wrong, named in (
        (["--columns", "nothing"], "nothing"), (["--filter", "colour"], "NAME=VALUE"),
        (["--filter", "colour=red"], "colour"), (["--delimiter", "x"], "delimiter"),
    ):  # fmt: skip
        refused = CliRunner().invoke(export_file, [str(path), *wrong])
        assert refused.exit_code != 0, wrong
        assert named in refused.output, (wrong, refused.output)
