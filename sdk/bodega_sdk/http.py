"""Routes as data: what an addon serves, readable by the API, OpenAPI and the tests alike."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import falcon

from bodega_sdk.encoding import etag, to_json
from bodega_sdk.errors import BadRequest, FieldError, PreconditionFailed
from bodega_sdk.identity import Identity
from bodega_sdk.ids import read_uuid
from bodega_sdk.money import read_decimal
from bodega_sdk.schemas import Schema

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
#: Characters of one query parameter.
LONGEST_PARAMETER = 1000


class Body:
    """The body of a request as a stream; one that breaks off or is garbled is a BadRequest.

    Attributes:
        rest: what came of the piece in which it broke off.
    """

    def __init__(self, req: falcon.Request) -> None:
        self.rest = b""
        chunked = req.content_length is None and req.env.get("wsgi.input_terminated")
        self._stream = req.stream if chunked else req.bounded_stream
        self._missing = req.content_length or 0

    def read(self, size: int = -1) -> bytes:
        """Read some bytes, none at the end."""
        try:
            piece: bytes = self._stream.read(size)
        # Each server has errors of its own for a body that is cut off or badly chunked.
        except Exception as error:
            raise _broken(f"The body cannot be read: {type(error).__name__}.") from error
        self._missing -= len(piece)
        if self._missing > 0 and (size < 0 or len(piece) < size):
            self.rest = piece
            raise _broken("The body ends before its Content-Length.")
        return piece


def _broken(message: str) -> BadRequest:
    return BadRequest(message, [FieldError("body", message)])


@dataclass(slots=True)
class Request:
    """A request whose path, query and body have been checked against its route.

    Args:
        params: path parameters; ``id`` is a UUID unless the route says otherwise.
        query: the query parameters that were sent or have a default.
        body: the loaded body for routes with a schema; None otherwise.
        identity: who is calling.
        raw: Falcon's request, for streams and headers.

    Example::

        >>> def show(request: Request) -> dict[str, Any]:
        ...     return {"page": request.query["page"], "mine": request.identity.authenticated}
        >>> show(request)
        {'page': 2, 'mine': False}
    """

    params: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any
    identity: Identity
    raw: falcon.Request

    @property
    def stream(self) -> Any:
        """The body, also when it comes in chunks without a length."""
        return Body(self.raw)

    @property
    def address(self) -> str:
        """The client's IP address, e.g. ``"203.0.113.9"``; ``"unknown"`` when there is none.

        Behind proxies that the operator trusts it is the one that they tell; what anybody
        else writes into ``X-Forwarded-For`` is not believed.
        """
        told: str = getattr(self.raw.context, "address", None) or self.raw.remote_addr
        return told

    def refuse_stale(self, noun: str, shown: Callable[[], Any]) -> None:
        """Refuse to write what was changed since the caller read it, by ``If-Match``.

        For routes of one's own; collections do so by themselves. Call it while what is to be
        written is locked.

        Args:
            noun: what it is, for the message.
            shown: returns what reading it would answer now.

        Raises:
            PreconditionFailed: it was changed (RFC 9110 §13.1.1).
        """
        wanted = (self.raw.get_header("If-Match") or "*").strip()
        if wanted == "*":
            return
        if etag(to_json(shown())) not in (tag.strip() for tag in wanted.split(",")):
            raise PreconditionFailed(
                f"The {noun} was changed since you read it; read it again and repeat.",
                [FieldError("If-Match", "Does not match the current ETag.", wanted)],
            )

    def url(self, **changes: Any) -> str:
        """Return this request's address with query parameters replaced (None drops one)."""
        query: dict[str, Any] = dict(self.raw.params) | changes
        kept = {name: value for name, value in query.items() if value is not None}
        base_of = getattr(self.raw.context, "base_of", None)
        base = base_of(self.raw) if base_of else self.raw.prefix
        return f"{base}{self.raw.path}{falcon.to_query_str(kept)}"


