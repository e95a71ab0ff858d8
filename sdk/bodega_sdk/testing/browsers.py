"""Give tests a real Chromium, which they drive with playwright.

It is looked for in this order: the program that ``BODEGA_TEST_BROWSER`` names; Chromium or Chrome
as this machine has it installed (``apt-get install chromium`` on Debian); the one that playwright
downloaded.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

VARIABLE = "BODEGA_TEST_BROWSER"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class BrowserNotFound(RuntimeError):
    """No Chromium was found."""


@contextmanager
def chromium(environ: Mapping[str, str] = os.environ) -> Iterator[Browser]:
    """Run a Chromium without a window for the block.

    Raises:
        BrowserNotFound: there is none; the message says where it was looked for.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program(environ, playwright.chromium.executable_path),
            args=_arguments(),
        )
        try:
            yield browser
        finally:
            browser.close()


def program(environ: Mapping[str, str], own: str) -> str:
    """Return the path of the browser's program.

    Args:
        own: where playwright keeps the one that it downloads.

    Raises:
        BrowserNotFound: there is none.
    """
    given = environ.get(VARIABLE)
    places = (given,) if given else (*_installed(environ), own)
    for place in places:
        if os.access(place, os.X_OK) and Path(place).is_file():
            return place
    looked = f"{VARIABLE}={given}" if given else f"{VARIABLE}, {', '.join(_PROGRAMS)} and {own}"
    raise BrowserNotFound(
        f"No Chromium for the tests (looked for {looked}): run `apt-get install chromium` "
        f"or `playwright install chromium`, or set {VARIABLE} to its program."
    )


def _installed(environ: Mapping[str, str]) -> Iterator[str]:
    for name in _PROGRAMS:
        found = shutil.which(name, path=environ.get("PATH", os.defpath))
        if found:
            yield found


def _arguments() -> list[str]:
    # Chromium's sandbox does not work for root; it sees the pages of the test's own shop only.
    return ["--no-sandbox"] if os.geteuid() == 0 else []
