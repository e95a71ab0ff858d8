"""What all parts of the sandbox's engine share: keys, ids, and finding things."""

import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any

from bodega_payments.sandbox.store import EngineError, Store, Thing

#: Seconds until what a bank decides later is decided, and until what is held is let go.
LATER, HOLD = 5, 7 * 86_400


class Base:
    """The engine's ground.

    Args:
        store: where it keeps everything.
        clock: returns UNIX seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self.store, self.clock = store, clock

    def once(self, key: str, act: str, params: Any, do: Callable[[], Thing]) -> Thing:
        """Do something once for a key; answer the same to it ever after, errors too.

        Without a key it is done each time.

        Raises:
            EngineError: what was answered, or the key was used for something else.
        """
        fingerprint = hashlib.sha256(
            json.dumps([act, params], sort_keys=True, default=str).encode()
        ).hexdigest()
        with self.store.atomic():
            before = self.store.claim(key, fingerprint) if key else None
            if before is None:
                answer = self._answer(do)
                if key:
                    self.store.answer(key, fingerprint, answer)
        if before is not None:
            answer = self._same(before, fingerprint)
        if "error" in answer:
            raise EngineError.from_json(answer["error"])
        result: Thing = answer["result"]
        return result

    def _answer(self, do: Callable[[], Thing]) -> dict[str, Any]:
        try:
            return {"result": do()}
        except EngineError as error:
            return {"error": error.as_json()}

    def _same(self, before: tuple[str, dict[str, Any]], fingerprint: str) -> dict[str, Any]:
        if before[0] != fingerprint:
            raise EngineError(
                "idempotency_error", "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they "
                "were first used with.",
            )  # fmt: skip
        return before[1]

    def get(self, kind: str, key: str) -> Thing:
        """Return a thing of a kind.

        Raises:
            EngineError: 404, there is none.
        """
        found = self.store.get(key)
        if found is None or found["object"] != kind:
            raise EngineError(
                "invalid_request_error", "resource_missing",
                f"No such {kind}: '{key[:100]}'", status=404,
            )  # fmt: skip
        return found

    def later(self, act: str, thing: str, seconds: int) -> None:
        """Have something happen to a thing in a while; see ``Engine.advance``."""
        self.store.put(
            {"id": new_id("plan"), "object": "plan", "act": act, "thing": thing,
             "due": self.clock() + seconds}
        )  # fmt: skip


def new_id(prefix: str) -> str:
    """Return a new id as Stripe's look."""
    return f"{prefix}_{secrets.token_hex(12)}"


def unexpected(intent: Thing, act: str) -> EngineError:
    """Return the error for what an intent's status does not allow."""
    return EngineError(
        "invalid_request_error", f"{intent['object']}_unexpected_state",
        f"You cannot {act} this {intent['object']} because it has a status of "
        f"{intent['status']}.", intent=intent,
    )  # fmt: skip
