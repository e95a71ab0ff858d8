"""The console: who gets in, what they see, and what a page's failure does to the rest."""

from dataclasses import dataclass, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from falcon import testing

from bodega.addons import lifecycle
from bodega.database.outbox import relay
from bodega.database.tables import JobRow
from bodega.editions import Edition
from bodega.http.gate import Gate
from bodega.processes import this_process
from bodega.shop import Shop
from bodega_sdk import issue_token, uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing.deployment import ADMIN

SCRIPT = "<script>alert('gotcha')</script>"
PAGES = ("", "/addons", "/jobs", "/events", "/processes")
NOTES = """
from datetime import UTC, datetime
from decimal import Decimal

from markupsafe import Markup

from bodega_sdk import *
from bodega_sdk.console import *

SCRIPT = "<script>alert('gotcha')</script>"


def everything(request):
    '''Yield every kind of block, with every kind of cell, all of it hostile.'''
    text = Markup(SCRIPT)
    yield Heading(text)
    yield Text(text + "\\n\\n" + text)
    yield Notice(text, "warning")
    yield Facts([(text, text)])
    cells = [text, 1234567, 2.5, Decimal("1.50"), Money(1999, "EUR"), True, None,
             datetime(2026, 10, 1, 12, tzinfo=UTC), uuid7(), Link(text, "/console"),
             Badge(text, "good"), Progress(3, 4), Progress(5)]
    yield Table([text] * len(cells), [cells], text)
    yield Table(["a"], [], empty=text)
    yield Bars([(text, 3), ("b", 0)], text, text)
    yield Bars([], text)
    yield Line([(text, 3), ("b", -1.5)], text, text)
    yield Line([], text)
    yield Pages("/console/odd?page=1", "/console/odd?page=3")


def portions(request):
    return [Text(f"page {request.query['page']}"), page_links(request, more=True)]


def rows(request):
    return [Table(["row"], ([f"row {n}"] for n in range(1002)))]


def html(request):
    return ["<p>HTML</p>"]


def object_cell(request):
    return [Facts([("a", object())])]


def naive(request):
    return [Facts([("a", datetime(2026, 10, 1))])]


def elsewhere(request):
    return [Facts([("a", Link("there", request.query["to"]))])]


def broken(request):
    yield Text("It begins well")
    raise RuntimeError("a secret of the addon's")


def leaving(request):
    raise SystemExit(3)


def missing(request):
    from bodega_sdk.errors import NotFound
    raise NotFound("There is no such drawer.")


def half(request):
    return [Text("half a character: \\ud800")]


@hookimpl
def register_console_pages():
    return [
        ConsolePage("odd", SCRIPT, "odd.read", everything, SCRIPT),
        ConsolePage("odd/portions", "Portions", AUTHENTICATED, portions, parameters=(PAGE,)),
        ConsolePage("odd/elsewhere", "E", AUTHENTICATED, elsewhere,
                    parameters=(Parameter("to"),)),
        *(ConsolePage("odd/" + f.__name__.replace("_", "-"), f.__name__, AUTHENTICATED, f)
          for f in (rows, html, object_cell, naive, broken, leaving, missing, half)),
    ]
"""
FIELDS = """{"permissions": {"odd.read": "Look"}, "grants": {"staff": ("odd.read",)},
             "summary": "<script>alert('gotcha')</script>"}"""


