"""How the console is served."""

import pytest
from tests.kernel.console.browser import Browser, Document


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
