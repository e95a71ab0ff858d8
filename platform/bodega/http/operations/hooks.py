"""``/hooks``: what addons publish for others to implement, and who does."""

from typing import TYPE_CHECKING, Any

from marshmallow import fields

from bodega.hooks import quarantine
from bodega.hooks.explain import explain_all
from bodega_sdk.errors import FieldError, NotFound
from bodega_sdk.hooks import KINDS
from bodega_sdk.http import Request, Route
from bodega_sdk.schemas import List, Nested, Schema, String

if TYPE_CHECKING:
    from bodega.shop import Session


class LinkSchema(Schema):
    """One implementation in a chain."""

    addon = String()
    at = String(metadata={"description": "File and line."})
    marks = List(String())
    quarantined = String(
        allow_none=True, metadata={"description": "Why it is not called; null when it is."}
    )


class HookSchema(Schema):
    """A hook and its implementations, in the order in which they are entered."""

    name = String()
    kind = String(metadata={"enum": list(KINDS)})
    budget = fields.Float(metadata={"description": "Seconds that an implementation may take."})
    publisher = String()
    signature = String()
    failure = String(metadata={"description": "What a failing implementation means."})
    doc = String()
    at = String()
    chain = List(Nested(LinkSchema))


class Hooks:
    """The handlers."""

    def __init__(self, session: "Session") -> None:
        self._assembly = session.assembly

    def list(self, request: Request) -> dict[str, Any]:
        """All hooks; there are never so many that they need pages."""
        found = [item.as_json() for item in explain_all(self._assembly, quarantine.recorded())]
        return {"count": len(found), "next": None, "previous": None, "results": found}

    def read(self, request: Request) -> dict[str, Any]:
        """One hook."""
        name = request.params["name"]
        for item in explain_all(self._assembly, quarantine.recorded()):
            if name in (item.name, item.short):
                return item.as_json()
        message = "No enabled addon publishes a hook of this name."
        raise NotFound(message, [FieldError("name", message, name)])


def routes(session: "Session") -> tuple[Route, ...]:
    """Return the routes."""
    hooks = Hooks(session)
    return (
        Route(
            "GET", "/hooks", hooks.list, "bodega.read", "List the hooks of addons",
            returns=HookSchema, listing=True,
        ),
        Route(
            "GET", "/hooks/{name}", hooks.read, "bodega.read", "Explain a hook",
            description="Named with or without its publisher.",
            returns=HookSchema, path_types={"name": str},
        ),
    )  # fmt: skip