class Document(HTMLParser):
    """Reads a page: its links, its scripts, its headings, its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def links(self) -> list[str]:
        return [attrs["href"] or "" for attrs in self.all("a")]


@dataclass
class Browser:
    """Somebody at the console, through the Gate; keeps the cookie as a browser would."""

    shop: Shop
    cookie: str = ""

    def call(self, method: str, path: str, **headers: str) -> testing.Result:
        if self.cookie:
            headers["Cookie"] = f"bodega_console={self.cookie}"
        path, _, query = path.partition("?")
        return testing.simulate_request(
            Gate(self.shop), method, path, headers=headers, query_string=query
        )

    def get(self, path: str = "") -> testing.Result:
        return self.call("GET", f"/console{path}")

    def log_in(self, token: str) -> "Browser":
        """Do what the script of the login page does."""
        answer = self.call("POST", "/console/session", Authorization=f"Bearer {token}")
        assert answer.status_code == 204, answer.text
        return replace(self, cookie=answer.cookies["bodega_console"].value)

    def as_(self, *roles: str) -> "Browser":
        """Log in as somebody who has roles."""
        with bound(self.shop.current):
            return self.log_in(issue_token(str(uuid7()), roles, "access", timedelta(minutes=5)))


@pytest.fixture
def browser(empty_shop: Shop) -> Browser:
    return Browser(empty_shop)


@pytest.fixture
def odd(empty_shop: Shop, site: Any) -> Browser:
    """A browser at a shop with an addon whose pages are odd."""
    site.write("odd", NOTES, fields=FIELDS)
    lifecycle.enable(empty_shop, "odd")
    empty_shop.refresh()
    return Browser(empty_shop)


# Getting in.


def test_who_is_not_logged_in_gets_the_login_page_at_every_address(browser: Browser) -> None:
    for path in (*PAGES, "/", "/odd/late", "/nothing"):
        answer = browser.get(path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        page = Document(answer.text)
        names = [item["name"] for item in page.all("input")]
        assert names == ["email", "password", "code"]
        labelled = {label["for"] for label in page.all("label")}
        assert labelled == {item["id"] for item in page.all("input")}
        # The page that was asked for comes when the address is loaded again.
        assert page.links == ["#content", "/console"]


def test_the_login_page_has_no_form_that_a_browser_sends_by_itself(browser: Browser) -> None:
    answer = browser.get()
    (form,) = Document(answer.text).all("form")
    assert form.keys() == {"id"}
    assert "form-action 'none'" in answer.headers["content-security-policy"]


def test_a_password_becomes_a_token_becomes_a_cookie(client: Any) -> None:
    email, password = ADMIN
    tokens = client.post("/api/v1/auth/login", {"email": email, "password": password}).json
    answer = client.post(
        "/console/session", headers={"Authorization": f"Bearer {tokens['access']}"}
    )
    assert (answer.status_code, answer.text) == (204, "")
    cookie = answer.cookies["bodega_console"]
    assert cookie.value == tokens["access"]
    assert (cookie.path, cookie.http_only, cookie.same_site) == ("/console", True, "Strict")
    assert not cookie.secure
    assert tokens["expires_in"] - 5 <= cookie.max_age <= tokens["expires_in"]
    page = client.get("/console", headers={"Cookie": f"bodega_console={cookie.value}"})
    assert page.status_code == 200
    assert Document(page.text).all("h1")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_over_https_the_cookie_is_secure(browser: Browser) -> None:
    token = issue_token(str(uuid7()), ("admin",), "access", timedelta(minutes=5))
    for extra in ({"X-Forwarded-Proto": "https"}, {"Forwarded": "proto=https"}):
        # Nobody whom the operator trusts says so: see test_proxies_and_cors.py.
        answer = browser.call("POST", "/console/session", Authorization=f"Bearer {token}", **extra)
        assert not answer.cookies["bodega_console"].secure
    answer = testing.simulate_post(
        Gate(browser.shop), "/console/session", protocol="https",
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert answer.cookies["bodega_console"].secure


def test_only_an_access_token_makes_a_session(browser: Browser) -> None:
    refresh = issue_token(str(uuid7()), ("admin",), "refresh", timedelta(minutes=5))
    past = issue_token(str(uuid7()), ("admin",), "access", timedelta(minutes=-5))
    for header in ("", "Basic YTpi", f"Bearer {refresh}", f"Bearer {past}", "Bearer a.b.c"):
        answer = browser.call("POST", "/console/session", Authorization=header)
        assert answer.status_code == 401
        assert answer.json["type"] == "/api/problems/unauthenticated"
        assert "bodega_console" not in answer.cookies


def test_a_cookie_that_is_no_good_leads_back_to_the_login_page(browser: Browser) -> None:
    good = browser.as_("admin").cookie
    head, body, signature = good.split(".")
    past = issue_token(str(uuid7()), ("admin",), "access", timedelta(minutes=-5))
    refresh = issue_token(str(uuid7()), ("admin",), "refresh", timedelta(minutes=5))
    unsigned = f"eyJhbGciOiJub25lIn0.{body}."
    for cookie in (past, refresh, unsigned, f"{head}.{body}.{signature[::-1]}", "x", '"'):
        answer = replace(browser, cookie=cookie).get("/jobs?page=2")
        assert answer.status_code == 401, cookie
        page = Document(answer.text)
        assert "Your session has ended; log in again." in page.text
        assert page.all("form")
        assert answer.cookies["bodega_console"].value == ""


def test_logging_out_takes_the_cookie_back(browser: Browser) -> None:
    answer = browser.as_("admin").call("DELETE", "/console/session")
    assert answer.status_code == 204
    cookie = answer.cookies["bodega_console"]
    assert (cookie.value, cookie.path, cookie.max_age or 0) == ("", "/console", 0)


def test_logging_out_ends_the_session_of_the_token(browser: Browser) -> None:
    claims = {"sid": "s-1"}
    token = browser.shop.current.issue_token(
        str(uuid7()), ("admin",), "access", timedelta(minutes=5), claims
    )
    kept = replace(browser, cookie=token)
    assert kept.get().status_code == 200
    assert kept.call("DELETE", "/console/session").status_code == 204
    assert kept.get().status_code == 401


def test_the_api_does_not_know_the_cookie(browser: Browser) -> None:
    admin = browser.as_("admin")
    assert admin.call("GET", "/api/v1/addons").status_code == 401


def test_the_console_only_reads(browser: Browser) -> None:
    admin = browser.as_("admin")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in PAGES:
            assert admin.call(method, f"/console{path}").status_code == 405


def test_without_a_login_address_the_page_tells_of_a_token(
    new_shop: Shop, site: Any, terminal: Any
) -> None:
    lifecycle.prepare(new_shop, Edition("test", ()))
    new_shop.refresh()
    browser = Browser(new_shop)
    page = Document(browser.get().text)
    assert [item["name"] for item in page.all("input")] == ["token"]
    assert "No enabled addon offers a login" in page.text
    assert "bodega console token" in page.text
    token = terminal.run("console", "token").stdout.strip()
    assert browser.log_in(token).get().status_code == 200


# What one may see.


def test_an_administrator_sees_every_page(browser: Browser) -> None:
    admin = browser.as_("admin")
    for path, title in zip(
        PAGES, ("Overview", "Addons", "Jobs", "Events", "Processes"), strict=True
    ):
        answer = admin.get(path)
        assert answer.status_code == 200, answer.text
        assert f"<h1>{title}</h1>" in answer.text
        page = Document(answer.text)
        (current,) = [item for item in page.all("a") if "aria-current" in item]
        assert current["href"] == f"/console{path}"


def test_the_navigation_lists_what_the_permissions_allow(odd: Browser) -> None:
    admin, staff, user = (Document(odd.as_(role).get().text) for role in ("admin", "staff", "user"))
    assert {"/console/jobs", "/console/odd", "/console/odd/rows"} <= set(admin.links)
    assert "/console/jobs" not in staff.links
    assert {"/console/odd", "/console/odd/rows"} <= set(staff.links)
    assert "/console/odd" not in user.links
    assert "/console/odd/rows" in user.links


def test_who_lacks_the_permission_is_told_which(odd: Browser) -> None:
    for path in PAGES:
        answer = odd.as_("staff").get(path)
        assert answer.status_code == 403
        assert "bodega.read" in Document(answer.text).text
    answer = odd.as_("user").get("/odd")
    assert answer.status_code == 403
    assert "odd.read" in Document(answer.text).text
    assert "gotcha" not in Document(answer.text).text
    assert odd.as_("staff").get("/odd").status_code == 200


def test_the_page_of_a_disabled_addon_is_not_there(odd: Browser, empty_shop: Shop) -> None:
    admin = odd.as_("admin")
    assert admin.get("/odd/rows").status_code == 200
    lifecycle.disable(empty_shop, "odd")
    empty_shop.refresh()
    answer = admin.get("/odd/rows")
    assert answer.status_code == 404
    assert "There is no such page" in Document(answer.text).text
    assert "/console/odd/rows" not in Document(answer.text).links


def test_the_page_of_a_quarantined_addon_says_why(
    odd: Browser, empty_shop: Shop, site: Any
) -> None:
    admin = odd.as_("admin")
    site.write("odd", "raise RuntimeError('no oil')", fields=FIELDS)
    empty_shop.refresh()
    answer = admin.get("/odd/rows")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "odd is quarantined: it cannot be loaded: RuntimeError: no oil" in answer.text
    page = Document(admin.get().text)
    assert "odd is quarantined" in page.text
    assert "bodega addons disable odd" in page.text


# What the kernel's pages show.


def test_the_overview_tells_how_the_shop_is_doing(notes_shop: Shop) -> None:
    notes_shop.register.beat(this_process("web", notes_shop.assembly.generation))
    relay(notes_shop.databases.shop)
    page = Document(Browser(notes_shop).as_("admin").get().text).text
    assert "notes enabled 1.2.0 Notes that anybody reads and some write" in page
    assert "No worker lives: jobs wait." in page
    assert "note.created" in page
    assert "queued 1 running 0 parked 0 succeeded 0 dead 0 cancelled 0" in page


def test_jobs_are_shown_with_progress_attempts_and_errors(notes_shop: Shop) -> None:
    job(status="running", done=30, total=120, attempts=1)
    job(status="dead", attempts=5, error=f"It broke: {SCRIPT} " + "x" * 1000)
    admin = Browser(notes_shop).as_("admin")
    for path in ("/jobs", ""):
        answer = admin.get(path)
        page = Document(answer.text)
        assert "30 of 120" in page.text
        assert "5 of 5" in page.text
        assert "It broke: <script>" in page.text
        assert "x" * 300 not in page.text
        assert_no_script_of_theirs(answer.text)
    (progress,) = page.all("progress")
    assert (progress["max"], progress["value"]) == ("120", "30")
    only = Document(admin.get("/jobs?status=dead").text).text
    assert "5 of 5" in only
    assert "30 of 120" not in only


def test_jobs_come_in_portions(notes_shop: Shop) -> None:
    JobRow.delete().execute()
    for number in range(101):
        job(name=f"notes.number_{number:03}")
    admin = Browser(notes_shop).as_("admin")
    found, path = [], "/console/jobs?status=queued"
    while path:
        answer = admin.call("GET", path)
        page = Document(answer.text)
        found.append(answer.text.count("notes.number_"))
        (path, *_) = [item["href"] for item in page.all("a") if item.get("rel") == "next"] or [""]
    assert found == [50, 50, 1]
    assert "status=queued" in str([item["href"] for item in page.all("a")])


def test_counts_go_only_as_far_as_they_say(notes_shop: Shop) -> None:
    rows = [
        {"id": uuid7(), "name": "notes.x", "lane": "default", "payload": {}, "max_attempts": 1}
        for _ in range(1100)
    ]
    JobRow.insert_many(rows).execute()
    assert "queued more than 1,000" in Document(Browser(notes_shop).as_("admin").get().text).text


def test_events_come_in_portions_newest_first(notes_shop: Shop, site: Any) -> None:
    event = site.module("notes", "writing").note_created
    for number in range(60):
        event.publish(f"key {number:02}", {"title": SCRIPT, "long": "y" * 1000})
    relay(notes_shop.databases.shop)
    admin = Browser(notes_shop).as_("admin")
    first, second = admin.get("/events"), admin.get("/events?page=2")
    assert_no_script_of_theirs(first.text)
    assert first.text.count("note.created") == 50
    assert first.text.index("key 59") < first.text.index("key 10")
    assert "key 09" not in first.text
    assert "key 09" in second.text
    assert "y" * 400 not in first.text
    assert [item["href"] for item in Document(second.text).all("a") if "rel" in item] == [
        "/console/events?page=1"
    ]


def test_processes_are_shown_with_their_generation(empty_shop: Shop) -> None:
    current = empty_shop.assembly.generation
    empty_shop.register.beat(this_process("worker", current))
    empty_shop.register.beat(this_process("web", current - 1))
    answer = Browser(empty_shop).as_("admin").get("/processes")
    assert f'<span class="badge good">{current}</span>' in answer.text
    assert f'<span class="badge warning">{current - 1}</span>' in answer.text
    assert "No worker lives" not in answer.text


def test_unknown_parameters_and_bad_values_are_refused(browser: Browser) -> None:
    admin = browser.as_("admin")
    for query, told in (
        ("colour=red", "this address knows: page, status"),
        ("page=0", "Must be at least 1"),
        ("page=101", "Must be at most 100"),
        ("page=x", "Expected a whole number"),
        ("status=odd", "Expected one of: queued"),
        ("page=1&page=2", "Must be sent once only"),
        (f"{SCRIPT}=1", "Unknown query parameter"),
    ):
        answer = admin.get(f"/jobs?{query}")
        assert answer.status_code == 400
        assert told in Document(answer.text).text
        assert_no_script_of_theirs(answer.text)


# What addons bring.


def assert_no_script_of_theirs(html: str) -> None:
    """The page has our scripts only, and no markup that came with data."""
    page = Document(html)
    assert {item.get("src") for item in page.all("script")} <= {
        "/console/static/console.js", "/console/static/login.js",
    }  # fmt: skip
    assert SCRIPT not in html
    for _, attrs in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attrs)


def test_nothing_that_an_addon_shows_becomes_markup(odd: Browser) -> None:
    admin = odd.as_("admin")
    answer = admin.get("/odd")
    assert answer.status_code == 200, answer.text
    assert_no_script_of_theirs(answer.text)
    page = Document(answer.text)
    assert page.text.count("gotcha") > 20
    for shown in ("1,234,567", "2.50", "1.50", "19.99 EUR", "yes", "2026-10-01 12:00:00",
                  "3 of 4", "–"):  # fmt: skip
        assert shown in page.text
    assert_no_script_of_theirs(admin.get("/addons").text)
    assert_no_script_of_theirs(admin.get().text)


def test_every_table_has_headers_and_every_chart_words(odd: Browser) -> None:
    page = Document(odd.as_("admin").get("/odd").text)
    scopes = [item.get("scope") for item in page.all("th")]
    assert scopes
    assert set(scopes) == {"col", "row"}
    for chart in page.all("svg"):
        assert chart.get("aria-label") or chart.get("aria-hidden") == "true"
    assert {tag for tag, _ in page.tags} >= {"header", "nav", "main", "footer", "h1"}
    assert [html for html in page.all("html") if html["lang"] == "en"]


def test_an_addons_page_turns_its_own_pages(odd: Browser) -> None:
    page = Document(odd.as_("user").get("/odd/portions?page=2").text)
    assert "page 2" in page.text
    assert {"/console/odd/portions?page=1", "/console/odd/portions?page=3"} <= set(page.links)


def test_a_table_without_end_is_cut_off_and_says_so(odd: Browser) -> None:
    page = Document(odd.as_("user").get("/odd/rows").text)
    assert "row 999" in page.text
    assert "row 1000" not in page.text
    assert "Only the first 1000 rows are shown." in page.text


@pytest.mark.parametrize("path", ["html", "object-cell", "naive", "broken", "leaving"])
def test_a_page_that_fails_names_its_addon_and_the_request(odd: Browser, path: str) -> None:
    admin = odd.as_("admin")
    answer = admin.call("GET", f"/console/odd/{path}", **{"X-Request-ID": "my-request-7"})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Document(answer.text)
    assert "The addon odd could not make this page." in page.text
    assert "my-request-7" in page.text
    for leak in ("Traceback", "secret", "RuntimeError", ".py", "It begins well"):
        assert leak not in answer.text
    assert "/console/jobs" in page.links
    assert admin.get().status_code == 200


def test_a_page_may_answer_with_a_problem(odd: Browser) -> None:
    answer = odd.as_("user").get("/odd/missing")
    assert answer.status_code == 404
    assert "There is no such drawer." in answer.text


def test_half_a_character_is_no_failure(odd: Browser) -> None:
    assert "half a character: ?" in odd.as_("user").get("/odd/half").text


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example", "javascript:alert(1)", "", "/\\evil.example",
     "/\t/evil.example", "console"],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_link_leads_nowhere_but_into_this_shop(odd: Browser, address: str) -> None:
    answer = odd.as_("user").get(f"/odd/elsewhere?to={quote(address)}")
    assert answer.status_code == 503
    assert "evil.example" not in "".join(Document(answer.text).links)


# How it is served.


def test_every_answer_forbids_what_the_console_does_not_need(odd: Browser) -> None:
    admin = odd.as_("admin")
    for answer in (odd.get(), admin.get(), admin.get("/odd"), admin.get("/odd/broken"),
                   admin.get("/nothing"), odd.as_("user").get()):  # fmt: skip
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_everything_that_a_page_names_is_there_and_ours(odd: Browser) -> None:
    admin = odd.as_("admin")
    for answer in (odd.get(), admin.get(), admin.get("/odd")):
        page = Document(answer.text)
        for _, attrs in page.tags:
            for name in ("src", "href"):
                address = attrs.get(name) or "#"
                assert address.startswith(("#", "/")), address
                if "/static/" in address:
                    assert admin.call("GET", address).status_code == 200, address


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_files_are_served_with_their_type_and_once_only(browser: Browser) -> None:
    for name, media in (("console.css", "text/css"), ("login.js", "text/javascript"),
                        ("icon.svg", "image/svg+xml")):  # fmt: skip
        answer = browser.get(f"/static/{name}")
        assert answer.headers["content-type"].startswith(media)
        again = browser.call(
            "GET", f"/console/static/{name}", **{"If-None-Match": answer.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
    for name in ("../pages.py", "..%2fpages.py", "none.css", "pages.py", "__init__.py"):
        assert browser.get(f"/static/{name}").status_code in (401, 404)
    assert "def " not in browser.get("/static/../pages.py").text


def test_a_head_is_a_get_without_a_body(browser: Browser) -> None:
    answer = browser.as_("admin").call("HEAD", "/console/jobs")
    assert (answer.status_code, answer.content) == (200, b"")


def job(**values: Any) -> JobRow:
    """Write a job down."""
    given = {"name": "notes.count_words", "lane": "default", "payload": {}, "max_attempts": 5}
    row: JobRow = JobRow.create(**(given | values))
    return row
