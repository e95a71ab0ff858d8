"""Binding a route to Falcon: who may, what was sent, call, render."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

import falcon
import orjson

from bodega.http import files
from bodega.http.answer_stores import GIVEN, Given, Kept
from bodega.http.idempotency import once
from bodega.security.callers import Caller, calling, of_request
from bodega_sdk.encoding import etag, to_json
from bodega_sdk.errors import (
    BadRequest,
    FieldError,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unauthenticated,
    UnsupportedMedia,
)
from bodega_sdk.http import Body, Reply, Request, Route
from bodega_sdk.identity import Identity
from bodega_sdk.ids import read_uuid
from bodega_sdk.schemas import Schema, load

if TYPE_CHECKING:
    from bodega.shop import Session

_PARAMETER = re.compile(r"{(\w+)}")


class Responder:
    """Answers one route; Falcon calls it as a resource's ``on_*`` method."""

    def __init__(self, route: Route, session: "Session") -> None:
        self.route = route
        self._session = session
        names = _PARAMETER.findall(route.path)
        self._types = {name: route.path_types.get(name, UUID) for name in names}
        self._cached = route.cached and route.method == "GET"

    def __call__(self, req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        identity = identified(self._session, req)
        key = self._session.answers.key(self.route, identity, req) if self._cached else None
        if key is None:
            render(req, resp, self._reply(identity, req, params))
            return
        answers = self._session.answers
        kept = answers.find(self.route, key) or answers.make(
            key, lambda: self._reply_to_keep(identity, req, resp, params)
        )
        if kept is not None:
            req.env[GIVEN] = Given(self.route.path, req.uri_template or "", key, kept)
            give(req, resp, kept)

    def _reply(self, identity: Identity, req: falcon.Request, params: Mapping[str, str]) -> Reply:
        route = self.route
        authorise(identity, route.permission)
        request = Request(
            self._path(params),
            route.load_query(req.params),
            self._body(req),
            identity,
            req,
        )
        with calling(_caller(identity, req)):
            if route.idempotent:
                return once(self._session, request, lambda: self._answer(request))
            return self._answer(request)

    def _answer(self, request: Request) -> Reply:
        reply = self.route.handler(request)
        return reply if isinstance(reply, Reply) else Reply(reply, self.route.status)

    def _reply_to_keep(
        self,
        identity: Identity,
        req: falcon.Request,
        resp: falcon.Response,
        params: Mapping[str, str],
    ) -> Reply | None:
        """Return an answer that can be kept; give it at once if it cannot."""
        reply = self._reply(identity, req, params)
        if reply.status == 200 and reply.content is None and reply.body is not None:
            return reply
        render(req, resp, reply)
        return None

    def _path(self, params: Mapping[str, str]) -> dict[str, Any]:
        return {name: _path_value(name, text, self._types[name]) for name, text in params.items()}

    @cached_property
    def _schema(self) -> Schema | None:
        """What reads the body; made when the first one comes, for most never do."""
        return self.route.body(partial=self.route.partial) if self.route.body else None

    def _body(self, req: falcon.Request) -> Any:
        if self._schema is None:
            _refuse_large(req, self.route.largest)
            return None
        return load(self._schema, read_json(req, self.route.largest), partial=self.route.partial)


def _path_value(name: str, text: str, kind: type) -> Any:
    try:
        if "\0" in text:
            raise ValueError("NUL")
        return read_uuid(text) if kind is UUID else kind(text)
    except ValueError:
        expected = "a UUID" if kind is UUID else kind.__name__
        message = f"Expected {expected}."
        raise NotFound(
            f"There is nothing at this address: '{name}' is not {expected}.",
            [FieldError(name, message, text)],
        ) from None


def _caller(identity: Identity, req: falcon.Request) -> Caller:
    address = getattr(req.context, "address", None) or req.remote_addr
    return of_request(identity, address, req.context.request_id)


def bearer_token(req: falcon.Request) -> str | None:
    """Return the bearer token of a request (RFC 6750), None without one.

    ``Token`` says the same to clients of InfluxDB, which cannot say ``Bearer``.

    Raises:
        Unauthenticated: the header is there but is no bearer token.
    """
    header = req.get_header("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() not in ("bearer", "token") or not token.strip():
        raise Unauthenticated(
            "Expected 'Authorization: Bearer <token>'.",
            [FieldError("Authorization", "Expected a bearer token.")],
        )
    return token.strip()


def identified(session: "Session", req: falcon.Request) -> Identity:
    """Return who is calling, found out once for each request.

    Raises:
        Unauthenticated: the token is no good.
    """
    found: Identity | Unauthenticated | None = getattr(req.context, "identity", None)
    if found is None:
        try:
            found = session.identify(bearer_token(req))
        except Unauthenticated as error:
            found = error
        req.context.identity = found
    if isinstance(found, Unauthenticated):
        raise found
    return found


def authorise(identity: Identity, permission: str) -> None:
    """Let through whoever holds the permission.

    Raises:
        Unauthenticated: nobody is logged in.
        PermissionDenied: somebody is, without the permission.
    """
    if identity.may(permission):
        return
    if not identity.authenticated:
        raise Unauthenticated("Log in and send 'Authorization: Bearer <token>'.")
    raise PermissionDenied(f"This needs the permission '{permission}'.")


def _refuse_large(req: falcon.Request, largest: int) -> None:
    if (req.content_length or 0) > largest:
        raise TooLarge(f"The body has {req.content_length} bytes; at most {largest} are read.")


def read_json(req: falcon.Request, largest: int) -> Any:
    """Read the body as JSON.

    Raises:
        UnsupportedMedia, TooLarge, BadRequest: it is not JSON, too large, or malformed.
    """
    _refuse_large(req, largest)
    data = Body(req).read(largest + 1)
    if len(data) > largest:
        raise TooLarge(f"The body has more than the {largest} bytes that are read.")
    if not data:
        raise _malformed("Expected a JSON object; the body is empty.")
    media = (req.content_type or "").partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise UnsupportedMedia(
            f"Expected 'Content-Type: application/json', found {media or 'none'!r}.",
            [FieldError("Content-Type", "Expected application/json.", media or None)],
        )
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _malformed(f"The body is not JSON: {error}.") from None


def _malformed(message: str) -> BadRequest:
    return BadRequest(message, [FieldError("body", message)])


def render(req: falcon.Request, resp: falcon.Response, reply: Reply) -> None:
    """Write an answer; a GET that matches ``If-None-Match`` becomes a 304."""
    resp.status = reply.status
    for name, value in reply.headers.items():
        resp.set_header(name, value)
    if reply.file is not None:
        files.give(req, resp, reply)
        return
    if reply.content is not None:
        resp.content_type, resp.data = reply.media, reply.content
    elif reply.body is not None:
        resp.content_type, resp.data = "application/json", to_json(reply.body)
    else:
        return
    if reply.status in (200, 201):
        _tagged(req, resp, etag(resp.data), reply.headers)


def give(req: falcon.Request, resp: falcon.Response, kept: Kept) -> None:
    """Write an answer that is kept."""
    for name, value in kept.headers.items():
        resp.set_header(name, value)
    resp.content_type, resp.data = "application/json", kept.body
    _tagged(req, resp, kept.tag, kept.headers)


def _tagged(
    req: falcon.Request, resp: falcon.Response, tag: str, headers: Mapping[str, str]
) -> None:
    resp.set_header("ETag", tag)
    if "Cache-Control" not in headers:
        resp.set_header("Cache-Control", "private, no-cache")
    if req.method in ("GET", "HEAD") and unchanged(req, tag):
        not_modified(resp)


def not_modified(resp: falcon.Response) -> None:
    """Make a response a 304, which has no body and says nothing of one."""
    resp.status, resp.data = 304, None
    del resp.content_type


def unchanged(req: falcon.Request, tag: str) -> bool:
    """Whether the caller has this representation already (RFC 9110 §13.1.2)."""
    return carries(req.get_header("If-None-Match") or "", tag)


def carries(known: str, tag: str) -> bool:
    """Whether an ``If-None-Match`` names a tag."""
    return tag in (item.strip().removeprefix("W/") for item in known.split(","))
