"""Idempotency keys, as https://docs.stripe.com/api/idempotent_requests says.

The first status and body are kept and repeated, failures of the server's own included; other
parameters are an error; a key that is in use is a conflict.
"""

from dataclasses import dataclass, field
from typing import Any

from fake_stripe.refusals import Refusal

Answer = tuple[int, dict[str, Any]]


@dataclass
class Keys:
    """What was answered to each key."""

    answers: dict[str, tuple[Any, Answer]] = field(default_factory=dict)
    in_use: set[str] = field(default_factory=set)

    def repeated(self, key: str, asked: Any) -> Answer | None:
        """Return what was answered before, or mark the key as in use."""
        if key in self.in_use:
            raise Refusal(
                409, "idempotency_error", "There is another request with this key under way.",
                code="idempotency_key_in_use",
            )  # fmt: skip
        if key not in self.answers:
            self.in_use.add(key)
            return None
        before, answer = self.answers[key]
        if before != asked:
            raise Refusal(
                400, "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they "
                "were first used with.",
            )  # fmt: skip
        return answer

    def keep(self, key: str, asked: Any, answer: Answer) -> None:
        self.answers[key] = (asked, answer)

    def release(self, key: str) -> None:
        self.in_use.discard(key)
