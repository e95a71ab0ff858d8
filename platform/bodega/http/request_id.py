"""The request's id: the caller's, or one of our own; in every answer and every log line."""

import re
import time

import falcon
import structlog

from bodega_sdk.ids import uuid7

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


def begin(req: falcon.Request) -> None:
    """Give a request its id and start its clock, once.

    Falcon refuses some requests before it asks any middleware, so whoever needs the id
    first calls this.
    """
    if hasattr(req.context, "request_id"):
        return
    req.context.request_id = read_id(req.get_header("X-Request-ID"))
    req.context.began = time.perf_counter()
    structlog.contextvars.bind_contextvars(request_id=req.context.request_id)


def read_id(sent: str | None) -> str:
    """Return the id that a caller sent, or one of our own."""
    return sent if sent and _ID.fullmatch(sent) else uuid7().hex
