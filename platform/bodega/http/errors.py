"""Errors as problem documents (RFC 9457); nothing else leaves the API."""

import http
from collections.abc import Callable
from typing import Any

import falcon
import peewee
import structlog
from playhouse.pool import MaxConnectionsExceeded

from bodega.http.request_id import begin
from bodega_sdk import errors
from bodega_sdk.encoding import to_json
from bodega_sdk.errors import Problem

log = structlog.get_logger(__name__)
PROBLEM_JSON = "application/problem+json"
PROBLEMS_ROOT = "/api/problems"

#: code → class, of every problem the API answers with.
CATALOGUE: dict[str, type[Problem]] = {
    item.code: item
    for item in vars(errors).values()
    if isinstance(item, type) and issubclass(item, Problem)
}
# The general one of a status comes first, and its particular cases behind it.
_BY_STATUS = {item.status: item for item in reversed(CATALOGUE.values())}


class MethodNotAllowed(Problem):
    """The address exists, but not for this method; ``Allow`` names those it has."""

    status, code, title = 405, "method-not-allowed", "Method not allowed"


CATALOGUE |= {MethodNotAllowed.code: MethodNotAllowed}
_BY_STATUS |= {405: MethodNotAllowed}


def add_error_handlers(app: falcon.App[Any, Any]) -> None:
    """Answer every error of an app with a problem document."""
    app.add_error_handler(Exception, _unforeseen)
    for kind, handler in _HANDLERS:
        app.add_error_handler(kind, handler)


def _respond(req: falcon.Request, resp: falcon.Response, problem: Problem) -> None:
    resp.status = f"{problem.status} {_phrase(problem)}"
    resp.content_type = PROBLEM_JSON
    resp.data = to_json(document(problem, req))
    resp.text = resp.media = None
    if problem.retry_after is not None:
        resp.set_header("Retry-After", str(problem.retry_after))
    if problem.status == 401:
        resp.set_header("WWW-Authenticate", "Bearer")
    for name, value in problem.headers.items():
        resp.set_header(name, value)


def _phrase(problem: Problem) -> str:
    try:
        return http.HTTPStatus(problem.status).phrase
    except ValueError:  # Protocols on top of HTTP have statuses of their own.
        return problem.title


def document(problem: Problem, req: falcon.Request) -> dict[str, Any]:
    """Return the problem document."""
    begin(req)
    body: dict[str, Any] = {
        "type": f"{PROBLEMS_ROOT}/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": req.path,
        "request_id": req.context.request_id,
    }
    if problem.errors:
        body["errors"] = [item.as_json() for item in problem.errors]
    return problem.extra | body  # What RFC 9457 names is what it names.


def _problem(req: Any, resp: Any, error: Problem, params: Any) -> None:
    _respond(req, resp, error)


def _falcon(req: Any, resp: Any, error: falcon.HTTPError, params: Any) -> None:
    status = error.status_code
    kind = _BY_STATUS.get(status, errors.BadRequest if status < 500 else errors.Unavailable)
    detail = error.description or _DETAILS.get(status) or f"{kind.title}."
    _respond(req, resp, kind(detail))
    for name, value in (error.headers or {}).items() if isinstance(error.headers, dict) else ():
        resp.set_header(name, value)


_DETAILS = {
    404: "There is nothing at this address; /api/docs lists the addresses there are.",
    405: "This address does not know this method; see the header Allow.",
}


def _unforeseen(req: Any, resp: Any, error: Exception, params: Any) -> None:
    log.error("request failed", exc_info=error, path=req.path, method=req.method)
    _respond(req, resp, Problem("Something went wrong here; the log has it under the request id."))


def _integrity(req: Any, resp: Any, error: Exception, params: Any) -> None:
    log.info("refused by the database", reason=str(error))
    _respond(req, resp, errors.Conflict(
        "Another row has one of these values already, or refers to this one."
    ))  # fmt: skip


def _bad_value(req: Any, resp: Any, error: Exception, params: Any) -> None:
    log.info("refused by the database", reason=str(error))
    _respond(req, resp, errors.BadRequest("A value is out of the range that can be stored."))


def _busy(req: Any, resp: Any, error: Exception, params: Any) -> None:
    log.warning("the database did not answer", reason=str(error))
    _respond(req, resp, errors.Unavailable(
        "The database is busy or away; nothing was changed.", retry_after=2
    ))  # fmt: skip


_HANDLERS: tuple[tuple[type[Exception], Callable[..., None]], ...] = (
    (falcon.HTTPError, _falcon),
    (Problem, _problem),
    (peewee.IntegrityError, _integrity),
    (peewee.DataError, _bad_value),
    (OverflowError, _bad_value),
    (peewee.OperationalError, _busy),
    (peewee.InterfaceError, _busy),
    (MaxConnectionsExceeded, _busy),
)
