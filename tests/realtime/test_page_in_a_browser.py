"""The example page in a real Chromium: it listens, comes back and shows no markup of events."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import expect

from bodega_sdk.testing import browsers

pytestmark = [
    pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.parametrize("engine", ["sqlite"]),
]  # fmt: skip
PAGES = Path(__file__).parents[2] / "docs" / "examples"
NASTY = "<img src=x onerror=\"document.title = 'gotcha'\">"


class Quiet(SimpleHTTPRequestHandler):
    """A web server that says nothing."""

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def pages() -> Any:
    """The address of the example pages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(PAGES))) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


def test_the_page_listens_and_goes_on_where_it_stopped(
    pages: str, server: Any, door: Any, publisher: Any
) -> None:
    with browsers.chromium() as browser:
        page = browser.new_page()
        login = {"access": door.token}
        page.route("**/auth/login", lambda route: route.fulfill(json=login))
        page.goto(f"{pages}/listening.html")
        page.fill("[name=api]", f"{pages}/api/v1")
        page.fill("[name=url]", f"ws://127.0.0.1:{door.port}/ws")
        page.fill("[name=channel]", publisher.channel)
        page.click("button")
        expect(page.locator("#state")).to_have_text("listening")
        publisher.publish(2, note=NASTY)
        lines = page.locator("#events li")
        expect(lines).to_have_count(2)
        for listener in tuple(server._hub.listeners):
            server._loop.call_soon_threadsafe(listener._websocket.transport.abort)
        expect(page.locator("#state")).to_have_text("away")
        publisher.publish(2)
        expect(lines).to_have_count(4, timeout=15_000)
        found = [text.partition('"number":')[2][0] for text in lines.all_text_contents()]
        assert found == ["0", "1", "2", "3"]
        assert page.title() == "Listening to a shop"
        page.close()
