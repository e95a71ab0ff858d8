"""What an event looks like to each kind of client: built once, written to every transport."""

from collections.abc import Callable

from bodega_realtime import messages
from bodega_sdk.encoding import to_json
from bodega_sdk.events import Occurrence

#: Makes an event of a channel what is written to a transport.
Encode = Callable[[str, Occurrence], bytes]
_TEXT = 0x81  # The last frame of a message, and it is text (RFC 6455, 5.2).


def text(payload: bytes) -> bytes:
    """Return the WebSocket frame of a text message of a server, which masks nothing."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 2**16:
        return bytes((_TEXT, 126)) + size.to_bytes(2) + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8) + payload


def message(channel: str, event: Occurrence) -> bytes:
    """Tell a client that speaks the protocol."""
    return text(messages.event(channel, event))


def data(channel: str, event: Occurrence) -> bytes:
    """Tell a client of a plain stream: nothing but the event's data."""
    return text(to_json(event.data))


def sent_event(epoch: str) -> Encode:
    """Return what tells a client of server-sent events of a shop."""

    def encode(channel: str, event: Occurrence) -> bytes:
        place = f"id: {event.offset}:{epoch}\ndata: ".encode()
        return place + messages.event(channel, event) + b"\n\n"

    return encode


def told(kind: str, payload: bytes, place: str | None = None) -> bytes:
    """Return a server-sent event that is none of the shop's."""
    head = f"event: {kind}\n" + ("" if place is None else f"id: {place}\n")
    return head.encode() + b"data: " + payload + b"\n\n"


#: What keeps a stream of server-sent events open, and shows that somebody is there.
HEARTBEAT = b":\n\n"
