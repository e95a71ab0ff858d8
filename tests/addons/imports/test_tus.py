"""Resumable uploads: every status of tus 1.0, and what of a piece stays when it breaks off."""

import base64
import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from falcon import testing

from bodega.database.tables import JobRow, SettingRow
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.shop import Shop
from bodega_imports import tus, uploads
from bodega_imports.jobs import KEPT_DAYS, delete_old_files
from bodega_imports.models import Import
from bodega_imports.upload_models import Upload
from bodega_imports.upload_problems import UploadGone, UploadLocked
from bodega_sdk import folder, now, uuid7
from bodega_sdk.errors import BadRequest
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client

PATH = "/api/v1/imports/uploads"
FILE = b"sku,name,price\nL-1,Lamp,29.99\nC-1,Chair,99.00\n"
SPEAKS = {"Tus-Resumable": "1.0.0"}
PIECE = SPEAKS | {"Content-Type": "application/offset+octet-stream"}
SITE = "https://front.example"
#: What scripts of other sites must be let send and read.
SENT = ("Tus-Resumable", "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Checksum",
        "X-HTTP-Method-Override", "Authorization")  # fmt: skip
READ = ("Upload-Offset", "Upload-Length", "Location", "Tus-Resumable", "Tus-Extension", "ETag",
        "Tus-Max-Size", "Upload-Expires", "Bodega-Import")  # fmt: skip


def metadata(**values: str) -> str:
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in values.items())


def checksum(data: bytes, name: str = "sha1") -> str:
    return f"{name} {base64.b64encode(hashlib.new(name, data).digest()).decode()}"


def begun(client: Client, length: int = len(FILE), **headers: str) -> str:
    """Begin an upload; return its address."""
    sent = SPEAKS | {"Upload-Length": str(length)} | headers
    answer = client.post(PATH, headers=sent)
    answer.expect(201)
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    return str(answer.headers["Location"])


def send(client: Client, where: str, data: bytes, offset: int, **headers: str) -> Any:
    sent = PIECE | {"Upload-Offset": str(offset)} | headers
    return client.patch(where, body=data, headers=sent)


def offset_at(client: Client, where: str) -> int:
    answer = client.request("HEAD", where, headers=SPEAKS)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return int(answer.headers["Upload-Offset"])


def set_to(shop: Shop, name: str, value: Any) -> None:
    SettingRow.create(name=f"imports.{name}", value=value)
    shop.refresh()


def left_behind() -> tuple[int, int, int, int]:
    """Count the uploads, the imports, the jobs and the files that there are."""
    files = len(list(folder("imports").iterdir()))
    return Upload.select().count(), Import.select().count(), JobRow.select().count(), files


def test_a_file_sent_in_pieces_is_imported_when_the_last_is_there(
    admin: Client, worker: Any
) -> None:
    where = begun(admin, **{"Upload-Metadata": metadata(filename="Größe.csv", filetype="text/csv")})
    for start in range(0, len(FILE), 10):
        assert offset_at(admin, where) == start
        shown = admin.get(where).expect(200)
        assert (shown["offset"], shown["length"], shown["finished_at"]) == (start, len(FILE), None)
        assert Import.select().count() == 0
        answer = send(admin, where, FILE[start : start + 10], start)
        answer.expect(204)
        assert answer.headers["Upload-Offset"] == str(min(start + 10, len(FILE)))
    import_id = where.rpartition("/")[2]
    assert answer.headers["Bodega-Import"] == import_id
    queued = admin.get(f"/api/v1/imports/{import_id}").expect(200)
    assert (queued["status"], queued["filename"], queued["size"]) == (
        "queued", "Größe.csv", len(FILE)
    )  # fmt: skip
    worker.run()
    run = admin.get(f"/api/v1/imports/{import_id}").json
    assert (run["status"], run["created"], run["errors"]) == ("completed", 2, 0)
    # The upload still says how it ended, to whom the last answer did not reach.
    assert offset_at(admin, where) == len(FILE)
    last = send(admin, where, b"", len(FILE))
    assert (last.status_code, last.headers["Bodega-Import"]) == (204, import_id)
    assert Import.select().count() == 1
    assert not uploads.path_of(UUID(import_id)).exists()


