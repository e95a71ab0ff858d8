"""What the address of a stream asks for: channels, where to go on, how fast."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from websockets.http11 import Request

from bodega_realtime import messages
from bodega_realtime.messages import Message, Refused

_LONGEST = 19  # Digits of the largest offset.
_MOST_CHANNELS = 20
#: Parameters of plain streams, and of server-sent events.
PLAIN = ("offset", "epoch", "conflate", "envelope")
SSE = ("channel", "offset", "epoch", "conflate")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Args:
        message: as a client that speaks the protocol would have subscribed.
        envelope: whether each message shall have more than the event's data.
        returning: whether the client has been here before.
    """

    message: Message
    channels: tuple[str, ...] = ()
    envelope: bool = False
    returning: bool = False


def path_of(request: Request) -> str:
    """Return the path without its query and the slash at its end."""
    return unquote(request.path.partition("?")[0]).rstrip("/") or "/"


def read(request: Request, known: tuple[str, ...]) -> Asked:
    """Read a query and ``Last-Event-ID``.

    Args:
        known: parameters that there are.

    Raises:
        Refused: something is unknown, given twice, or cannot be read.
    """
    pairs = _pairs(request)
    found = dict(pairs)
    for name in found:
        if name not in known:
            raise _bad(f"Parameter {name[:50]!r} is not one of: {', '.join(known)}.")
        if name != "channel" and sum(other == name for other, _ in pairs) > 1:
            raise _bad(f"Parameter '{name}' is given more than once.")
    channels = tuple(dict.fromkeys(value for name, value in pairs if name == "channel"))
    offset, epoch = _place(request, found)
    message = Message("subscribe", offset=offset, epoch=epoch, conflate=_pace(found))
    returning = offset is not None or epoch is not None
    return Asked(message, _channels(channels), _flag(found, "envelope"), returning)


def _pairs(request: Request) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            request.path.partition("?")[2], keep_blank_values=True, max_num_fields=50,
            errors="strict",
        )  # fmt: skip
    except ValueError as error:
        raise _bad(f"The query cannot be read: {error}.") from None


def _place(request: Request, found: dict[str, str]) -> tuple[int | None, str | None]:
    """Return where to go on; an id that is none of ours is one of another epoch."""
    told = request.headers.get_all("Last-Event-ID")
    if told and told[0]:
        offset, _, epoch = told[0].partition(":")
        if epoch and _is_offset(offset):
            return int(offset), epoch
        return None, "none of ours"
    if "offset" in found and not _is_offset(found["offset"]):
        raise _bad("Expected 'offset' to be a whole number, 0 or more.")
    return int(found["offset"]) if "offset" in found else None, found.get("epoch")


def _is_offset(text: str) -> bool:
    fits = text.isascii() and text.isdigit() and len(text) <= _LONGEST
    return fits and int(text) <= messages.LARGEST_OFFSET


def _pace(found: dict[str, str]) -> int | None:
    text = found.get("conflate")
    if text in (None, "false", "true"):
        return messages.pace_of(text == "true")
    fits = text is not None and text.isascii() and text.isdigit() and len(text) <= 6
    if fits and messages.FASTEST <= int(text or "") <= messages.SLOWEST:
        return int(text or "")
    bounds = f"{messages.FASTEST} to {messages.SLOWEST}"
    raise _bad(f"Expected 'conflate' to be true, or milliseconds from {bounds}.")


def _flag(found: dict[str, str], name: str) -> bool:
    if found.get(name, "false") not in ("true", "false"):
        raise _bad(f"Expected '{name}' to be true or false.")
    return found.get(name) == "true"


def _channels(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) > _MOST_CHANNELS:
        raise _bad(f"A stream has {_MOST_CHANNELS} channels at most.")
    if not all(map(messages.is_channel, names)):
        raise _bad("Expected 'channel' to be the name of a channel.")
    return names


def _bad(text: str) -> Refused:
    return Refused(messages.MALFORMED, text)
