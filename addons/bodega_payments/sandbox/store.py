"""What the sandbox's engine keeps, behind a small interface; and the one error that it knows."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

#: A thing as Stripe shows it: JSON with ``id`` and ``object``.
Thing = dict[str, Any]


class EngineError(Exception):
    """What Stripe would answer with a status other than 200.

    Args:
        type: ``card_error``, ``invalid_request_error`` or ``idempotency_error``.
        code: e.g. ``"card_declined"``.
        message: one sentence.
        decline_code: the bank's own reason; may be empty.
        status: of HTTP.
        intent: the intent that it is about, as it is after it; None for none.
    """

    def __init__(
        self, type: str, code: str, message: str, *, decline_code: str = "", status: int = 400,
        intent: Thing | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.type, self.code, self.message = type, code, message
        self.decline_code, self.status, self.intent = decline_code, status, intent

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept with an idempotency key."""
        names = ("type", "code", "message", "decline_code", "status", "intent")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "EngineError":
        """Return what :meth:`as_json` was made of."""
        rest = {name: data[name] for name in ("decline_code", "status", "intent")}
        return cls(data["type"], data["code"], data["message"], **rest)


class Store(Protocol):
    """Where the engine keeps things; everything in one ``atomic()`` happens, or nothing does."""

    def atomic(self) -> AbstractContextManager[None]:
        """Open the unit of work of one call."""

    def get(self, key: str) -> Thing | None:
        """Return a copy of a thing, held until the unit of work ends; None if there is none."""

    def put(self, thing: Thing, parent: str = "") -> None:
        """Keep a thing under its ``id``; its kind is its ``object``."""

    def drop(self, key: str) -> None:
        """Forget a thing."""

    def below(self, kind: str, parent: str = "") -> list[Thing]:
        """Return the things of a kind with a parent, the oldest first."""

    def changed(self, kind: str, since: int) -> Iterable[str]:
        """Yield ids of things of a kind that were kept since an instant (UNIX seconds)."""

    def claim(self, key: str, fingerprint: str) -> tuple[str, dict[str, Any]] | None:
        """Take an idempotency key; return fingerprint and answer of who took it before."""

    def answer(self, key: str, fingerprint: str, answer: dict[str, Any]) -> None:
        """Keep the answer to a key that was taken in this unit of work."""

    def tell(self, type: str, thing: Thing, intent: str) -> None:
        """Have webhooks told that something happened to a thing."""
