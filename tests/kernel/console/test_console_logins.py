"""The console: who gets in, and who sees which pages."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from falcon import testing
from tests.kernel.console.browser import PAGES, Browser, Document
from tests.kernel.console.odd_addon import FIELDS

from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.gate import Gate
from bodega.shop import Shop
from bodega_sdk import issue_token, uuid7
from bodega_sdk.testing.deployment import ADMIN

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
