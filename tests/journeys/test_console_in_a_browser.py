"""The console in a real Chromium: log in, look around, open an addon's page, log out."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from bodega_sdk import uuid7
from bodega_sdk.testing import browsers
from bodega_sdk.testing.deployment import ADMIN, Deployment, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

MANIFEST = """
from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest():
    return Manifest(name="lamps", version="1.0.0", package="bodega_sample_lamps",
                    summary="Lamps <script>document.title = 'gotcha'</script>",
                    permissions={"lamps.read": "See lamps"})
"""
PLUGIN = """
from bodega_sdk import ConsolePage, hookimpl
from bodega_sdk.console import *

SCRIPT = "<img src=x onerror=\\"document.title = 'gotcha'\\">"


def lamps(request):
    yield Notice(SCRIPT)
    yield Bars([("Hall", 4), ("Cellar", 0)], "Lamps by room")
    yield Line([("Mon", 3), ("Tue", 8), ("Wed", 5)], "Lamps changed")
    columns = ["Lamp", "Room", "Watts", "State", "Filled", "A long word", "What it is for"]
    yield Table(columns, [[SCRIPT, "Hall", 40, Badge("lit", "good"), Progress(3, 10), "w" * 200,
                           "To see by. " * 20]])


@hookimpl
def register_console_pages():
    return [ConsolePage("lamps", "Lamps", "lamps.read", lamps, "Lamps and rooms.")]
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium; without one the tests fail and say how to get one."""
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A shop of real processes with an addon that has a page."""
    folder = tmp_path_factory.mktemp("console")
    environ = environment(folder / "shop")
    environ["PYTHONPATH"] += f"{os.pathsep}{_site(folder / 'site')}"
    shop = Deployment(environ, 2, folder)
    try:
        shop.up()
        done = shop.command("addons", "enable", "lamps")
        assert done.returncode == 0, done.stderr
        yield shop
    finally:
        shop.stop()


def _site(site: Path) -> Path:
    package, metadata = site / "bodega_sample_lamps", site / "bodega_sample_lamps-1.0.dist-info"
    package.mkdir(parents=True)
    metadata.mkdir()
    (package / "__init__.py").touch()
    (package / "manifest.py").write_text(MANIFEST)
    (package / "plugin.py").write_text(PLUGIN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: lamps\nVersion: 1.0\n")
    entry = "[bodega.addons]\nlamps = bodega_sample_lamps.manifest\n"
    (metadata / "entry_points.txt").write_text(entry)
    return site


@pytest.fixture(params=[1280, 360])
def page(chromium: Browser, shop: Deployment, request: Any) -> Iterator[Page]:
    """A page in a window of a width; nothing may go wrong in it, nothing lead elsewhere."""
    context = chromium.new_context(
        base_url=f"http://127.0.0.1:{shop.port}", viewport={"width": request.param, "height": 800}
    )
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    said: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda sent: asked.add(sent.url))
    yield page
    context.close()
    assert wrong == []
    # A browser tells of what the policy forbade, and of statuses that are no success.
    assert [line for line in said if "the server responded with a status of" not in line] == []
    assert {url for url in asked if not url.startswith(f"http://127.0.0.1:{shop.port}/")} == set()


def _log_in(page: Page, password: str = ADMIN[1]) -> None:
    page.get_by_label("E-mail address").fill(ADMIN[0])
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def _title(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def _fits(page: Page) -> None:
    """The page is not wider than its window, once its styles are there."""
    page.wait_for_load_state("load")
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1], (page.url, widths)


def test_one_logs_in_looks_around_and_logs_out(page: Page) -> None:
    page.goto("/console/addons")
    _title(page, "Log in")
    _fits(page)
    _log_in(page, "a wrong password")
    expect(page.get_by_role("alert")).to_contain_text("the password is wrong")
    _log_in(page)
    _title(page, "Addons")
    assert page.url.endswith("/console/addons")
    expect(page.get_by_role("rowheader", name="lamps")).to_be_visible()
    for name in ("Overview", "Processes", "Jobs", "Events", "Lamps"):
        page.get_by_role("navigation", name="Console").get_by_role("link", name=name).click()
        _title(page, name)
        _fits(page)
    expect(page.get_by_role("cell", name="To see by.")).to_be_visible()
    expect(page.locator("img")).to_have_count(0)
    assert page.title() == "Lamps – Bodega"
    page.get_by_role("button", name="Log out").click()
    _title(page, "Log in")
    assert page.url.endswith("/console")
    page.go_back()
    _title(page, "Log in")


