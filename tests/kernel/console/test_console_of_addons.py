"""What addons bring to the console, and what a page's failure does to the rest."""

from urllib.parse import quote

import pytest
from tests.kernel.console.browser import Browser, Document, assert_no_script_of_theirs


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
