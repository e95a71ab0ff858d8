"""The index of ballroom: every hook it implements, and where."""

from collections.abc import Iterable
from typing import Any

from bodega_sample_ballroom.models import Guest
from bodega_sample_ballroom.welcoming import welcome

from bodega_sdk import PUBLIC, Model, Parameter, Request, Route, Routes, hookimpl, transaction


@hookimpl
def register_models() -> Iterable[type[Model]]:
    """Return the table."""
    return [Guest]


@hookimpl
def register_routes(routes: Routes) -> None:
    """Serve the door."""
    name = Parameter("name", str, "Who comes.", "Ada")
    routes.add(
        Route("POST", "/ballroom/guests", come_in, PUBLIC, "Come in", parameters=(name,)),
        Route("GET", "/ballroom/guests", count, PUBLIC, "Count the guests"),
    )


def come_in(request: Request) -> dict[str, Any]:
    """Let a guest in."""
    with transaction():
        return welcome(request.query["name"])


def count(request: Request) -> dict[str, Any]:
    """Count them."""
    return {"guests": Guest.select().count()}
