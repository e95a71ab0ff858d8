"""Serving the console: who is asking, which page, and what if it fails."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import falcon
import structlog
from markupsafe import Markup

from bodega import __version__
from bodega.console.files import Files
from bodega.console.navigation import KERNEL, Entry, entries, visible
from bodega.console.rendering import render, render_blocks
from bodega.console.session import PATH, ConsoleSession, forget, logged_in
from bodega.http.binding import authorise
from bodega.http.closed import problem_of
from bodega_sdk.console import Block, Notice, Text
from bodega_sdk.errors import NotFound, Problem, Unauthenticated
from bodega_sdk.http import Request
from bodega_sdk.identity import Identity

if TYPE_CHECKING:
    from bodega.shop import Session

log = structlog.get_logger(__name__)
# Forms are sent by script only: a browser must never send a password by itself.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}


class Console:
    """Every page of the console."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._entries = entries(session)
        self._offers_login = any(
            (route.method, route.path) == ("POST", "/auth/login")
            for route in session.assembly.routes
        )

    def on_get(self, req: falcon.Request, resp: falcon.Response, path: str = "") -> None:
        """Answer with the page, the login, or why there is neither."""
        ended = ""
        try:
            identity = logged_in(self._session, req)
        except Unauthenticated:
            identity, ended = None, "Your session has ended; log in again."
            forget(resp)
        if identity is None:
            self._login(resp, ended)
        else:
            self._page(req, resp, identity, path)

    on_head = on_get

    def _login(self, resp: falcon.Response, ended: str) -> None:
        page = self._render("login.html", title="Log in", ended=ended, login=self._offers_login)
        resp.set_header("WWW-Authenticate", "Bearer")
        _answer(resp, 401, page)

    def _page(
        self, req: falcon.Request, resp: falcon.Response, identity: Identity, path: str
    ) -> None:
        entry = self._entries.get(path)
        status, title, summary = 200, "", ""
        try:
            content = self._content(req, identity, entry)
            title, summary = (entry.title, entry.summary) if entry else ("", "")
        except Problem as problem:
            status, title, content = problem.status, problem.title, _told(problem)
            if problem.retry_after is not None:
                resp.set_header("Retry-After", str(problem.retry_after))
        # Whatever an addon's page does, the console goes on.
        except (Exception, SystemExit) as error:
            owner = entry.owner if entry else KERNEL
            log.error("a console page failed", addon=owner, page=path, exc_info=error)
            status, title = 503, "This page failed"
            content = render_blocks(_failure(owner, req.context.request_id))
        page = self._render(
            "page.html", title=title, summary=summary, content=content, roles=identity.roles,
            navigation=visible(self._entries, identity), here=entry.address if entry else "",
        )  # fmt: skip
        _answer(resp, status, page)

    def _content(self, req: falcon.Request, identity: Identity, entry: Entry | None) -> Markup:
        if entry is None:
            raise self._missing(req.path)
        authorise(identity, entry.page.permission)
        query = entry.route.load_query(req.params)
        return render_blocks(entry.page.render(Request({}, query, None, identity, req)))

    def _missing(self, path: str) -> Problem:
        """Return why there is no such page: of a quarantined addon's it is known."""
        owner = path.split("/")[2].replace("-", "_")
        fault = self._session.assembly.faults.get(owner)
        if fault is not None:
            return problem_of(fault)
        return NotFound("There is no such page; perhaps it belongs to an addon that is disabled.")

    def _render(self, template: str, **values: Any) -> Markup:
        generation = self._session.assembly.generation
        return render(template, version=__version__, generation=generation, **values)


def _told(problem: Problem) -> Markup:
    return render_blocks([Notice(problem.detail, "warning")])


def _failure(owner: str, request_id: str) -> Iterator[Block]:
    who = "The kernel" if owner == KERNEL else f"The addon {owner}"
    yield Notice(f"{who} could not make this page.", "bad")
    yield Text(f"The log says why, under the request id {request_id}.")


def _answer(resp: falcon.Response, status: int, page: Markup) -> None:
    resp.status = status
    resp.content_type = "text/html; charset=utf-8"
    # What addons bring may hold halves of characters, which have no bytes.
    resp.data = page.encode("utf-8", "replace")
    for name, value in _HEADERS.items():
        resp.set_header(name, value)


def add_routes(app: falcon.App[Any, Any], session: "Session") -> None:
    """Serve them."""
    console = Console(session)
    app.add_route(f"{PATH}/session", ConsoleSession(session))
    app.add_route(f"{PATH}/static/{{name}}", Files())
    app.add_route(PATH, console)
    app.add_route(f"{PATH}/{{path:path}}", console)