def test_a_whole_file_may_come_with_its_creation(admin: Client) -> None:
    sent = PIECE | {"Upload-Length": str(len(FILE)), "Upload-Checksum": checksum(FILE, "sha256")}
    answer = admin.post(PATH, body=FILE, headers=sent)
    answer.expect(201)
    assert answer.headers["Upload-Offset"] == str(len(FILE))
    assert answer.headers["Location"].endswith(answer.headers["Bodega-Import"])
    admin.get(f"/api/v1/imports/{answer.headers['Bodega-Import']}").expect(200)
    first = admin.post(PATH, body=FILE[:5], headers=PIECE | {"Upload-Length": str(len(FILE))})
    assert offset_at(admin, first.headers["Location"]) == 5
    before = left_behind()
    wrong = checksum(b"another")
    admin.post(PATH, body=FILE, headers=sent | {"Upload-Checksum": wrong}).expect(460)
    assert left_behind() == before, "nobody was told where it is, so it must not stay"


def test_an_upload_says_how_it_is_to_be_imported(admin: Client, worker: Any) -> None:
    where = begun(admin, **{"Upload-Metadata": metadata(filename="x.csv", dry_run="true")})
    send(admin, where, FILE, 0).expect(204)
    worker.run()
    run = admin.get(f"/api/v1/imports/{where.rpartition('/')[2]}").json
    assert (run["status"], run["dry_run"], run["atomic"], run["created"]) == (
        "completed", True, False, 2
    )  # fmt: skip
    assert admin.get("/api/v1/products").json["count"] == 0


def test_what_is_spoken_is_told_to_everybody(shop: Shop, client: Client) -> None:
    answer = client.request("OPTIONS", PATH)
    assert answer.status_code == 204
    told = {name: answer.headers[name] for name in tus._PUBLISHED}
    assert told == {
        "Tus-Resumable": "1.0.0",
        "Tus-Version": "1.0.0",
        "Tus-Extension": "creation,creation-with-upload,termination,checksum,expiration",
        "Tus-Max-Size": "500000000",
        "Tus-Checksum-Algorithm": "sha1,sha256",
    }
    assert answer.headers["Allow"] == "OPTIONS, POST"
    set_to(shop, "largest_mb", 7)
    assert client.request("OPTIONS", PATH).headers["Tus-Max-Size"] == "7000000"


def test_scripts_of_allowed_sites_may_speak_tus(shop: Shop, admin: Client) -> None:
    served = Shop(replace(shop.settings, cors_origins=(SITE,)), build_app, connections=4)
    served.refresh()
    with bound(served.current):
        other = replace(admin, gate=Gate(served), shop=served)
        where = begun(admin)
        asked = {"Origin": SITE, "Access-Control-Request-Method": "PATCH",
                 "Access-Control-Request-Headers": "tus-resumable, upload-offset"}  # fmt: skip
        preflight = other.request("OPTIONS", where, headers=asked)
        assert preflight.status_code == 204
        allowed = preflight.headers["Access-Control-Allow-Headers"].split(", ")
        assert {*SENT} <= {*allowed}
        assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
        answer = other.request("HEAD", where, headers=SPEAKS | {"Origin": SITE})
        assert answer.headers["Access-Control-Allow-Origin"] == SITE
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {*READ} <= {*exposed}
        discovery = other.request("OPTIONS", PATH, headers={"Origin": SITE})
        assert discovery.headers["Access-Control-Allow-Origin"] == SITE
        assert discovery.headers["Tus-Version"] == "1.0.0"
    served.databases.close()