@dataclass(slots=True)
class Reply:
    """An answer other than 200 with a JSON body.

    Args:
        body: JSON-serialisable; None sends no body.
        status: HTTP status code.
        headers: further headers.
        content: bytes to send instead of JSON, e.g. of a picture.
        media: their media type, e.g. ``"image/webp"``.
        file: a file to send instead, piece by piece. With an ``ETag`` in ``headers`` that
            changes with its bytes, a download that broke off can be resumed (RFC 9110 §14).

    Example::

        >>> Reply({"points": 3}, 201, {"Location": "/api/v1/loyalty/awards/7"}).status
        201
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    media: str = "application/octet-stream"
    file: Path | None = None


#: Whose objects a route reaches, narrowest last.
OBJECTS = ("all", "organization", "own")

Handler = Callable[[Request], Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter.

    Args:
        name: as it is written in the URL.
        type: one of ``str int bool Decimal UUID``.
        help: one sentence.
        default: its value when it is not sent; None leaves it out.
        minimum, maximum: inclusive bounds of numbers.
        choices: the only values allowed.

    Example::

        >>> Parameter("points_min", int, "At least so many points.", minimum=0).parse("12")
        12
    """

    name: str
    type: type = str
    help: str = ""
    default: Any = None
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()

    def parse(self, text: str) -> Any:
        """Read the parameter.

        Raises:
            BadRequest: naming the parameter, what was found and what was expected.
        """
        value = self._convert(text)
        if self.choices and value not in self.choices:
            raise self.wrong(f"Expected one of: {', '.join(self.choices)}.", text)
        if self.minimum is not None and value < self.minimum:
            raise self.wrong(f"Must be at least {self.minimum}.", text)
        if self.maximum is not None and value > self.maximum:
            raise self.wrong(f"Must be at most {self.maximum}.", text)
        return value

    def _convert(self, text: str) -> Any:
        if len(text) > LONGEST_PARAMETER:
            raise self.wrong(f"Must be at most {LONGEST_PARAMETER} characters long.", text)
        if "\0" in text:
            raise self.wrong("NUL characters are not allowed.", text)
        try:
            return _PARSERS[self.type](text)
        except ValueError:
            raise self.wrong(f"Expected {_EXPECTED[self.type]}.", text) from None

    def wrong(self, message: str, found: Any) -> BadRequest:
        """Return the error that says what is wrong with this parameter."""
        return BadRequest(
            f"Query parameter '{self.name}': {message}", [FieldError(self.name, message, found)]
        )


def _read_int(text: str) -> int:
    if len(text) > 19 or not re.fullmatch(r"-?[0-9]+", text):
        raise ValueError(text)
    return int(text)


def _read_bool(text: str) -> bool:
    if text.lower() not in ("true", "1", "false", "0"):
        raise ValueError(text)
    return text.lower() in ("true", "1")


_PARSERS: Mapping[type, Callable[[str], Any]] = {
    str: str,
    int: _read_int,
    bool: _read_bool,
    Decimal: read_decimal,
    UUID: read_uuid,
}
_EXPECTED = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    Decimal: "a decimal number such as 29.99",
    UUID: "a UUID",
}


