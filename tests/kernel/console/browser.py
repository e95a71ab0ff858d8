"""Somebody who looks at the console, and what is on a page."""

from dataclasses import dataclass, replace
from datetime import timedelta
from html.parser import HTMLParser

from falcon import testing

from bodega.http.gate import Gate
from bodega.shop import Shop
from bodega_sdk import issue_token, uuid7
from bodega_sdk.runtime import bound

SCRIPT = "<script>alert('gotcha')</script>"
PAGES = ("", "/addons", "/jobs", "/events", "/processes")


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


def assert_no_script_of_theirs(html: str) -> None:
    """The page has our scripts only, and no markup that came with data."""
    page = Document(html)
    assert {item.get("src") for item in page.all("script")} <= {
        "/console/static/console.js", "/console/static/login.js",
    }, page.all("script")  # fmt: skip
    assert SCRIPT not in html, html
    for _, attrs in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attrs), attrs
