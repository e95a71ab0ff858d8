"""The index of walls."""

from bodega_sdk import PUBLIC, Request, Route, Routes, hookimpl


def show_wall(request: Request) -> dict[str, str]:
    """Return the wall."""
    return {"wall": "white"}


@hookimpl
def register_routes(routes: Routes) -> None:
    """Serve the wall."""
    routes.add(Route("GET", "/walls", show_wall, PUBLIC, "Look at the wall"))