# Refusals: name → what to do with a client and an upload of which 5 bytes are there, the
# status, and the field that is named.
Doing = Callable[[Client, str], Any]
LENGTH = SPEAKS | {"Upload-Length": "9"}
REFUSED: dict[str, tuple[Doing, int, str]] = {
    "no version": (lambda c, w: c.post(PATH, headers={"Upload-Length": "9"}), 412,
                   "Tus-Resumable"),
    "another version": (lambda c, w: c.post(PATH, headers=LENGTH | {"Tus-Resumable": "0.2.2"}),
                        412, "Tus-Resumable"),
    "a piece of no version": (
        lambda c, w: send(c, w, b"x", 5, **{"Tus-Resumable": ""}), 412, "Tus-Resumable"
    ),
    "deletion in another version": (lambda c, w: c.delete(w), 412, "Tus-Resumable"),
    "no length": (lambda c, w: c.post(PATH, headers=SPEAKS), 400, "Upload-Length"),
    "a length that is none": (
        lambda c, w: c.post(PATH, headers=LENGTH | {"Upload-Length": "-1"}), 400, "Upload-Length"
    ),
    "an empty file": (lambda c, w: c.post(PATH, headers=LENGTH | {"Upload-Length": "0"}), 400,
                      "Upload-Length"),
    "a length for later": (
        lambda c, w: c.post(PATH, headers=SPEAKS | {"Upload-Defer-Length": "1"}), 400,
        "Upload-Defer-Length",
    ),
    "a part of a file": (lambda c, w: c.post(PATH, headers=LENGTH | {"Upload-Concat": "partial"}),
                         400, "Upload-Concat"),
    "too large a file": (lambda c, w: c.post(PATH, headers=LENGTH | {"Upload-Length": "500000001"}),
                         413, "Upload-Length"),
    "metadata of garbage": (
        lambda c, w: c.post(PATH, headers=LENGTH | {"Upload-Metadata": "filename ?"}), 400,
        "Upload-Metadata",
    ),
    "metadata that is no text": (
        lambda c, w: c.post(PATH, headers=LENGTH | {"Upload-Metadata": "filename /w=="}), 400,
        "Upload-Metadata",
    ),
    "metadata that says nothing of how": (
        lambda c, w: c.post(PATH, headers=LENGTH | {"Upload-Metadata": metadata(atomic="why")}),
        400, "Upload-Metadata",
    ),
    "too much metadata": (
        lambda c, w: c.post(PATH, headers=LENGTH | {"Upload-Metadata": "a" * 5000}), 400,
        "Upload-Metadata",
    ),
    "creation with a form": (
        lambda c, w: c.post(PATH, body=b"x", headers=LENGTH | {"Content-Type": "text/csv"}), 415,
        "Content-Type",
    ),
    "a piece of another type": (
        lambda c, w: send(c, w, b"x", 5, **{"Content-Type": "text/csv"}), 415, "Content-Type"
    ),
    "no offset": (lambda c, w: c.patch(w, body=b"x", headers=PIECE), 400, "Upload-Offset"),
    "an offset that is none": (
        lambda c, w: send(c, w, b"x", 0, **{"Upload-Offset": "1e0"}), 400, "Upload-Offset"
    ),
    "an earlier offset": (lambda c, w: send(c, w, b"x", 4), 409, "Upload-Offset"),
    "a later offset": (lambda c, w: send(c, w, b"x", 6), 409, "Upload-Offset"),
    "more than is missing": (lambda c, w: send(c, w, FILE, 5), 413, "body"),
    "a wrong checksum": (
        lambda c, w: send(c, w, FILE[5:], 5, **{"Upload-Checksum": checksum(b"y")}), 460,
        "Upload-Checksum",
    ),
    "a checksum that is refused": (
        lambda c, w: send(c, w, b"x", 5, **{"Upload-Checksum": "md5 nU4SI578wYKAaV+SSewTXA=="}),
        400, "Upload-Checksum",
    ),
    "a checksum of garbage": (
        lambda c, w: send(c, w, b"x", 5, **{"Upload-Checksum": "sha1 ?"}), 400, "Upload-Checksum"
    ),
    "an upload that there is not": (lambda c, w: send(c, f"{PATH}/{uuid7()}", b"x", 0), 404, "id"),
    "deletion of none": (lambda c, w: c.delete(f"{PATH}/{uuid7()}", headers=SPEAKS), 404, "id"),
    "another method by POST": (
        lambda c, w: c.post(w, body=b"", headers=PIECE | {"X-HTTP-Method-Override": "PUT"}), 400,
        "X-HTTP-Method-Override",
    ),
}  # fmt: skip


def test_what_cannot_be_done_is_refused_and_changes_nothing(admin: Client) -> None:
    where = begun(admin)
    send(admin, where, FILE[:5], 0).expect(204)
    before = left_behind()
    for name, (attempt, status, field) in REFUSED.items():
        answer = attempt(admin, where)
        assert answer.status_code == status, f"{name}: {answer!r}"
        assert answer.headers["Content-Type"] == "application/problem+json", name
        assert [item["field"] for item in answer.json["errors"]] == [field], name
        assert answer.headers["Tus-Resumable"] == "1.0.0", name
        assert (left_behind(), offset_at(admin, where)) == (before, 5), name
        if status == 412:
            assert answer.headers["Tus-Version"] == "1.0.0"
    assert admin.request("HEAD", where).status_code == 412
    assert send(admin, where, b"x", 0).headers["Upload-Offset"] == "5"
    send(admin, where, FILE[5:], 5, **{"Upload-Checksum": checksum(FILE[5:])}).expect(204)