@dataclass(frozen=True)
class Route:
    """One operation of the API.

    Args:
        method: one of :data:`METHODS`. What is served by GET answers HEAD too, and every
            address answers OPTIONS with the methods that it knows: a route for OPTIONS is
            for what there is to say beyond.
        path: template below ``/api/v1``, e.g. ``"/orders/{id}/cancel"``.
        handler: takes a :class:`Request`; returns a :class:`Reply` or a JSON body.
        permission: what the caller must hold; PUBLIC opens it to everybody.
        summary: one line for the documentation.
        description: more, in Markdown.
        parameters: the query parameters; any other is refused.
        body: schema of the JSON body; None when the route reads none.
        partial: whether members of the body may be left out.
        media: the body's media type when the handler reads ``request.raw.stream`` itself.
        largest: bytes of the body at most.
        returns: schema of the answer's body.
        produces: media type of an answer that is no JSON, e.g. ``"image/webp"``.
        listing: whether the answer is a page of ``returns``.
        status: the status of success.
        path_types: types of path parameters other than UUID.
        tag: the group in the documentation; the addon's name when empty.
        objects: whose objects it reaches: ``all``, those of the caller's ``organization``,
            or the caller's ``own``; its handler sees to that.
        beyond: the permission with which it reaches all of them nevertheless.
        cached: whether answers to GET may be given again while no table changed that they
            were made of. They may depend on nothing else but the address with its query, the
            permissions and the organization of the caller (and who it is where ``objects``
            are its own), ``Accept-Language`` and settings: not on the time, for instance.
        idempotent: whether it takes ``Idempotency-Key``: sent again with the same key, the
            request is answered as before and changes nothing. Its handler then runs in one
            transaction; it must do all its work there, and answer with JSON. For POST.
        reads: headers of the request that its handler reads, and what they say. Scripts of
            other sites may send them, where the shop lets such scripts call at all.
        tells: headers of the answer that its handler writes, and what they say. Those
            scripts may read them.

    Example::

        >>> def cancel(request: Request) -> Reply:
        ...     return Reply(status=204)
        >>> Route("POST", "/orders/{id}/cancel", cancel, "orders.write", "Cancel it").operation_id
        'post_orders_by_id_cancel'
    """

    method: str
    path: str
    handler: Handler
    permission: str
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: type[Schema] | None = None
    partial: bool = False
    media: str = ""
    largest: int = 2**20
    returns: type[Schema] | None = None
    produces: str = ""
    listing: bool = False
    status: int = 200
    path_types: Mapping[str, type] = field(default_factory=dict)
    tag: str = ""
    objects: str = "all"
    beyond: str = ""
    cached: bool = False
    idempotent: bool = False
    addon: str = ""
    #: Path and class of the collection that it belongs to.
    mounted: "tuple[str, type[Any]] | None" = field(default=None, compare=False, repr=False)
    reads: Mapping[str, str] = field(default_factory=dict)
    tells: Mapping[str, str] = field(default_factory=dict)

    @property
    def operation_id(self) -> str:
        """The operation's name in the documentation, e.g. ``"get_orders_by_id"``."""
        path = re.sub(r"\W+", "_", self.path.replace("{", "by_")).strip("_")
        return f"{self.method.lower()}_{path}"

    @cached_property
    def _known(self) -> dict[str, Parameter]:
        return {item.name: item for item in self.parameters}

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        known = self._known.items()
        return {name: item.default for name, item in known if item.default is not None}

    def owned_by(self, addon: str) -> "Route":
        """Return the route with its owner written in."""
        return replace(self, addon=addon, tag=self.tag or addon)

    def load_query(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Check the query parameters that were sent.

        Raises:
            BadRequest: an unknown parameter (naming the known ones), one sent twice, a bad value.
        """
        known, query = self._known, dict(self._defaults)
        for name, text in sent.items():
            if name not in known:
                raise _unknown_parameter(name, known)
            if not isinstance(text, str):
                raise known[name].wrong("Must be sent once only.", ", ".join(text))
            query[name] = known[name].parse(text)
        return query


def _unknown_parameter(name: str, known: Iterable[str]) -> BadRequest:
    names = ", ".join(sorted(known)) or "none"
    message = f"Unknown query parameter; this address knows: {names}."
    return BadRequest(f"'{name}': {message}", [FieldError(name, message)])


class Routes:
    """Collects an addon's routes; given to ``register_routes``.

    Example::

        >>> routes = Routes()
        >>> routes.add(Route("GET", "/loyalty/rate", lambda request: {"rate": 2}, PUBLIC, "Rate"))
        >>> [route.path for route in routes.collected]
        ['/loyalty/rate']
    """

    def __init__(self) -> None:
        self.collected: list[Route] = []

    def add(self, *routes: Route) -> None:
        """Serve routes."""
        self.collected.extend(routes)

    def collection(self, path: str, collection: "type[Any]") -> None:
        """Serve a :class:`bodega_sdk.resources.Collection` at ``path`` and ``path/{id}``."""
        where = (path, collection)
        self.add(*(replace(route, mounted=where) for route in collection().routes(path)))
