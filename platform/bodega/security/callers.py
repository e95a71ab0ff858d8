"""Who is at work, and from where: what the audit log says of every act."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from bodega_sdk.identity import Identity


@dataclass(frozen=True, slots=True)
class Caller:
    """Who does what is being done.

    Args:
        actor: ``account:<id>``, ``key:<id>``, ``anonymous``, ``command:<user>``,
            ``job:<name>``, ``subscription:<event>``, ``service:<name>`` or ``system``.
        address: of the client, empty unless it is a request.
        request_id: as in the answer and in the log of requests.
        subject: id of the account it is done for; empty when the shop does it.
    """

    actor: str
    address: str = ""
    request_id: str = ""
    subject: str = ""


#: The house itself: what it does without being asked.
SYSTEM = Caller("system")
_current: ContextVar[Caller] = ContextVar("bodega_caller", default=SYSTEM)


def caller() -> Caller:
    """Return who is at work."""
    return _current.get()


@contextmanager
def calling(who: Caller) -> Iterator[None]:
    """Say who does what is done in the block."""
    token = _current.set(who)
    try:
        yield
    finally:
        _current.reset(token)


def of_request(identity: Identity, address: str, request_id: str) -> Caller:
    """Return who sent a request."""
    if key := getattr(identity, "key", ""):
        actor = f"key:{key}"
    elif identity.authenticated:
        actor = f"account:{identity.subject}"
    else:
        actor = "anonymous"
    return Caller(actor, address, request_id, identity.subject)


def of_command() -> Caller:
    """Return who runs the command line: the user of the operating system."""
    try:
        return Caller(f"command:{getpass.getuser()}")
    except (KeyError, OSError):
        return Caller(f"command:{os.getuid()}")


def of_subscription(event: str) -> Caller:
    """Return a subscription to an event as the one who is at work."""
    return Caller(f"subscription:{event}")


def of_service(name: str) -> Caller:
    """Return a service as the one who is at work."""
    return Caller(f"service:{name}")


def of_job(name: str) -> Caller:
    """Return a job as the one who is at work."""
    return Caller(f"job:{name}")
