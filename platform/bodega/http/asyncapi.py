"""The AsyncAPI 3.0 document: the events and channels of the Assembly."""

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import falcon

from bodega import __version__
from bodega.http.binding import not_modified, unchanged
from bodega.http.operations.events import types
from bodega_sdk.encoding import etag, to_json
from bodega_sdk.events import Channel, is_named
from bodega_sdk.permissions import PUBLIC

if TYPE_CHECKING:
    from bodega.assembly import Assembly
    from bodega.shop import Session

#: The channel of all events, which is the log itself.
LOG = "log"
_PARAMETER = re.compile(r"{(\w+)}")
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token, as logging in to the API gives it.",
}
_SERVER = {
    "host": "{host}",
    "pathname": "/ws",
    "protocol": "wss",
    "description": "The real-time server. Without TLS the protocol is ws.",
    "variables": {
        "host": {"default": "localhost:8001", "description": "Where `bodega realtime` listens."}
    },
    "security": [{"$ref": "#/components/securitySchemes/bearer"}],
}
_ENVELOPE = {
    "offset": {"type": "integer", "description": "Its place in the shop's one log."},
    "key": {"type": "string", "description": "What it is about; events of one key are in order."},
    "occurred_at": {"type": "string", "format": "date-time"},
}


def document(assembly: "Assembly") -> dict[str, Any]:
    """Return the document: every event and channel of the enabled addons."""
    found = types(assembly)
    names = [item["name"] for item in found]
    owners = {item.name: addon.name for addon in assembly.addons for item in addon.channels}
    channels = {
        _id(item): _channel(item, owners.get(item.name, ""), names) for item in assembly.channels
    }
    channels[LOG] = _log(names)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Bodega",
            "version": __version__,
            "description": "What happens in this shop, as its enabled addons make it.",
        },
        "defaultContentType": "application/json",
        "servers": {"realtime": _SERVER},
        "channels": channels,
        "operations": {f"send.{name}": _operation(name, item) for name, item in channels.items()},
        "components": {
            "messages": {item["name"]: _message(item) for item in found},
            "securitySchemes": {"bearer": _BEARER},
        },
    }


def _id(channel: Channel) -> str:
    """Return a channel's name without braces: ``imports.{id}`` as ``imports.id``."""
    return _PARAMETER.sub(r"\1", channel.name)


def _channel(channel: Channel, addon: str, names: list[str]) -> dict[str, Any]:
    carried = [name for name in names if is_named(name, channel.events)]
    return {
        "address": channel.name,
        "title": channel.summary,
        "description": "Subscribe to it on the real-time server.",
        "servers": [{"$ref": "#/servers/realtime"}],
        "messages": _messages(carried),
        "parameters": {
            name: {"description": "The key of the events."}
            for name in _PARAMETER.findall(channel.name)
        },
        "x-permission": channel.permission,
        "x-addon": addon,
        "x-conflate": channel.conflate,
        **({} if channel.path is None else {"x-path": f"/ws/{channel.path.strip('/')}/"}),
    }


def _log(names: list[str]) -> dict[str, Any]:
    return {
        # None: it is told elsewhere where this is read.
        "address": None,
        "title": "All events, in the order of their commits",
        "description": "The shop's log: addons subscribe to it, `GET /api/v1/events` reads it.",
        "messages": _messages(names),
        "x-permission": "bodega.read",
        "x-addon": "bodega",
    }


def _messages(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _operation(name: str, channel: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "title": channel["title"],
        "messages": [
            {"$ref": f"#/channels/{name}/messages/{message}"} for message in channel["messages"]
        ],
    }
    if channel["x-permission"] != PUBLIC:
        told["security"] = [{"$ref": "#/components/securitySchemes/bearer"}]
    return told


def _message(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": item["name"],
        "title": item["summary"],
        "contentType": "application/json",
        "payload": _payload(item),
        "x-version": item["version"],
        "x-addon": item["addon"],
    }


def _payload(item: dict[str, Any]) -> dict[str, Any]:
    members = {name: {"description": meaning} for name, meaning in item["fields"].items()}
    own = {
        "name": {"const": item["name"]},
        "version": {"const": item["version"]},
        "data": {"type": "object", "properties": members},
    }
    return {
        "type": "object",
        "required": ["offset", "name", "key", "data", "occurred_at"],
        "properties": _ENVELOPE | own,
    }


class AsyncApi:
    """Serves the document, made at its first request and kept with the Assembly."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    @cached_property
    def _json(self) -> bytes:
        return to_json(document(self._session.assembly))

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the document."""
        resp.content_type = "application/json"
        resp.data = self._json
        tag = etag(self._json)
        resp.set_header("ETag", tag)
        if unchanged(req, tag):
            not_modified(resp)

    on_head = on_get


def add_routes(app: falcon.App[Any, Any], session: "Session") -> None:
    """Serve it."""
    app.add_route("/api/asyncapi", AsyncApi(session))