def test_an_upload_is_seen_by_nobody_else(shop: Shop, client: Client, admin: Client) -> None:
    where = begun(admin)
    others = client.as_user("staff")
    for answer in (
        others.get(where), others.request("HEAD", where, headers=SPEAKS),
        send(others, where, FILE, 0), others.delete(where, headers=SPEAKS),
    ):  # fmt: skip
        assert answer.status_code == 404
    none = client.as_user("vendor").post(PATH, headers=LENGTH)
    assert none.status_code == 403, "who belongs to no organization may import for none"
    assert client.post(PATH, headers=LENGTH).status_code == 401
    assert offset_at(admin, where) == 0


def test_a_deleted_upload_is_gone_with_its_file_but_an_import_goes_on(admin: Client) -> None:
    where = begun(admin)
    send(admin, where, FILE[:5], 0).expect(204)
    before = len(list(folder("imports").iterdir()))
    admin.delete(where, headers=SPEAKS).expect(204)
    assert len(list(folder("imports").iterdir())) == before - 1
    assert admin.get(where).status_code == 404
    done = begun(admin)
    send(admin, done, FILE, 0).expect(204)
    admin.delete(done, headers=SPEAKS).expect(204)
    admin.get(f"/api/v1/imports/{done.rpartition('/')[2]}").expect(200)
    # The same by POST, for networks that let nothing else pass.
    by_post = begun(admin)
    sent = PIECE | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    admin.post(by_post, body=FILE[:3], headers=sent).expect(204)
    assert offset_at(admin, by_post) == 3
    admin.post(by_post, headers=PIECE | {"X-HTTP-Method-Override": "DELETE"}).expect(204)
    assert admin.get(by_post).status_code == 404


def test_an_upload_that_nobody_goes_on_with_expires(shop: Shop, admin: Client) -> None:
    where = begun(admin)
    send(admin, where, FILE[:5], 0).expect(204)
    mine = Upload.get_by_id(where.rpartition("/")[2])
    kept = mine.expires_at
    Upload.update(expires_at=now() + timedelta(hours=1)).execute()
    assert send(admin, where, FILE[5:6], 5).headers["Upload-Expires"].endswith(" GMT")
    assert Upload.get_by_id(mine.id).expires_at >= kept, "it was gone on with"
    Upload.update(expires_at=now()).execute()
    for answer in (admin.get(where), send(admin, where, FILE[6:], 6)):
        assert (answer.status_code, answer.json["type"]) == (410, "/api/problems/upload-expired")
    run: Any = None
    delete_old_files(run)
    assert (uploads.path_of(mine.id).exists(), admin.get(where).status_code) == (False, 410)
    Upload.update(expires_at=now() - timedelta(days=KEPT_DAYS + 1)).execute()
    delete_old_files(run)
    assert admin.get(where).status_code == 404


def test_an_account_has_so_many_unfinished_uploads_at_most(shop: Shop, admin: Client) -> None:
    set_to(shop, "unfinished_uploads", 2)
    mine = [begun(admin), begun(admin)]
    refused = admin.post(PATH, headers=LENGTH)
    assert refused.status_code == 429
    assert [f"{PATH}/{one}" for one in refused.json["uploads"]] == mine
    send(admin, mine[0], FILE, 0).expect(204)
    begun(admin)


# What breaks off.


class Broken(io.BytesIO):
    """A connection that is reset after what came."""

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        if not piece:
            raise ConnectionResetError
        return piece


def cut(client: Client, where: str, data: Any, offset: int, length: int, **headers: str) -> int:
    """Send a piece that announces more than comes; return the status."""
    sent = PIECE | {"Upload-Offset": str(offset), "Authorization": f"Bearer {client.token}"}
    environ = testing.create_environ(where, method="PATCH", headers=sent | headers)
    environ |= {"wsgi.input": data, "CONTENT_LENGTH": str(length)}
    started: list[str] = []
    b"".join(client.gate(environ, lambda status, headers: started.append(status)))
    return int(started[0][:3])


def test_what_came_before_a_connection_broke_is_kept(admin: Client, worker: Any) -> None:
    where = begun(admin)
    assert cut(admin, where, io.BytesIO(FILE[:7]), 0, len(FILE)) == 400
    assert offset_at(admin, where) == 7
    assert cut(admin, where, Broken(FILE[7:9]), 7, len(FILE) - 7) == 400
    assert offset_at(admin, where) == 9
    # With a checksum a piece counts as a whole, or not at all.
    whole = checksum(FILE[9:])
    rest = io.BytesIO(FILE[9:20])
    assert cut(admin, where, rest, 9, len(FILE) - 9, **{"Upload-Checksum": whole}) == 400
    assert offset_at(admin, where) == 9
    send(admin, where, FILE[9:], 9, **{"Upload-Checksum": whole}).expect(204)
    worker.run()
    assert admin.get(f"/api/v1/imports/{where.rpartition('/')[2]}").json["created"] == 2


