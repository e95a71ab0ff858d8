"""Files that the shop fetches: from real servers, never from private addresses."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bodega.database.tables import JobRow, SettingRow
from bodega.shop import Shop
from bodega_imports import fetching
from bodega_imports.importing import file_of
from bodega_imports.jobs import ATTEMPTS
from bodega_imports.models import Import
from bodega_sdk import now
from bodega_sdk.errors import InvalidInput
from bodega_sdk.testing.client import Client

PATH = "/api/v1/imports/fetch"
FILE = b"sku,name,price\nL-1,Lamp,29.99\nC-1,Chair,99.00\n"
Answering = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """A web server of this machine; it notes what it was asked.

    Args:
        answers: path → what answers it.
    """

    port: int = 0
    answers: dict[str, Answering] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str, host: str = "localhost") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server."""
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            made.answers[self.path.partition("?")[0]](self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def answering(
    status: int, data: bytes = b"", announced: int | None = -1, **headers: str
) -> Answering:
    """Answer with a body; `announced` is its Content-Length, None for no such header."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if announced is not None:
            handler.send_header("Content-Length", str(len(data) if announced < 0 else announced))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def resuming(data: bytes, most: int, tag: str) -> Answering:
    """Answer with parts of a file, and break off after some bytes of each."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        start, headers = 0, {"ETag": tag}
        wanted = handler.headers.get("Range")
        if wanted and handler.headers.get("If-Range") == tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        rest = data[start:]
        answering(206 if start else 200, rest[:most], len(rest), **headers)(handler)

    return answer


def allow(shop: Shop, **values: Any) -> None:
    for name, value in values.items():
        SettingRow.create(name=f"imports.{name}", value=value)
    shop.refresh()


def fetched(admin: Client, worker: Any, url: str, goes: int = 1) -> dict[str, Any]:
    """Have a file fetched, the job tried some times, and return the import."""
    begun = admin.post(PATH, {"url": url}).expect(202)
    for _ in range(goes):
        JobRow.update(run_at=now()).where(JobRow.id == begun["id"]).execute()
        assert worker.run() == 1
    run: dict[str, Any] = admin.get(f"/api/v1/imports/{begun['id']}").expect(200)
    return run


def test_a_worker_fetches_the_file_and_its_query_stays_secret(
    shop: Shop, site: Site, admin: Client, worker: Any
) -> None:
    allow(shop, allow_hosts="localhost")
    site.answers = {"/old": answering(302, Location="/new/products.csv?token=confidential"),
                    "/new/products.csv": answering(200, FILE)}  # fmt: skip
    answer = admin.post(PATH, {"url": site.url("/old?token=confidential"), "filename": "a/b.csv"})
    begun = answer.expect(202)
    assert answer.headers["Location"] == f"/api/v1/imports/{begun['id']}"
    assert (begun["status"], begun["filename"], begun["size"]) == ("queued", "b.csv", 0)
    assert site.asked == [], "nothing is fetched while the caller waits"
    worker.run()
    run = admin.get(answer.headers["Location"]).json
    assert (run["status"], run["created"], run["size"]) == ("completed", 2, len(FILE))
    assert run["source"] == site.url("/old?…")
    assert site.asked[1][0] == "/new/products.csv?token=confidential"
    assert site.asked[0][1]["accept-encoding"] == "identity"
    rows = [*Import.select().dicts(), *JobRow.select().dicts()]
    assert "confidential" not in str(rows)
    # Whoever takes the job over finds the file, and does not fetch it again.
    JobRow.update(status="queued", finished_at=None, checkpoint={}).execute()
    assert file_of(run["id"]).read_bytes() == FILE
    worker.run()
    assert len(site.asked) == 2


def test_a_file_that_cannot_be_had_fails_and_says_why(
    shop: Shop, site: Site, admin: Client, worker: Any
) -> None:
    allow(shop, allow_hosts="localhost", largest_mb=1)
    large = b"x" * 1_000_001
    site.answers = {
        "/none": answering(404, b"a page that nobody reads"),
        "/secret": answering(401),
        "/moved": answering(302),
        "/empty": answering(200),
        "/large": answering(200, large),
        "/endless": answering(200, large, None),
        "/strange": answering(799),
    }
    for path, told in {
        "/none": "answered 404 Not Found: check the address",
        "/secret": "answered 401 Unauthorized: the address must open without logging in",
        "/moved": "answered 302 Found",
        "/empty": "answered an empty file",
        "/large": "more than 1 MB",
        "/endless": "more than 1 MB",
        "/strange": "answered 799",
    }.items():
        run = fetched(admin, worker, site.url(f"{path}?token=confidential"))
        assert run["status"] == "failed", path
        assert told in run["message"], path
        assert "confidential" not in run["message"], path
        assert run["finished_at"], path
        assert not fetching.part_of(run["id"]).exists(), path
        assert JobRow.get_by_id(run["id"]).status == "dead", path


def test_a_server_that_fails_is_asked_again_and_at_last_given_up(
    shop: Shop, site: Site, admin: Client, worker: Any
) -> None:
    allow(shop, allow_hosts="localhost")
    site.answers = {"/busy": answering(503), "/cut": answering(200, FILE, 999)}
    run = fetched(admin, worker, site.url("/busy"))
    assert (run["status"], run["phase"], run["message"]) == ("running", "fetching", "")
    assert JobRow.get_by_id(run["id"]).status == "queued"
    for path, told in (("/busy", "503 Service Unavailable"), ("/cut", "ended too early")):
        run = fetched(admin, worker, site.url(path), ATTEMPTS)
        assert run["status"] == "failed"
        assert told in run["message"]
        assert f"tried {ATTEMPTS} times" in run["message"]


def test_a_file_is_fetched_for_a_dry_run_as_well(
    shop: Shop, site: Site, admin: Client, worker: Any
) -> None:
    allow(shop, allow_hosts="localhost")
    site.answers = {"/x.csv": answering(200, FILE)}
    begun = admin.post(PATH, {"url": site.url("/x.csv")}, params={"dry_run": "true"}).expect(202)
    worker.run()
    run = admin.get(f"/api/v1/imports/{begun['id']}").json
    assert (run["status"], run["dry_run"], run["created"]) == ("completed", True, 2)
    assert admin.get("/api/v1/products").json["count"] == 0


def test_nobody_waits_for_a_file_that_is_still_fetched(
    shop: Shop, site: Site, admin: Client, worker: Any
) -> None:
    allow(shop, allow_hosts="localhost")
    site.answers = {"/slow.csv": answering(503)}
    slow = fetched(admin, worker, site.url("/slow.csv"))
    sent = admin.post("/api/v1/imports", body=FILE, headers={"Content-Type": "text/csv"})
    worker.run()
    assert admin.get(sent.headers["Location"]).json["status"] == "completed"
    # Once it is there, it waits for those that were there before.
    held = admin.post("/api/v1/imports", body=FILE, headers={"Content-Type": "text/csv"})
    later = now() + timedelta(hours=1)
    JobRow.update(run_at=later).where(JobRow.id == held.json["id"]).execute()
    site.answers = {"/slow.csv": answering(200, FILE)}
    for ready in (False, True):
        JobRow.update(run_at=now()).where(
            JobRow.id.in_([slow["id"], held.json["id"]] if ready else [slow["id"]])
        ).execute()
        for _ in range(3):
            worker.run()
            JobRow.update(run_at=now()).where(JobRow.id == slow["id"]).execute()
        done = admin.get(f"/api/v1/imports/{slow['id']}").json
        assert (done["status"] == "completed", len(site.asked)) == (ready, 2)


def test_what_was_fetched_before_a_connection_broke_is_gone_on_with(
    shop: Shop, site: Site, admin: Client, worker: Any
) -> None:
    allow(shop, allow_hosts="localhost")
    site.answers = {"/file.csv": resuming(FILE, 30, '"one"')}
    run = fetched(admin, worker, site.url("/file.csv"), 2)
    assert (run["status"], run["created"], run["size"]) == ("completed", 2, len(FILE))
    assert [headers.get("range") for _, headers in site.asked] == [None, "bytes=30-"]
    # Another file has come in its place meanwhile: it is fetched from its beginning.
    site.answers = {"/file.csv": resuming(b"x" * 40, 30, '"two"')}
    begun = fetched(admin, worker, site.url("/file.csv"))
    site.answers = {"/file.csv": resuming(FILE, 300, '"three"')}
    JobRow.update(run_at=now()).where(JobRow.id == begun["id"]).execute()
    worker.run()
    assert file_of(begun["id"]).read_bytes() == FILE
    # No more is asked for by a tag that promises nothing.
    site.answers = {"/weak.csv": resuming(FILE, 30, 'W/"weak"')}
    fetched(admin, worker, site.url("/weak.csv"), 2)
    assert all("range" not in headers for path, headers in site.asked if path == "/weak.csv")


def test_no_private_address_is_asked_whatever_leads_there(
    shop: Shop, site: Site, admin: Client, worker: Any
) -> None:
    site.answers = {"/canary": answering(200, FILE)}
    hosts = ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1",
             "0.0.0.0", "localhost.", "169.254.169.254", "10.0.0.1",
             "[64:ff9b::7f00:1]")  # fmt: skip
    for host in hosts:
        run = fetched(admin, worker, site.url("/canary", host))
        assert run["status"] == "failed", host
        assert "public addresses" in run["message"], host
        assert "127.0.0.1" in host or "127.0.0.1" not in run["message"], host
    assert site.asked == []
    allow(shop, allow_hosts="localhost")
    for target in (site.url("/canary", "127.0.0.1"), "http://169.254.169.254/", "https://[::1]/"):
        site.answers["/lure"] = answering(307, Location=target)
        run = fetched(admin, worker, site.url("/lure"))
        assert "public addresses" in run["message"], target
    assert {path for path, _ in site.asked} == {"/lure"}
    site.answers["/file"] = answering(302, Location="file:///etc/passwd")
    run = fetched(admin, worker, site.url("/file"), ATTEMPTS)
    assert run["status"] == "failed"


