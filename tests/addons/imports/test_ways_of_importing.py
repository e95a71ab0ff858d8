"""Dry runs, all or nothing, cancelling, the turn, the report of bad rows, and history."""

import csv
import hashlib
import io
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bodega.database import outbox
from bodega.database.tables import JobRow
from bodega_imports import importing, report, staging, telling
from bodega_imports.models import Import
from bodega_imports.staging import Staging
from bodega_products.models import Product
from bodega_sdk import database, job_state, now, read_log

PATH = "/api/v1/imports"
CSV = {"Content-Type": "text/csv"}
HEADER = "sku,name,slug,price,is_active\n"
#: Two products that are there, before what the tests import.
THERE = HEADER + "A,Lamp,lamp,10.00,true\nB,Chair,chair,20.00,true\n"
#: One as it is, one changed, two new ones of which one takes what another row frees, and three
#: that cannot be: a price, a slug that is taken, one that a row before has.
FILE = HEADER + (
    "A,Lamp,light,10.00,true\n"
    "B,Chair,chair,20.00,true\n"
    "C,Table,lamp,30.00,true\n"
    "D,Desk,desk,40.00,false\n"
    "E,Shelf,shelf,cheap,true\n"
    "F,Stool,chair,5.00,true\n"
    "G,Bench,desk,6.00,true\n"
)
COUNTS = ("total_rows", "created", "updated", "unchanged", "superseded", "errors")
Sent = Callable[..., dict[str, Any]]


@pytest.fixture
def sent(admin: Any, worker: Any) -> Sent:
    """Import a text; return the import when its job has ended."""

    def send(text: str, query: str = "") -> dict[str, Any]:
        begun = admin.post(f"{PATH}{query}", headers=CSV, body=text.encode()).expect(202)
        worker.run()
        shown: dict[str, Any] = admin.get(f"{PATH}/{begun['id']}").expect(200)
        return shown

    return send


def _table() -> list[tuple[Any, ...]]:
    query = Product.select(Product.sku, Product.name, Product.slug, Product.price_minor)
    return sorted(query.tuples())


