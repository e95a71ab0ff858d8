"""``/addons``: what there is and in which state."""

from typing import TYPE_CHECKING, Any

from bodega.addons.listing import listing
from bodega_sdk.errors import FieldError, NotFound
from bodega_sdk.http import Request, Route
from bodega_sdk.schemas import List, Nested, Schema, String

if TYPE_CHECKING:
    from bodega.shop import Session


class FaultSchema(Schema):
    """Why an addon is quarantined."""

    addon = String()
    culprit = String()
    reason = String()
    remedy = String()


class AddonSchema(Schema):
    """An addon and its state."""

    name = String()
    version = String()
    state = String(metadata={"enum": ["available", "disabled", "enabled", "quarantined"]})
    summary = String()
    depends = List(String())
    fault = Nested(FaultSchema, allow_none=True)


class Addons:
    """The handlers."""

    def __init__(self, session: "Session") -> None:
        self._shop = session.shop

    def list(self, request: Request) -> dict[str, Any]:
        """All addons; there are never so many that they need pages."""
        found = [item.as_json() for item in listing(self._shop)]
        return {"count": len(found), "next": None, "previous": None, "results": found}

    def read(self, request: Request) -> dict[str, Any]:
        """One addon."""
        name = request.params["name"]
        for item in listing(self._shop):
            if item.name == name:
                return item.as_json()
        message = "There is no addon of this name."
        raise NotFound(message, [FieldError("name", message, name)])


def routes(session: "Session") -> tuple[Route, ...]:
    """Return the routes."""
    addons = Addons(session)
    named = {"name": str}
    return (
        Route(
            "GET", "/addons", addons.list, "bodega.read", "List addons",
            returns=AddonSchema, listing=True,
        ),
        Route(
            "GET", "/addons/{name}", addons.read, "bodega.read", "Read an addon",
            returns=AddonSchema, path_types=named,
        ),
    )  # fmt: skip
