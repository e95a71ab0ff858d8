"""The messages of the protocol: reading a client's, making the server's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

from bodega_sdk.encoding import to_json
from bodega_sdk.events import Occurrence

#: Milliseconds between two deliveries of the latest values: the usual, and its bounds.
PACE, FASTEST, SLOWEST = 1000, 50, 60_000
_LONGEST_CHANNEL = 300
LARGEST_OFFSET = 2**63 - 1

MALFORMED = "malformed"
UNKNOWN_TYPE = "unknown-type"
UNAUTHENTICATED = "unauthenticated"
OTHER_SUBJECT = "other-subject"
UNKNOWN_CHANNEL = "unknown-channel"
PERMISSION_DENIED = "permission-denied"
ALREADY_SUBSCRIBED = "already-subscribed"
NOT_SUBSCRIBED = "not-subscribed"
TOO_MANY_SUBSCRIPTIONS = "too-many-subscriptions"
UNAVAILABLE = "unavailable"
NOT_CONFLATABLE = "not-conflatable"


class Close(IntEnum):
    """Why the server ends a connection."""

    GOING_AWAY = 1001
    RESTARTING = 1012
    MALFORMED = 4400
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    TOO_SLOW = 4408
    UNRECOVERABLE = 4410
    UNAVAILABLE = 4503


class Refused(Exception):
    """A message that is answered with an error.

    Args:
        code: stable, for programs.
        text: a sentence for the person who wrote the client.
        id, channel: of the message, where they are known.
    """

    def __init__(self, code: str, text: str, id: Any = None, channel: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.id = id
        self.channel = channel


@dataclass(frozen=True, slots=True)
class Message:
    """What a client sent; each type has the members that :data:`_REQUIRED` lists.

    Args:
        id: any JSON value, handed back in the answer.
        offset, epoch: where a returning subscriber goes on.
        conflate: milliseconds between two deliveries of the latest values; None for every event.
    """

    type: str
    id: Any = None
    token: str = ""
    channel: str = ""
    offset: int | None = None
    epoch: str | None = None
    conflate: int | None = None

    def refused(self, code: str, text: str) -> Refused:
        """Return the error that answers this message; raise what it returns."""
        return Refused(code, text, self.id, self.channel or None)


#: type → members that a message of it must have.
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "authenticate": ("token",),
    "subscribe": ("channel",),
    "unsubscribe": ("channel",),
    "presence": ("channel",),
    "ping": (),
}


def is_channel(value: Any) -> bool:
    """Whether something may be the name of a channel."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_CHANNEL and value.isprintable()


def _is_offset(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_OFFSET


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_pace(value: Any) -> bool:
    return type(value) is bool or (type(value) is int and FASTEST <= value <= SLOWEST)


_CHECKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "token": (_is_text, "a string"),
    "channel": (is_channel, f"a printable string of 1 to {_LONGEST_CHANNEL} characters"),
    "offset": (_is_offset, "a whole number, 0 or more"),
    "epoch": (_is_text, "a string"),
    "conflate": (_is_pace, f"true, or milliseconds from {FASTEST} to {SLOWEST}"),
}


def parse(text: str | bytes) -> Message:
    """Read a client's message; members it does not know are ignored.

    Raises:
        Refused: it cannot be read.
    """
    if not isinstance(text, str):
        raise Refused(MALFORMED, "Expected a text message, found a binary one.")
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(MALFORMED, f"Expected JSON: {error}.") from None
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise Refused(MALFORMED, "Expected an object with a member 'type'.")
    return _message(data)


def _message(data: dict[str, Any]) -> Message:
    kind, found = data["type"], data.get("id")
    if kind not in _REQUIRED:
        known = ", ".join(_REQUIRED)
        raise Refused(UNKNOWN_TYPE, f"Type {kind[:50]!r} is not one of: {known}.", found)
    members = {name: data[name] for name in _CHECKS if data.get(name) is not None}
    for name in _REQUIRED[kind]:
        members.setdefault(name, None)
    for name, value in members.items():
        allowed, expected = _CHECKS[name]
        if not allowed(value):
            raise Refused(MALFORMED, f"Expected '{name}' to be {expected}.", found)
    members["conflate"] = pace_of(members.get("conflate"))
    return Message(kind, found, **members)


def pace_of(conflate: bool | int | None) -> int | None:
    """Return the milliseconds of what a client asked for: true stands for the usual pace."""
    if conflate is True:
        return PACE
    return conflate or None


def _answer(kind: str, message: Message, **members: Any) -> bytes:
    shown = {"type": kind, **members}
    return to_json(shown if message.id is None else shown | {"id": message.id})


def authenticated(message: Message, subject: str, expires_at: Any, epoch: str) -> bytes:
    """Say who the client is, and until when."""
    return _answer("authenticated", message, subject=subject, expires_at=expires_at, epoch=epoch)


def subscribed(message: Message, offset: int, epoch: str, recovered: bool) -> bytes:
    """Say that a subscription begins."""
    return _answer(
        "subscribed", message, channel=message.channel, offset=offset, epoch=epoch,
        recovered=recovered,
    )  # fmt: skip


def unsubscribed(message: Message) -> bytes:
    """Say that a subscription was ended by the client."""
    return _answer("unsubscribed", message, channel=message.channel)


def ended(channel: str, reason: str) -> bytes:
    """Say that a subscription was ended by the server."""
    return to_json({"type": "unsubscribed", "channel": channel, "reason": reason})


def pong(message: Message, offset: int) -> bytes:
    """Answer a ping; every event up to the offset was sent before."""
    return _answer("pong", message, offset=offset)


def present(message: Message, subscribers: int) -> bytes:
    """Say how many subscribe to a channel."""
    return _answer("presence", message, channel=message.channel, subscribers=subscribers)


def event(channel: str, occurrence: Occurrence) -> bytes:
    """Tell a subscriber of an event."""
    return to_json(
        {
            "type": "event",
            "channel": channel,
            "offset": occurrence.offset,
            "name": occurrence.name,
            "key": occurrence.key,
            "data": occurrence.data,
            "occurred_at": occurrence.occurred_at,
        }
    )


def error(refused: Refused) -> bytes:
    """Say why a message was refused."""
    shown = {"type": "error", "code": refused.code, "message": refused.text}
    extra = {"channel": refused.channel, "id": refused.id}
    return to_json(shown | {name: value for name, value in extra.items() if value is not None})