@pytest.fixture
def guarded(shop: Deployment) -> tuple[str, str, pyotp.TOTP]:
    """Somebody with a second factor: address, password, and the app on their telephone."""
    email, password = f"{uuid7().hex}@shop.example", "a long enough password"
    admin = {"email": ADMIN[0], "password": ADMIN[1]}
    _, tokens, _ = shop.call("POST", "/api/v1/auth/login", admin)
    made = {"email": email, "password": password, "role": "admin"}
    assert shop.call("POST", "/api/v1/users", made, tokens["access"])[0] == 201
    _, mine, _ = shop.call("POST", "/api/v1/auth/login", {"email": email, "password": password})
    where, proof = "/api/v1/auth/second-factor", {"password": password}
    status, told, _ = shop.call("POST", where, proof, mine["access"])
    assert status == 200, told
    app = pyotp.TOTP(told["secret"])
    before = {"code": app.at(time.time() - 30)}
    assert shop.call("POST", f"{where}/confirm", before, mine["access"])[0] == 200
    return email, password, app


def test_who_has_a_second_factor_is_asked_for_its_code(
    page: Page, guarded: tuple[str, str, pyotp.TOTP]
) -> None:
    email, password, app = guarded
    page.goto("/console")
    code = page.get_by_label("Code of your second factor, or a recovery code")
    expect(code).to_be_hidden()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(code).to_be_visible()
    expect(code).to_be_focused()
    _fits(page)
    code.fill(app.now())
    page.get_by_role("button", name="Log in").click()
    _title(page, "Overview")


def test_the_cookie_is_hidden_from_scripts_and_bound_to_the_console(page: Page) -> None:
    page.goto("/console")
    _log_in(page)
    _title(page, "Overview")
    assert page.evaluate("document.cookie") == ""
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["path"]) == ("bodega_console", "/console")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert page.evaluate("fetch('/api/v1/addons').then(answer => answer.status)") == 401


def test_a_session_that_has_ended_leads_back_to_the_page_it_ended_on(page: Page) -> None:
    page.goto("/console/jobs?status=dead")
    _log_in(page)
    _title(page, "Jobs")
    (cookie,) = page.context.cookies()
    page.context.add_cookies([cookie | {"value": "no.longer.good"}])  # type: ignore[list-item]
    page.reload()
    _title(page, "Log in")
    expect(page.get_by_text("Your session has ended; log in again.")).to_be_visible()
    _log_in(page)
    _title(page, "Jobs")
    assert page.url.endswith("/console/jobs?status=dead")


def test_everything_can_be_reached_with_the_keyboard(page: Page) -> None:
    page.goto("/console")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(ADMIN[0])
    page.keyboard.press("Tab")
    page.keyboard.type(ADMIN[1])
    page.keyboard.press("Enter")
    _title(page, "Overview")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto("/console")
    _log_in(page)
    _title(page, "Overview")
    page.goto("/console/lamps")
    for selector in ("h1", ".summary", ".badge", ".notice", "header li a", "footer p", "button"):
        assert _contrast(page, selector) >= 4.5, selector


def _contrast(page: Page, selector: str) -> float:
    """Return the contrast of an element's text with what is behind it (WCAG 2.2)."""
    ratio: float = page.locator(selector).first.evaluate("""element => {
      const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
      const light = colour => {
        const [r, g, b] = numbers(colour).slice(0, 3).map(value => value / 255)
          .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      let ground = element;
      while (numbers(getComputedStyle(ground).backgroundColor)[3] === 0) {
        ground = ground.parentElement;
      }
      const pair = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor]
        .map(light).sort((one, other) => other - one);
      return (pair[0] + 0.05) / (pair[1] + 0.05);
    }""")
    return ratio


def test_a_machine_without_a_browser_is_told_how_to_get_one(tmp_path: Path) -> None:
    own = str(tmp_path / "chrome")
    with pytest.raises(browsers.BrowserNotFound, match="run `apt-get install chromium`"):
        browsers.program({"PATH": str(tmp_path)}, own)
    with pytest.raises(browsers.BrowserNotFound, match="BODEGA_TEST_BROWSER=/none"):
        browsers.program({"BODEGA_TEST_BROWSER": "/none"}, own)
    (tmp_path / "chrome").touch(0o755)
    assert browsers.program({"PATH": "/none"}, own) == own
