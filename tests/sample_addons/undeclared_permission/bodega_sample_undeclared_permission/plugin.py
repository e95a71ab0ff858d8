"""A route that asks for a permission that does not exist."""

from bodega_sdk import Route, Routes, hookimpl


@hookimpl
def register_routes(routes: Routes) -> None:
    """Serve it."""
    path, permission = "/undeclared-permission", "undeclared_permission.read"
    routes.add(Route("GET", path, lambda request: {}, permission, "Things"))