def test_a_body_in_chunks_brings_no_more_than_is_missing(admin: Client) -> None:
    where = begun(admin)
    for data, status, offset in ((FILE[:9], 204, 9), (FILE, 413, 9), (FILE[9:], 204, len(FILE))):
        sent = PIECE | {"Upload-Offset": "0" if data == FILE[:9] else "9",
                        "Authorization": f"Bearer {admin.token}"}  # fmt: skip
        environ = testing.create_environ(where, method="PATCH", headers=sent)
        environ |= {"wsgi.input": io.BytesIO(data), "wsgi.input_terminated": True}
        environ.pop("CONTENT_LENGTH", None)
        started: list[str] = []
        b"".join(admin.gate(environ, lambda code, headers, to=started: to.append(code)))
        assert (int(started[0][:3]), offset_at(admin, where)) == (status, offset)


def test_an_import_whose_process_died_before_it_began_is_begun_when_asked_for(
    admin: Client, worker: Any
) -> None:
    where = begun(admin)
    upload_id = UUID(where.rpartition("/")[2])
    uploads.path_of(upload_id).write_bytes(FILE)
    assert offset_at(admin, where) == len(FILE)
    assert Import.get_by_id(upload_id).status == "queued"
    worker.run()
    assert Import.get_by_id(upload_id).created == 2


# Two at once.


def test_what_another_request_finishes_meanwhile_is_not_called_gone(admin: Client) -> None:
    where = begun(admin)
    before = Upload.get_by_id(where.rpartition("/")[2])
    send(admin, where, FILE, 0).expect(204)
    assert uploads.offset_of(before) == len(FILE)
    with pytest.raises(UploadLocked), uploads.held(before):
        pass
    admin.delete(where, headers=SPEAKS).expect(204)
    for refused in (lambda: uploads.offset_of(before), lambda: uploads.held(before).__enter__()):
        with pytest.raises(UploadGone):
            refused()


class Slow:
    """A body that comes when the test says so."""

    rest = b""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self.come, self.asked = threading.Event(), threading.Event()

    def read(self, size: int = -1) -> bytes:
        self.asked.set()
        assert self.come.wait(10)
        return next(self._pieces, b"")


def test_of_two_pieces_at_once_one_is_told_to_wait(
    shop: Shop, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_lock", lambda file, patience, lock=uploads._lock: lock(file, 0))
    where = begun(admin)
    slow, statuses = Slow(FILE), []

    def first() -> None:
        statuses.append(cut(admin, where, slow, 0, len(FILE)))
        shop.databases.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert slow.asked.wait(10)
    locked = send(admin, where, FILE, 0)
    assert (locked.status_code, locked.headers["Retry-After"]) == (423, "2")
    assert admin.delete(where, headers=SPEAKS).status_code == 423
    assert offset_at(admin, where) == 0, "whoever asks is answered nevertheless"
    slow.come.set()
    thread.join(20)
    assert statuses == [204]
    assert offset_at(admin, where) == len(FILE)
    assert Import.select().count() == 1


def test_the_documentation_says_what_is_sent_and_told(client: Client) -> None:
    paths = client.get("/api/schema").json["paths"]
    item = paths[f"{PATH}/{{id}}"]
    assert {*paths[PATH]} >= {"options", "post"}
    assert {*item} >= {"get", "patch", "post", "delete"}
    sent = {one["name"] for one in item["patch"]["parameters"] if one["in"] == "header"}
    assert sent == {"Tus-Resumable", "Upload-Offset", "Upload-Checksum"}
    assert [*item["patch"]["requestBody"]["content"]] == [tus.MEDIA]
    assert {"Upload-Offset", "Bodega-Import"} <= {*item["patch"]["responses"]["204"]["headers"]}


# Without a shop.


def test_metadata_is_names_with_values_in_base64() -> None:
    assert tus.read_metadata("") == {}
    sent = f"{metadata(filename='a,b.csv', note='')}, flag"
    assert tus.read_metadata(sent) == {"filename": "a,b.csv", "note": "", "flag": ""}
    for wrong in ("a b c", "filename é", "filename YQ"):
        with pytest.raises(BadRequest):
            tus.read_metadata(wrong)