def _write_at_a_time(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    real = importing.setting
    monkeypatch.setattr(
        importing, "setting", lambda name: rows if name == "imports.chunk_rows" else real(name)
    )


def _counts(run: dict[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in COUNTS}


@pytest.mark.parametrize("rows", [1, 500])
@pytest.mark.parametrize("slugs", [True, False])
def test_a_dry_run_tells_what_the_real_one_does_and_changes_nothing(
    sent: Sent, monkeypatch: pytest.MonkeyPatch, rows: int, slugs: bool
) -> None:
    _write_at_a_time(monkeypatch, rows)
    text = FILE if slugs else re.sub(r"(?m)^(\w+,\w+),\w+,", r"\1,", FILE)
    sent(THERE)
    before = _table()
    dry = sent(text, "?dry_run=true")
    assert dry["status"] == "completed"
    assert dry["dry_run"] is True
    assert _table() == before
    real = sent(text)
    assert _counts(dry) == _counts(real)
    assert real["created"] > 0
    # What a row frees is free for those that are written in a later transaction.
    assert real["errors"] == (1 if not slugs else 3 if rows == 1 else 4)
    assert _table() != before


def test_all_or_nothing_is_nothing_when_a_row_is_bad(sent: Sent) -> None:
    sent(THERE)
    before = _table()
    for text in (FILE, FILE.replace("cheap", "50.00")):
        run = sent(text, "?atomic=true")
        assert run["status"] == "failed"
        assert "all or none" in run["message"]
        assert (run["created"], run["updated"]) == (0, 0)
        assert run["errors"] > 0
        assert _table() == before


def test_all_or_nothing_is_all_when_every_row_is_good(sent: Sent) -> None:
    sent(THERE)
    run = sent(HEADER + "A,Lamp,light,10.00,true\nC,Table,table,30.00,true\n", "?atomic=true")
    assert (run["status"], run["created"], run["updated"]) == ("completed", 1, 1)
    assert ("C", "Table", "table", 3000) in _table()


def test_all_or_nothing_tells_how_far_it_is(
    sent: Sent, engine: str, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_at_a_time(monkeypatch, 1)
    monkeypatch.setattr(telling, "PAUSE", 0)
    real = importing.products.upsert

    def upsert(*args: Any) -> Any:
        time.sleep(0.1)
        return real(*args)

    monkeypatch.setattr(importing.products, "upsert", upsert)
    run = sent(HEADER + "".join(f"S-{n},Lamp,lamp-{n},1.00,true\n" for n in range(5)), "?atomic=1")
    assert (run["status"], run["created"], run["processed_rows"]) == ("completed", 5, 5)
    outbox.relay(shop.databases.shop)
    events = [item.data for item in read_log(0, 1000) if item.name == "import.progressed"]
    rows = list(dict.fromkeys((told["processed_rows"], told["created"]) for told in events))
    # What is not committed is processed, but not created; SQLite's one writer is busy.
    between = [(count, 0) for count in range(1, 6)] if engine == "postgres" else []
    assert rows == [(0, 0), *between, (5, 5)]


def test_the_report_is_corrected_and_imported_again(admin: Any, sent: Sent) -> None:
    sent(THERE)
    run = sent(FILE)
    answer = admin.get(f"{PATH}/{run['id']}/report")
    assert answer.status_code == 200
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["sku"] for row in rows] == ["C", "E", "F", "G"]
    assert rows[1]["import_error"].startswith("price: expected a plain decimal")
    fixed = answer.text
    for wrong, right in (("cheap", "50.00"), ("chair", "stool"), ("desk", "bench"), ("lamp", "l2")):
        fixed = fixed.replace(f",{wrong},", f",{right},")
    again = sent(fixed.removeprefix("\ufeff"))
    assert (again["created"], again["errors"]) == (4, 0)
    assert again["ignored_columns"] == ["import_error"]
    admin.get(f"{PATH}/{again['id']}/report").expect(404)


ODD = HEADER + (
    "A,Lamp,,10.00,true\n"
    "B,Ch\0air,,20.00,true\n"
    "C,Table\n"
    "D,Desk,,1.00,true,,\n"
    "E,Shelf,,cheap,true,further\n"
    'F,"Two\nlines",,5.00,perhaps\n'
    'G,Bench",,6.00,true\n'
    'H,"Sto"ol,,6.00,true\n'
    "I,'=1+1,,'-1,true\n"
)


@pytest.mark.parametrize(
    ("text", "again"),
    [(ODD, False), (f"{ODD}J,{'long' * 5000},,1.00,true\n", True),
     (f"{ODD}K,Lamp,bulk,1.00,true\n", True)],
)  # fmt: skip
def test_the_report_is_the_same_whether_or_not_the_file_is_read_again(
    admin: Any, sent: Sent, monkeypatch: pytest.MonkeyPatch, text: str, again: bool
) -> None:
    read: list[Import] = []
    real = report._read_again
    monkeypatch.setattr(report, "_read_again", lambda run: read.append(run) or real(run))
    kept = admin.get(f"{PATH}/{sent(text)['id']}/report").text
    assert bool(read) is again
    monkeypatch.setattr(Staging, "kept", lambda *_: None)
    run = sent(text)
    assert run["errors"] == len(list(csv.DictReader(io.StringIO(kept)))) > 5
    assert admin.get(f"{PATH}/{run['id']}/report").text == kept


def test_so_many_bad_rows_are_kept_and_the_file_is_read_for_more(
    admin: Any, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "_MOST", 3)
    run = sent(HEADER + "".join(f"S-{n},Lamp,,cheap,true\n" for n in range(2500)))
    text = admin.get(f"{PATH}/{run['id']}/report").text
    assert len(text.splitlines()) == 2501
    assert {"S-0", "S-2499"} < set(re.findall(r"^S-\d+", text, re.MULTILINE))


def test_an_import_that_waits_is_cancelled(admin: Any, worker: Any) -> None:
    begun = admin.post(PATH, headers=CSV, body=THERE.encode()).expect(202)
    shown = admin.post(f"{PATH}/{begun['id']}/cancel").expect(200)
    assert shown["status"] == "cancelled"
    worker.run()
    assert _table() == []
    refused = admin.post(f"{PATH}/{begun['id']}/cancel")
    assert refused.status_code == 409
    assert "ended already" in refused.json["detail"]


def test_an_import_that_runs_is_cancelled_and_what_was_written_stays(
    admin: Any, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HEADER + "".join(f"S-{number},Thing,s-{number},1.00,true\n" for number in range(300))
    begun = admin.post(PATH, headers=CSV, body=text.encode()).expect(202)
    _write_at_a_time(monkeypatch, 100)
    run = Import.get_by_id(begun["id"])
    saved = importing._Importing._write

    def write(self: Any, chunk: Any, turn: Any) -> None:
        saved(self, chunk, turn)
        if self._run.processed_rows == 100:
            admin.post(f"{PATH}/{run.id}/cancel").expect(200)

    monkeypatch.setattr(importing._Importing, "_write", write)
    worker.run()
    shown = admin.get(f"{PATH}/{run.id}").expect(200)
    assert (shown["status"], shown["created"]) == ("cancelled", 100)
    assert len(_table()) == 100
    assert job_state(run.id).status == "cancelled"


def test_imports_take_their_turns(admin: Any, worker: Any) -> None:
    first = admin.post(PATH, headers=CSV, body=THERE.encode()).expect(202)
    second = admin.post(PATH, headers=CSV, body=FILE.encode()).expect(202)
    # The first one waits for a second try, as behind a failure.
    JobRow.update(run_at=now() + timedelta(days=1)).where(JobRow.id == first["id"]).execute()
    worker.run()
    assert admin.get(f"{PATH}/{second['id']}").json["status"] == "queued"
    assert job_state(second["id"]).attempts == 0
    admin.post(f"{PATH}/{first['id']}/cancel").expect(200)
    JobRow.update(run_at=now()).where(JobRow.id == second["id"]).execute()
    worker.run()
    assert admin.get(f"{PATH}/{second['id']}").json["status"] == "completed"


def test_the_history_says_who_what_and_how_long(admin: Any, sent: Sent) -> None:
    run = sent(THERE)
    assert run["sha256"] == hashlib.sha256(THERE.encode()).hexdigest()
    assert run["started_by"]
    assert run["created_at"] <= run["started_at"] <= run["finished_at"]
    assert run["read_rows"] == 2
    assert run["read_bytes"] == run["whole_bytes"] == run["size"]
    assert run["remaining_seconds"] is None


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_the_database_knows_of_the_products_while_they_come(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = (
        "SELECT reltuples, (SELECT count(*) FROM pg_stats WHERE tablename = relname) FROM pg_class"
    )
    told += " WHERE relname = 'products_product'"
    assert database.execute_sql(told).fetchone() == (-1, 0)
    sent(HEADER + "A,Lamp,lamp,10.00,true\n")
    # For a few it is not worth its time.
    assert database.execute_sql(told).fetchone() == (-1, 0)
    monkeypatch.setattr(importing, "_LOOKED_AT", 1)
    sent(HEADER + "B,Chair,chair,20.00,true\n")
    count, columns = database.execute_sql(told).fetchone()
    assert count == 2
    # How many rows have been deleted, for one: none, not the 99.5 % that it would guess.
    assert columns > 20
