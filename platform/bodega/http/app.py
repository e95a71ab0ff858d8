"""The WSGI app of one Assembly."""

from collections import defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import falcon
import orjson
from falcon import media

from bodega.console import pages as console
from bodega.http import asyncapi, closed, docs, health, openapi, system
from bodega.http.binding import Responder
from bodega.http.cors import Cors
from bodega.http.errors import add_error_handlers
from bodega.http.limiting import RateLimits
from bodega.http.middleware import ConnectionPerRequest, Edge, RequestContext
from bodega.http.operations import kernel_routes
from bodega.http.shortcut import Shortcut
from bodega_sdk.encoding import to_json
from bodega_sdk.http import Route

if TYPE_CHECKING:
    from bodega.shop import Session

API_ROOT = "/api/v1"


def build_app(session: "Session") -> Shortcut:
    """Build the app that serves an Assembly: its addons' routes and the kernel's own."""
    limits = _limits(session)
    app: falcon.App[Any, Any] = falcon.App(middleware=_middleware(session, limits))
    app.req_options.strip_url_path_trailing_slash = True
    app.req_options.keep_blank_qs_values = True
    app.req_options.auto_parse_qs_csv = False
    json = media.JSONHandler(dumps=to_json, loads=orjson.loads)
    app.resp_options.media_handlers["application/json"] = json
    add_error_handlers(app)
    routes = (*kernel_routes(session), *session.assembly.routes)
    for path, resource in resources(routes, session).items():
        app.add_route(API_ROOT + path, resource)
    for kernel_part in (system, health, openapi, asyncapi, docs, console):
        kernel_part.add_routes(app, session)
    closed.add_sinks(app, API_ROOT, session.assembly.closed)
    return Shortcut(session, app, limits)


def _limits(session: "Session") -> RateLimits | None:
    settings = session.shop.settings
    limited = settings.rate_limit or settings.rate_limit_anonymous
    return RateLimits(session, API_ROOT) if limited else None


def _middleware(session: "Session", limits: RateLimits | None) -> list[Any]:
    """Return what happens around every request, the outermost first."""
    origins = session.shop.settings.cors_origins
    return [
        *([Cors(origins, session.assembly.routes)] if origins else ()),
        Edge(session),
        ConnectionPerRequest(session),
        *([limits] if limits else ()),
        RequestContext(session),
    ]


def resources(routes: tuple[Route, ...], session: "Session") -> dict[str, Any]:
    """Return a Falcon resource for each path of the routes."""
    by_path: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        responder = Responder(route, session)
        by_path[route.path][f"on_{route.method.lower()}"] = responder
        if route.method == "GET":
            by_path[route.path]["on_head"] = responder
    for methods in by_path.values():
        if "on_options" in methods:
            # Falcon says which methods there are only where nothing else is said.
            allowed = ", ".join(sorted(name.removeprefix("on_").upper() for name in methods))
            methods["on_options"] = _Allowing(methods["on_options"], allowed)
    return {path: SimpleNamespace(**methods) for path, methods in by_path.items()}


class _Allowing:
    """Answers OPTIONS: by a route, and with the methods of its address."""

    def __init__(self, responder: Any, allowed: str) -> None:
        self._responder = responder
        self._allowed = allowed

    def __call__(self, req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        resp.set_header("Allow", self._allowed)
        self._responder(req, resp, **params)
