"""Whose fault a failure is, and how it is told."""

import os
import sqlite3
import traceback
from typing import Any

import peewee
import psycopg2
from playhouse.pool import MaxConnectionsExceeded

from bodega.hooks.implementations import Implementation
from bodega.telemetry.redaction import redacted
from bodega_sdk.errors import HookFailed

_LONGEST = 500
# Lost connections, resources, shutdowns, locks, deadlocks: no addon's doing.
_POSTGRES = ("08", "40", "53", "57P", "55P03")
_SQLITE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")


class WrongResult(TypeError):
    """An implementation returned what its hook does not state, or yielded as it must not."""


def is_innocent(error: BaseException) -> bool:
    """Whether an error is no fault of the implementation it comes out of.

    Another hook that it called failed by somebody else's fault; or the database is away.
    """
    if isinstance(error, HookFailed | MaxConnectionsExceeded | peewee.InterfaceError):
        return True
    if not isinstance(error, peewee.OperationalError):
        return False
    cause: Any = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.Error):
        return str(getattr(cause, "sqlite_errorname", "")).startswith(_SQLITE)
    if not isinstance(cause, psycopg2.Error):
        return False
    # A connection that was lost has no code.
    return cause.pgcode is None or cause.pgcode.startswith(_POSTGRES)


def told(error: BaseException, item: Implementation) -> str:
    """Return an error in one line, with the place in the addon's code it comes from."""
    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    text = lines[-1][:_LONGEST] if lines else type(error).__name__
    # A database holds neither of these, and a failure is recorded whatever its text is.
    text = redacted(text).replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return f"{text} ({_place(error, item)})"


def _place(error: BaseException, item: Implementation) -> str:
    folder, place = os.path.dirname(item.file), item.place
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(folder):
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
