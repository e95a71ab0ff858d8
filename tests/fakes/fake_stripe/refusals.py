"""Errors in Stripe's shape."""

from typing import Any


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, kind: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **more}}


def invalid(message: str, code: str | None = None, param: str | None = None) -> Refusal:
    more = {name: text for name, text in (("code", code), ("param", param)) if text}
    return Refusal(400, "invalid_request_error", message, **more)


def missing(kind: str, found: str) -> Refusal:
    return Refusal(
        404, "invalid_request_error", f"No such {kind}: '{found}'",
        code="resource_missing", param="id",
    )  # fmt: skip


def unexpected(intent: dict[str, Any], act: str) -> Refusal:
    """An intent is in a state that forbids an act."""
    return Refusal(
        400, "invalid_request_error",
        f"You cannot {act} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state", payment_intent=intent,
    )  # fmt: skip
