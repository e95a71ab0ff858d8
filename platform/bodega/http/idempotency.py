"""Requests that may be sent again: what ``Idempotency-Key`` names happens once.

The answer is kept in the transaction of the change itself, sealed: after a crash there are both
or neither, and a client that never saw the answer gets it by asking again. Only what succeeded
is kept; a refusal changed nothing, and may be mended and sent with the same key.
"""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from bodega.database.connection import is_postgres
from bodega.database.tables import AnswerRow
from bodega_sdk.encoding import to_json
from bodega_sdk.errors import BadRequest, Conflict, FieldError, InvalidInput
from bodega_sdk.http import Reply, Request
from bodega_sdk.models import now
from bodega_sdk.secrets import seal, unseal

if TYPE_CHECKING:
    from bodega.shop import Session

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
#: How long a key means the same request.
KEPT = timedelta(hours=24)
LONGEST = 255
#: All guests are one sender: what is shorter, two of them might make up.
SHORTEST_OF_GUESTS = 16
_PURPOSE = "kept answers"


def once(session: "Session", request: Request, run: Callable[[], Reply]) -> Reply:
    """Answer a request; one with a key that was answered before gets that answer again.

    Raises:
        BadRequest: the key is empty, too long, or not printable ASCII; or too short, where
            nobody is logged in.
        Conflict: a request with this key is being answered right now.
        InvalidInput: the key was used with another request.
    """
    key = request.raw.get_header(HEADER)
    if key is None:
        return run()
    _check(key, 1 if request.identity.authenticated else SHORTEST_OF_GUESTS)
    place = _digest(request.identity.subject, key)
    with session.transaction():
        _claim(session.databases.shop, place)
        kept = AnswerRow.get_or_none((AnswerRow.id == place) & (AnswerRow.at > now() - KEPT))
        answer = _opened(kept)
        if kept is not None and answer is not None:
            return _replay(kept, answer, _told(request), key)
        reply = run()
        _keep(place, _told(request), reply)
    return reply


def forget_old() -> None:
    """Delete answers whose keys are free again."""
    AnswerRow.delete().where(AnswerRow.at <= now() - KEPT).execute()


def _check(key: str, shortest: int) -> None:
    if not (shortest <= len(key) <= LONGEST and key.isascii() and key.isprintable()):
        message = (
            f"Expected {shortest} to {LONGEST} printable ASCII characters, e.g. a random UUID."
        )
        raise BadRequest(f"'{HEADER}': {message}", [FieldError(HEADER, message, key)])


def _digest(*parts: str | bytes) -> str:
    made = sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        made.update(b"%d:" % len(data) + data)
    return made.hexdigest()


def _told(request: Request) -> str:
    raw = request.raw
    return _digest(raw.method, raw.path, raw.query_string, to_json(request.body))


def _claim(database: Any, place: str) -> None:
    # On SQLite a transaction writes alone: who comes second finds the answer.
    if not is_postgres(database):
        return
    lock = int(place[:15], 16)
    held = database.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (lock,)).fetchone()[0]
    if not held:
        message = "A request with this key is being answered; ask again in a second."
        raise Conflict(f"'{HEADER}': {message}", [FieldError(HEADER, message)])


def _opened(kept: AnswerRow | None) -> dict[str, Any] | None:
    """Return an answer that was kept; None if there is none, or nobody can read it any more."""
    if kept is None:
        return None
    try:
        found: dict[str, Any] = orjson.loads(unseal(_PURPOSE, kept.answer))
    except ValueError:
        # It was sealed before the secret key was exchanged: as if its time was over.
        return None
    return found


def _replay(kept: AnswerRow, answer: dict[str, Any], told: str, key: str) -> Reply:
    if kept.request != told:
        message = "This key was sent with another request; a new request needs a new key."
        raise InvalidInput(f"'{HEADER}': {message}", [FieldError(HEADER, message, key)])
    headers = answer["headers"] | {REPLAYED: "true"}
    return Reply(answer["body"], kept.status, headers)


def _keep(place: str, told: str, reply: Reply) -> None:
    answer = to_json({"headers": dict(reply.headers), "body": reply.body})
    row = {
        "id": place, "request": told, "status": reply.status, "at": now(),
        "answer": seal(_PURPOSE, answer.decode()),
    }  # fmt: skip
    # An answer whose time is over may still be there.
    AnswerRow.delete().where(AnswerRow.id == place).execute()
    AnswerRow.insert(row).execute()