NO_URLS = (
    "products.csv", "ftp://example.com/x.csv", "file:///etc/passwd", "https://", "//example.com/x",
    "http://[::1/x", "http://example.com:99999/x", "https://exa mple.com/x", "http://a\nb/x",
    "javascript:alert(1)", "", "x" * 2001, "https://example.com/" + "x" * 2000,
)  # fmt: skip


def test_what_is_no_address_is_refused_at_once(admin: Client) -> None:
    for url in (*NO_URLS, "https://ada:confidential@example.com/x.csv"):
        answer = admin.post(PATH, {"url": url})
        assert answer.status_code == 422, url
        assert [item["field"] for item in answer.json["errors"]] == ["url"], url
        assert "confidential" not in answer.text
    assert Import.select().count() == JobRow.select().count() == 0


# Without a shop.


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    assert fetching.shown_url("https://u:p@x.example:8/a/b.csv?sig=1#f") == (
        "https://x.example:8/a/b.csv?…"
    )
    assert fetching.shown_url("https://x.example") == "https://x.example"
    assert fetching.name_in("https://x.example/a/Gr%C3%B6%C3%9Fe%2F..%2F.csv?x=y.csv") == ".csv"
    assert fetching.name_in("https://x.example/") == "upload.csv"
    assert fetching.checked_url(" https://x.example/a ") == "https://x.example/a"
    with pytest.raises(InvalidInput):
        fetching.checked_url("https://:80/x")
