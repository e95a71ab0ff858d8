"""A route below a root that is not the addon's."""

from bodega_sdk import PUBLIC, Route, Routes, hookimpl


@hookimpl
def register_routes(routes: Routes) -> None:
    """Serve it."""
    routes.add(Route("GET", "/elsewhere/things", lambda request: {}, PUBLIC, "Things"))
