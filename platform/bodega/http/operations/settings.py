"""``/settings``: what the addons let an operator set."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from marshmallow import fields

from bodega import operator_settings
from bodega.operator_settings import OperatorSetting
from bodega_sdk.http import Parameter, Reply, Request, Route
from bodega_sdk.schemas import Boolean, List, Schema, String

if TYPE_CHECKING:
    from bodega.shop import Session

log = structlog.get_logger(__name__)


class SettingSchema(Schema):
    """A setting and its value; a secret's is shown as ``••••``."""

    name = String()
    addon = String()
    state = String(metadata={"enum": ["enabled", "quarantined", "disabled"]})
    type = String(metadata={"enum": ["str", "int", "float", "bool"]})
    value = fields.Raw()
    default = fields.Raw()
    help = String()
    minimum = fields.Float(allow_none=True)
    maximum = fields.Float(allow_none=True)
    choices = List(fields.Raw())
    secret = Boolean()
    source = String(
        metadata={
            "description": "Where its value comes from: environment, file, addon NAME (an addon "
            "that gives secrets), stored or default. What comes first there wins over what is "
            "stored."
        }
    )
    changed = Boolean(metadata={"description": "Whether the operator gave it a value."})


class SettingValueSchema(Schema):
    """The value to give a setting, of the setting's type."""

    # load_only: what is refused is not repeated, for it may be a secret.
    value = fields.Raw(required=True, load_only=True)


class OperatorSettings:
    """The handlers."""

    def __init__(self, session: "Session") -> None:
        self._shop = session.shop

    def list(self, request: Request) -> dict[str, Any]:
        """All settings; there are never so many that they need pages."""
        listed = operator_settings.listing(self._shop, disabled=request.query["all"])
        found = [item.as_json() for item in listed]
        return {"count": len(found), "next": None, "previous": None, "results": found}

    def read(self, request: Request) -> dict[str, Any]:
        """One setting."""
        return operator_settings.find(self._shop, request.params["name"]).as_json()

    def write(self, request: Request) -> dict[str, Any]:
        """Give it a value."""
        name, value = request.params["name"], request.body["value"]
        changed, generation = operator_settings.change(self._shop, name, value, _if_match(request))
        self._log("setting changed", request, generation)
        return changed.as_json()

    def reset(self, request: Request) -> Reply:
        """Give it its default back."""
        name = request.params["name"]
        _, generation = operator_settings.reset(self._shop, name, _if_match(request))
        self._log("setting unset", request, generation)
        return Reply(status=204)

    def _log(self, fact: str, request: Request, generation: int) -> None:
        # Never the value: it may be a secret.
        by = request.identity.subject
        log.info(fact, setting=request.params["name"], by=by, generation=generation)


def _if_match(request: Request) -> Callable[[OperatorSetting], None]:
    """Return what refuses a write when If-Match names another state of the setting."""
    return lambda found: request.refuse_stale("setting", found.as_json)


def routes(session: "Session") -> tuple[Route, ...]:
    """Return the routes."""
    settings = OperatorSettings(session)
    item: dict[str, Any] = {"path_types": {"name": str}}
    everything = Parameter("all", bool, "List those of disabled addons too.", False)
    follow = "Every process computes its next Assembly with it, within a second."
    return (
        Route(
            "GET", "/settings", settings.list, "bodega.read", "List settings",
            parameters=(everything,), returns=SettingSchema, listing=True,
        ),
        Route(
            "GET", "/settings/{name}", settings.read, "bodega.read", "Read a setting",
            returns=SettingSchema, **item,
        ),
        Route(
            "PUT", "/settings/{name}", settings.write, "bodega.write", "Change a setting",
            description=follow, body=SettingValueSchema, returns=SettingSchema, **item,
        ),
        Route(
            "DELETE", "/settings/{name}", settings.reset, "bodega.write",
            "Give a setting its default back", description=follow, status=204, **item,
        ),
    )  # fmt: skip
