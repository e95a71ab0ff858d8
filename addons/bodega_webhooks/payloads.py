"""What is sent: an event as JSON, in the format and the version that a webhook wants."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from bodega_sdk import Occurrence
from bodega_webhooks.hookspecs import older_payload
from bodega_webhooks.models import Webhook

#: ``standard`` is that of Standard Webhooks, with what an event has besides; ``compatible``
#: has ``event_type``, ``timestamp`` and ``data``.
FORMATS = ("standard", "compatible")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body.

    Args:
        id: of the payload: the same for all webhooks that get this body.
        fault: why a webhook cannot be sent it; empty when it can.
    """

    id: str
    body: str
    fault: str = ""


def whole(event: Occurrence) -> dict[str, Any]:
    """Return an event as filters see it, and as the standard format has it."""
    return {
        "type": event.name,
        "timestamp": _iso(event.occurred_at),
        "version": event.version,
        "sequence": event.offset,
        "key": event.key,
        "data": event.data,
    }


class Bodies:
    """The bodies of some events, each made once."""

    def __init__(self) -> None:
        self.made: dict[str, Rendered] = {}

    def of(self, event: Occurrence, webhook: Webhook) -> Rendered:
        """Return the body that a webhook gets of an event."""
        wanted = webhook.payload_versions.get(event.name, event.version)
        version = min(wanted, event.version)
        key = f"{event.offset}.{version}.{webhook.format}"
        if key not in self.made:
            self.made[key] = _rendered(key, event, version, webhook.format)
        return self.made[key]


def _rendered(key: str, event: Occurrence, version: int, form: str) -> Rendered:
    data: Any = event.data
    if version != event.version:
        data = older_payload(event.name, event.version, version, event.data)
    if data is None:
        fault = (
            f"it is pinned to version {version} of {event.name}, and no addon makes that of "
            f"version {event.version}; pin it to a newer one and replay this"
        )
        newest = f"{event.offset}.{event.version}.{form}"
        return Rendered(newest, _body(event, event.version, event.data, form), fault)
    return Rendered(key, _body(event, version, data, form))


def _body(event: Occurrence, version: int, data: Any, form: str) -> str:
    if form == "compatible":
        return compatible(event.name, event.occurred_at, data)
    return orjson.dumps(whole(event) | {"version": version, "data": data}).decode()


def compatible(event_type: str, at: datetime, data: Any) -> str:
    """Return a body in the compatible format."""
    told = {"event_type": event_type, "timestamp": _iso(at), "data": data}
    return orjson.dumps(told).decode()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
