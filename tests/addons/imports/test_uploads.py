"""Uploads: files of every kind, well and badly sent, and what the import says of them."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from bodega.database.tables import JobRow, SettingRow
from bodega.shop import Shop
from bodega_imports.models import Import
from bodega_sdk import folder

PATH = "/api/v1/imports"
GOOD = b"sku,name,price\nL-1,Lamp,29.99\nC-1,Chair,99.00\n"
CSV = {"Content-Type": "text/csv"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def part(data: bytes, disposition: str = 'name="file"; filename="x.csv"') -> bytes:
    """Return one part of a form."""
    head = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode("latin-1") + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    """Return the body of a form."""
    return b"".join(parts) + b"--b--\r\n"


Uploaded = Callable[..., dict[str, Any]]


@pytest.fixture
def uploaded(admin: Any, worker: Any) -> Uploaded:
    """Upload a file, run its job and return what the import says; the counts must add up."""

    def upload(data: bytes, headers: dict[str, str] = CSV) -> dict[str, Any]:
        begun = admin.post(PATH, body=data, headers=headers)
        assert begun.status_code == 202, begun.text
        assert begun.json["status"] == "queued"
        assert begun.headers["Location"] == f"{PATH}/{begun.json['id']}"
        worker.run()
        run: dict[str, Any] = admin.get(f"{PATH}/{begun.json['id']}").json
        if run["status"] == "completed":
            names = ("created", "updated", "unchanged", "superseded", "errors")
            assert sum(run[name] for name in names) == run["total_rows"] == run["processed_rows"]
        return run

    return upload


@pytest.fixture
def bad_rows(admin: Any) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of an import that were refused."""

    def read(run: dict[str, Any]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = admin.get(f"{PATH}/{run['id']}/errors").json["results"]
        assert all(row["line"] > 0 and row["reason"] for row in rows)
        return rows

    return read


def _counts(run: dict[str, Any]) -> tuple[str, int, int, int]:
    return run["status"], run["total_rows"], run["created"], run["errors"]


# Files that are read.

_TEXT = "sku,name,price\nL-1,Café,29.99\nC-1,Çhair,99.00\n"
READABLE = {
    "UTF-8": _TEXT.encode(),
    "UTF-8 with a BOM": _TEXT.encode("utf-8-sig"),
    "UTF-16": _TEXT.encode("utf-16"),
    "UTF-16, big end first": b"\xfe\xff" + _TEXT.encode("utf-16-be"),
    "latin-1": _TEXT.encode("latin-1"),
    "semicolons": _TEXT.replace(",", ";").encode(),
    "tabs": _TEXT.replace(",", "\t").encode(),
    "bars": _TEXT.replace(",", "|").encode(),
    "CRLF": _TEXT.replace("\n", "\r\n").encode(),
    "CR": _TEXT.replace("\n", "\r").encode(),
    "no last line end": _TEXT.rstrip("\n").encode(),
    "empty lines": _TEXT.replace("\n", "\n\n").encode(),
    "quotes": b'"sku","name","price"\n"L-1","Caf\xc3\xa9","29.99"\n"C-1","\xc3\x87hair","99.00"\n',
    "other columns": _TEXT.replace("\n", ",x\n").encode(),
}


def test_a_readable_file_becomes_products(admin: Any, uploaded: Uploaded) -> None:
    for name, data in READABLE.items():
        run = uploaded(data)
        assert (run["status"], run["total_rows"], run["errors"]) == ("completed", 2, 0), name
        found = admin.get("/api/v1/products").json["results"]
        assert {item["name"] for item in found} == {"Café", "Çhair"}, name
        for item in found:
            admin.delete(f"/api/v1/products/{item['id']}")


SENT: tuple[tuple[bytes, dict[str, str]], ...] = (
    (GOOD, {"Content-Type": "text/csv; charset=utf-8"}),
    (GOOD, {"Content-Type": "TEXT/CSV"}),
    (GOOD, {"Content-Type": "application/octet-stream"}),
    (GOOD.replace(b",", b"\t"), {"Content-Type": "text/tab-separated-values"}),
    (form(part(GOOD)), FORM),
    (form(*[part(b"x", f'name="f{number}"') for number in range(20)], part(GOOD)), FORM),
    (b"a preamble\r\n" + form(part(GOOD)) + b"an epilogue", FORM),
    (form(part(GOOD), part(b"sku,name,price\nX,X,1\n")), FORM),
)


def test_a_file_is_taken_as_the_body_or_as_a_part(uploaded: Uploaded) -> None:
    for data, headers in SENT:
        run = uploaded(data, headers)
        assert (run["status"], run["total_rows"], run["errors"]) == ("completed", 2, 0), data


def test_a_file_sent_again_changes_nothing(admin: Any, uploaded: Uploaded) -> None:
    uploaded(GOOD)
    before = admin.get("/api/v1/products").json
    again = uploaded(GOOD)
    assert (again["unchanged"], again["created"], again["updated"]) == (2, 0, 0)
    assert admin.get("/api/v1/products").json == before


def test_a_body_in_chunks_is_taken_like_one_with_a_length(admin: Any) -> None:
    for data, headers in ((GOOD, CSV), (form(part(GOOD)), FORM)):
        status, body = _sent(admin, data, headers["Content-Type"], length=None)
        assert status == 202, body
        assert Import.get_by_id(json.loads(body)["id"]).size == len(GOOD)


def _sent(admin: Any, data: bytes, media: str, length: int | None) -> tuple[int, bytes]:
    """Send a body whose length is another one, or unknown as that of a body in chunks."""
    headers = {"Authorization": f"Bearer {admin.token}", "Content-Type": media}
    environ = testing.create_environ(PATH, method="POST", headers=headers)
    environ |= {"wsgi.input": io.BytesIO(data), "wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    started: list[str] = []
    body = b"".join(admin.gate(environ, lambda status, headers: started.append(status)))
    return int(started[0][:3]), body


# Files that are refused by the import.

_HEADER = b"sku,name,price\n"
UNREADABLE = {
    "only a header": (_HEADER, "no records"),
    "only line ends": (b"\n\n\n", "empty"),
    "only blanks": (b"   \n  ", ""),
    "no known column": (b"a,b,c\n1,2,3\n", "sku"),
    "no name": (b"sku,price\nA,1\n", "name"),
    "no SKU": (b"name,price\nA,1\n", "SKU"),
    "a name twice": (b"sku,name,name\nA,B,C\n", "more than once"),
    "half UTF-16": (b"\xff\xfes\0k", ""),
    "zeros": (b"\0" * 5000, ""),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, ""),
    "a spreadsheet": (b"PK\x03\x04" + bytes(range(256)) * 40, ""),
    "an open quote in the header": (b'sku,"name,price\nA,B,1\n', ""),
    "a page": (b"<!doctype html><html><body>Not found</body></html>\n", ""),
    "a line of a megabyte": (b"sku,name," + b"x" * 2**20, ""),
}


def test_a_file_that_cannot_be_read_fails_and_says_why(admin: Any, uploaded: Uploaded) -> None:
    for name, (data, told) in UNREADABLE.items():
        run = uploaded(data)
        assert run["status"] == "failed", name
        assert run["message"], name
        assert told in run["message"], name
        assert "Traceback" not in run["message"], name
        assert run["finished_at"], name
    assert admin.get("/api/v1/products").json["count"] == 0


# Rows that are refused.

ROWS: list[tuple[bytes, str, str]] = [
    (b"A,,1", "name", ""),
    (b",A,1", "sku", ""),
    (b"A,B,", "price", ""),
    (b"A,B,-1", "price", "-1"),
    (b"A,B,NaN", "price", "NaN"),
    (b"A,B,1e5", "price", "1e5"),
    (b"A,B,Infinity", "price", "Infinity"),
    (b'A,B,"1,5"', "price", "1,5"),
    (b"A,B,1.999", "price", "1.999"),
    (b"A,B,$5", "price", "$5"),
    (b"A,B," + b"9" * 5000, "price", "9" * 200),
    (b"x" * 101 + b",B,1", "sku", "x" * 101),
    (b"A," + b"x" * 256 + b",1", "name", "x" * 200),
    (b"A\0A,B,1", "sku", "A␀A"),
    (b"A,B", "price", ""),
    (b"A,B,1,surplus", "(column 4)", "surplus"),
    (b"'; DROP TABLE products_product; --,B,x", "price", "x"),
]


def test_a_bad_row_is_listed_and_the_others_are_imported(uploaded: Uploaded, bad_rows: Any) -> None:
    for row, column, value in ROWS:
        run = uploaded(GOOD + row + b"\nZ-1,Last,1\n")
        assert (run["status"], run["total_rows"], run["errors"]) == ("completed", 4, 1), row[:50]
        (found,) = bad_rows(run)
        assert (found["line"], found["column"], found["value"]) == (4, column, value), row[:50]


def test_a_quote_that_is_never_closed_costs_one_row(uploaded: Uploaded, bad_rows: Any) -> None:
    run = uploaded(GOOD + b'Q-1,"15"" screen,1\nZ-1,Last,1\nY-1,Really,2\n')
    assert _counts(run) == ("completed", 5, 4, 1)
    (found,) = bad_rows(run)
    assert found["line"] == 4
    assert "quote" in found["reason"]


def test_every_bad_cell_of_a_row_is_listed_but_the_row_counts_once(
    uploaded: Uploaded, bad_rows: Any
) -> None:
    run = uploaded(b"sku,name,price,currency\nA,,x,EURO\nB,B,1,EUR\n")
    assert _counts(run) == ("completed", 2, 1, 1)
    assert [row["column"] for row in bad_rows(run)] == ["name", "price", "currency"]


def test_the_last_of_several_rows_of_one_sku_wins(admin: Any, uploaded: Uploaded) -> None:
    run = uploaded(b"sku,name,price\nA,One,1\na,Two,2\n A ,Three,3\n")
    assert (run["created"], run["superseded"]) == (1, 2)
    assert [p["name"] for p in admin.get("/api/v1/products").json["results"]] == ["Three"]


def test_two_products_of_one_slug_are_told_apart(uploaded: Uploaded, bad_rows: Any) -> None:
    run = uploaded(b"sku,name,price,slug\nA,One,1,same\nB,Two,2,same\n")
    assert _counts(run) == ("completed", 2, 1, 1)
    assert bad_rows(run)[0]["column"] == "slug"


# Uploads that are refused.


def _left_behind() -> tuple[int, int, int]:
    """Count the imports, the jobs and the files that there are."""
    return Import.select().count(), JobRow.select().count(), len(list(folder("imports").iterdir()))


REFUSED: dict[str, tuple[bytes, dict[str, str], int]] = {
    "an empty body": (b"", CSV, 400),
    "an empty part": (form(part(b"")), FORM, 400),
    "XML": (b"<a/>", {"Content-Type": "application/xml"}, 415),
    "no media type": (GOOD, {"Content-Type": ""}, 415),
    "another media type": (GOOD, {"Content-Type": "text/html"}, 415),
    "a media type of garbage": (GOOD, {"Content-Type": ";;;\xff"}, 415),
    "another part": (form(part(GOOD, 'name="upload"; filename="x.csv"')), FORM, 400),
    "a part that is no file": (form(part(GOOD, 'name="file"')), FORM, 400),
    "a part without a name": (form(part(GOOD, 'filename="x.csv"')), FORM, 400),
    "a part without a header": (b"--b\r\n\r\n" + GOOD + b"\r\n--b--\r\n", FORM, 400),
    "a form without parts": (b"--b--\r\n", FORM, 400),
    "an empty form": (b"", FORM, 400),
    "a form without a boundary": (form(part(GOOD)), {"Content-Type": "multipart/form-data"}, 400),
    "another boundary": (form(part(GOOD)), {"Content-Type": FORM["Content-Type"] + "oundary"}, 400),
    "a form cut off in a header": (form(part(GOOD))[:30], FORM, 400),
    "a form cut off in the file": (form(part(GOOD))[:-30], FORM, 400),
    "a form without its end": (part(GOOD)[:-2], FORM, 400),
    "a thousand parts": (form(*[part(b"x", 'name="x"')] * 1000, part(GOOD)), FORM, 400),
    "a header of a megabyte": (form(part(GOOD, 'name="file"; filename="' + "x" * 2**20 + '"')),
                               FORM, 400),
    "a name that is no UTF-8": (form(part(GOOD, 'name="file"; filename="\xff"')), FORM, 400),
    "a name in no charset": (form(part(GOOD, "name=file; filename*=nope''x.csv")), FORM, 400),
    "a boundary of garbage": (GOOD, {"Content-Type": "multipart/form-data; boundary=\xff"}, 400),
    "a boundary of 5,000": (
        GOOD, {"Content-Type": "multipart/form-data; boundary=" + "x" * 5000}, 400
    ),
}  # fmt: skip


def test_an_upload_that_is_none_is_refused_and_leaves_nothing(admin: Any) -> None:
    found: list[str] = []
    for name, (data, headers, status) in REFUSED.items():
        before = _left_behind()
        answer = admin.post(PATH, body=data, headers=headers)
        found += [f"{name}: {fault}" for fault in _faults(answer, status)]
        if _left_behind() != before:
            found.append(f"{name}: left an import, a job or a file behind")
    assert not found, "\n".join(found)


def _faults(answer: Any, status: int) -> Iterator[str]:
    shown = f"{answer.status_code} {answer.text[:200]}"
    if answer.status_code != status:
        yield f"expected {status}: {shown}"
    elif answer.headers["Content-Type"] != "application/problem+json":
        yield f"no problem document: {shown}"
    elif {item["field"] for item in answer.json.get("errors", ())} not in _NAMED:
        yield f"no field is named: {shown}"


_NAMED = ({"file"}, {"Content-Type"}, {"body"})


def test_a_body_that_ends_before_its_length_is_refused(admin: Any) -> None:
    for data, headers in ((GOOD, CSV), (form(part(GOOD)), FORM)):
        status, body = _sent(admin, data[:-25], headers["Content-Type"], length=len(data))
        assert status == 400, body
        assert _left_behind() == (0, 0, 0)


def test_a_file_above_the_limit_is_refused(shop: Shop, admin: Any) -> None:
    SettingRow.create(name="imports.largest_mb", value=1)
    shop.refresh()
    data = GOOD + b"X,Y,1\n" * 400_000
    for body, headers in ((data, CSV), (form(part(data)), FORM)):
        answer = admin.post(PATH, body=body, headers=headers)
        assert answer.status_code == 413
        assert answer.json["errors"][0]["field"] == "file"
        assert "1 MB" in answer.json["detail"]
        assert _left_behind() == (0, 0, 0)


# Names of files.


NAMES: dict[str, str | None] = {
    "../../../etc/passwd": "passwd",
    "/etc/passwd": "passwd",
    "a/../b.csv": "b.csv",
    "Größe.csv": "Größe.csv",
    "🙈.csv": "🙈.csv",
    "..": None,
    ".": None,
    "/": None,
    "C:\\\\shop\\\\b.csv": None,
    "x" * 5000 + ".csv": None,
    "nul\0.csv": None,
    'a \\"quoted\\" name.csv': None,
    "a\u202egpj.csv": None,
    "<script>alert(1)</script>": None,
    "a; rm -rf.csv": None,
    "%2e%2e%2fx.csv": None,
}


def test_the_name_of_a_file_is_shown_but_never_used(
    tmp_path: Path, admin: Any, uploaded: Uploaded
) -> None:
    uploaded(GOOD)
    before = _elsewhere(tmp_path)
    for sent, kept in NAMES.items():
        disposition = f'name="file"; filename="{sent}"'.encode().decode("latin-1")
        run = uploaded(form(part(GOOD, disposition)), FORM)
        assert run["status"] == "completed", sent[:50]
        assert kept is None or run["filename"] == kept
        _assert_harmless(run["filename"])
    assert _elsewhere(tmp_path) == before
    assert admin.get(PATH).json["count"] == len(NAMES) + 1


def test_a_name_that_cannot_be_stored_is_replaced_or_refused(admin: Any) -> None:
    half = part(GOOD, "name=file; filename*=unicode_escape''%5Cud800.csv")
    answer = admin.post(PATH, body=form(half), headers=FORM)
    assert answer.status_code in (202, 400), answer.text
    assert _left_behind() == ((1, 1, 1) if answer.status_code == 202 else (0, 0, 0))


def test_the_name_in_the_header_is_treated_alike(uploaded: Uploaded) -> None:
    for name in ("../../x.csv", "", "/", "..", "\xe9\xff", "x" * 5000, "a\0b", "a b", "\0"):
        run = uploaded(GOOD, CSV | {"X-Filename": name})
        assert run["status"] == "completed", name[:50]
        _assert_harmless(run["filename"])


def _assert_harmless(name: str) -> None:
    assert 0 < len(name) <= 255
    assert not set("/\0") & set(name)


def _elsewhere(path: Path) -> set[Path]:
    """Return the files that are not those of imports."""
    return {found for found in path.rglob("*") if found.parent.name != "imports"}
