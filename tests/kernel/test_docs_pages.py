"""The documentation pages: offline, complete, and told to browsers not to go elsewhere."""

from html.parser import HTMLParser
from typing import Any

import pytest
from falcon import testing

from bodega.http.gate import Gate

# Pages and files: no engine has a say in them.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

PAGES = ("/api/docs", "/api/redoc")
ADDRESSES = {"src", "href", "data-url", "action", "srcset", "content"}


class Links(HTMLParser):
    """Collects every address that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ADDRESSES and value]
        self._in_script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.scripts.append(data)


def links(page: Any) -> list[str]:
    parser = Links()
    parser.feed(page.text)
    return [link for link in parser.found if link.startswith(("/", "http", "//"))]


@pytest.fixture
def gate(empty_shop: Any) -> Gate:
    return Gate(empty_shop)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_served_with_and_without_a_slash(gate: Gate, path: str) -> None:
    for address in (path, f"{path}/"):
        answer = testing.simulate_get(gate, address)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_no_other_host(gate: Gate, path: str) -> None:
    page = testing.simulate_get(gate, path)
    assert "http:" not in page.text
    assert "https:" not in page.text
    assert 'src="//' not in page.text
    assert links(page)


@pytest.mark.parametrize("path", PAGES)
def test_everything_that_a_page_names_is_there(gate: Gate, path: str) -> None:
    for link in links(testing.simulate_get(gate, path)):
        answer = testing.simulate_get(gate, link)
        assert answer.status_code == 200, link
        assert len(answer.content) > 20, link
        kind = answer.headers["content-type"]
        if link.endswith(".js"):
            assert "javascript" in kind, link
        if link.endswith(".css"):
            assert "css" in kind, link


@pytest.mark.parametrize("path", PAGES)
def test_a_page_forbids_browsers_to_load_from_elsewhere(gate: Gate, path: str) -> None:
    answer = testing.simulate_get(gate, path)
    policy = dict(
        rule.strip().partition(" ")[::2]
        for rule in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert "'unsafe-inline'" not in policy["script-src"]
    for sources in policy.values():
        assert not any("://" in source or source == "*" for source in sources.split())


@pytest.mark.parametrize("path", PAGES)
def test_no_page_needs_a_script_inside_it(gate: Gate, path: str) -> None:
    parser = Links()
    parser.feed(testing.simulate_get(gate, path).text)
    assert parser.scripts == []


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_this_shops_document(gate: Gate, path: str) -> None:
    page = testing.simulate_get(gate, path)
    texts = [page.text] + [
        testing.simulate_get(gate, link).text for link in links(page) if "start" in link
    ]
    assert any("/api/schema" in text for text in texts)


@pytest.mark.parametrize(
    "path",
    ["/api/docs/assets/../../secret", "/api/docs/assets/%2e%2e/%2e%2e/x", "/api/redoc/assets/none"],
)
def test_assets_are_all_that_is_served_below_assets(gate: Gate, path: str) -> None:
    assert testing.simulate_get(gate, path).status_code == 404


def test_the_front_page_leads_to_everything_else(gate: Gate) -> None:
    page = testing.simulate_get(gate, "/").json
    assert page["addons"] == ["accounts"]
    for name in ("documentation", "reference", "schema", "health"):
        assert testing.simulate_get(gate, page[name]).status_code == 200
