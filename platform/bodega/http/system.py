"""The kernel's own addresses: the front page, problem explanations, keys and metrics."""

import inspect
from typing import TYPE_CHECKING, Any

import falcon

from bodega import __version__
from bodega.http.errors import CATALOGUE, PROBLEMS_ROOT
from bodega.telemetry import metrics
from bodega.telemetry.lag import LagCollector
from bodega_sdk.errors import NotFound, Problem

if TYPE_CHECKING:
    from bodega.shop import Session


class FrontPage:
    """Where a newcomer finds everything else."""

    def __init__(self, session: "Session") -> None:
        self._addons = [addon.name for addon in session.assembly.addons]

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the addresses to go on from."""
        resp.media = {
            "name": "Bodega",
            "version": __version__,
            "addons": self._addons,
            "documentation": "/api/docs",
            "reference": "/api/redoc",
            "schema": "/api/schema",
            "events": "/api/asyncapi",
            "health": "/health/detailed",
        }

    on_head = on_get


class ProblemPage:
    """Explains one type of problem."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, code: str) -> None:
        """Answer with the title, the status and the meaning."""
        kind = CATALOGUE.get(code) or _of_addons(code)
        if kind is None:
            raise NotFound(f"There is no problem type {code!r}.")
        meaning = inspect.cleandoc(kind.__doc__ or "").splitlines()[0]
        resp.media = {
            "type": f"{PROBLEMS_ROOT}/{code}",
            "title": kind.title,
            "status": kind.status,
            "meaning": meaning,
        }

    on_head = on_get


def _of_addons(code: str) -> type[Problem] | None:
    """Return the type of problem that an addon declares by its code."""
    found, waiting = None, [Problem]
    while waiting and found is None:
        kind = waiting.pop()
        found = kind if kind.code == code else None
        waiting += kind.__subclasses__()
    return found


class Jwks:
    """The public keys that tokens are checked with (RFC 7517)."""

    def __init__(self, session: "Session") -> None:
        self._shop = session.shop

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the key set."""
        self._shop.revocations.keep_up()
        resp.media = self._shop.keys.jwks()
        resp.cache_control = ["public", "max-age=300"]

    on_head = on_get


class Metrics:
    """The metrics of all processes for Prometheus."""

    def __init__(self, session: "Session") -> None:
        self._lag = LagCollector(session)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer in Prometheus' text format."""
        resp.content_type = metrics.CONTENT_TYPE_LATEST
        resp.data = metrics.exposition(self._lag)

    on_head = on_get


def add_routes(app: falcon.App[Any, Any], session: "Session") -> None:
    """Serve them."""
    app.add_route("/", FrontPage(session))
    app.add_route(PROBLEMS_ROOT + "/{code}", ProblemPage())
    app.add_route("/.well-known/jwks.json", Jwks(session))
    app.add_route("/metrics", Metrics(session))
