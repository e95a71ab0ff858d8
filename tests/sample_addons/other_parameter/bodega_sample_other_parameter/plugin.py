"""A route that names a place of a route of notes differently."""

from bodega_sdk import PUBLIC, Route, Routes, hookimpl


@hookimpl
def register_routes(routes: Routes) -> None:
    """Serve it."""
    routes.add(Route("GET", "/notes/{slug}/lines", lambda request: {}, PUBLIC, "Lines of a note"))
