"""All pages of the console: the kernel's own and those of the enabled addons."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bodega.console import activity, audit, mail, overview, subscriptions
from bodega_sdk.console import ConsolePage
from bodega_sdk.http import Route
from bodega_sdk.identity import Identity

if TYPE_CHECKING:
    from bodega.shop import Session

KERNEL = "bodega"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page and whose it is.

    Args:
        owner: the addon's name; the kernel's own pages are ``bodega``'s.
    """

    page: ConsolePage
    owner: str

    @property
    def title(self) -> str:
        """Its title."""
        return str.__str__(self.page.title)

    @property
    def summary(self) -> str:
        """Its summary."""
        return str.__str__(self.page.summary)

    @property
    def address(self) -> str:
        """Where it stands."""
        return f"/console/{self.page.path}".rstrip("/")

    @property
    def route(self) -> Route:
        """The page as a route, which knows how to check a query."""
        page = self.page
        return Route(
            "GET", self.address, page.render, page.permission, page.title,
            parameters=page.parameters,
        )  # fmt: skip


def entries(session: "Session") -> dict[str, Entry]:
    """Return the pages by their paths, in the order in which they are listed."""
    parts = (overview, activity, subscriptions, mail, audit)
    own = [Entry(page, KERNEL) for part in parts for page in part.pages(session)]
    theirs = [
        Entry(page, addon.name) for addon in session.assembly.addons for page in addon.console_pages
    ]
    return {entry.page.path: entry for entry in (*own, *theirs)}


def visible(found: dict[str, Entry], identity: Identity) -> list[Entry]:
    """Return the pages that somebody may see."""
    return [entry for entry in found.values() if identity.may(entry.page.permission)]
