"""The sandbox's engine: Stripe's payments as a state machine over a small store.

It speaks of things as Stripe shows them (JSON with ``id`` and ``object``), in minor units; the
provider beside it turns them into ours, and the fake Stripe of the tests serves them by HTTP.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bodega_payments.sandbox.base import LATER, new_id
from bodega_payments.sandbox.intents import Intents
from bodega_payments.sandbox.store import EngineError, Thing

__all__ = ["Engine", "EngineError"]


class Engine(Intents):
    """All of it: what is paid, and what goes back."""

    def create_refund(self, params: Mapping[str, Any], key: str = "") -> Thing:
        """Give back ``amount`` (all that is left without it) of ``payment_intent``."""
        return self.once(key, "create_refund", dict(params), lambda: self._refund(params))

    def _refund(self, params: Mapping[str, Any]) -> Thing:
        intent = self.get("payment_intent", params["payment_intent"])
        left = self.refundable(intent)
        amount = left if params.get("amount") is None else params["amount"]
        if amount < 1 or amount > left:
            gone = intent["amount_received"] and not left
            raise EngineError(
                "invalid_request_error",
                "charge_already_refunded" if gone else "amount_too_large",
                f"Refund amount ({amount}) is greater than what is left ({left}).",
            )
        does = self.behaviour(self.method(intent["payment_method"])).refund
        refund: Thing = {
            "id": new_id("re"), "object": "refund", "amount": amount,
            "currency": intent["currency"], "payment_intent": intent["id"],
            "charge": intent["latest_charge"], "reason": params.get("reason"),
            "metadata": params.get("metadata") or {}, "created": self.clock(),
            "status": "pending" if does == "pending" else "succeeded", "failure_reason": None,
        }  # fmt: skip
        if does != "succeeded":
            self.later("fail_refund" if does == "failed" else "end_refund", refund["id"], LATER)
        self._keep_below(refund, "refund.created")
        self.store.tell("charge.refunded", refund, intent["id"])
        return refund

    def refundable(self, intent: Thing) -> int:
        """Return what was captured and has not gone back, nor was taken by a dispute."""
        gone: int = sum(
            item["amount"] for item in self.refunds(intent["id"]) if item["status"] != "failed"
        )
        taken: int = sum(
            item["amount"] for item in self.disputes(intent["id"]) if item["status"] != "won"
        )
        return max(0, int(intent["amount_received"]) - gone - taken)

    def refunds(self, intent: str) -> list[Thing]:
        """Return the refunds of an intent, the oldest first."""
        return self.store.below("refund", intent)

    def disputes(self, intent: str) -> list[Thing]:
        """Return the disputes of an intent, the oldest first."""
        return self.store.below("dispute", intent)

    def whole(self, key: str) -> tuple[Thing, list[Thing], list[Thing]]:
        """Return an intent with its refunds and disputes, of one moment."""
        with self.store.atomic():
            return self.get("payment_intent", key), self.refunds(key), self.disputes(key)

    def end_refund(self, key: str) -> None:
        """Have the money arrive."""
        refund = self.get("refund", key) | {"status": "succeeded"}
        self._keep_below(refund, "refund.updated")

    def fail_refund(self, key: str) -> None:
        """Have the bank send a refund back."""
        failed = {"status": "failed", "failure_reason": "expired_or_canceled_card"}
        self._keep_below(self.get("refund", key) | failed, "refund.failed")

    def open_dispute(self, intent: Thing, reason: str = "fraudulent") -> Thing:
        """Have the customer's bank take back what was paid and has not gone back."""
        dispute: Thing = {
            "id": new_id("dp"), "object": "dispute", "amount": self.refundable(intent),
            "currency": intent["currency"], "payment_intent": intent["id"],
            "charge": intent["latest_charge"], "reason": reason, "created": self.clock(),
            "status": "needs_response",
        }  # fmt: skip
        self._keep_below(dispute, "charge.dispute.created")
        return dispute

    def close_dispute(self, key: str, won: bool) -> Thing:
        """Have the bank decide: the shop gets the money again, or never."""
        with self.store.atomic():
            dispute = self.get("dispute", key) | {"status": "won" if won else "lost"}
            self._keep_below(dispute, "charge.dispute.closed")
            return dispute

    def _keep_below(self, thing: Thing, happened: str) -> None:
        intent = thing["payment_intent"]
        self.store.put(thing, intent)
        # What belongs to an intent changes the intent.
        self.store.put(self.get("payment_intent", intent))
        self.store.tell(happened, thing, intent)

    def advance(self) -> int:
        """Let happen what is due: banks that answer later, refunds that fail, holds that end.

        Returns:
            How many things happened.
        """
        due = [plan for plan in self.store.below("plan") if plan["due"] <= self.clock()]
        return sum(self._happen(plan["id"]) for plan in due)

    def _happen(self, key: str) -> int:
        with self.store.atomic():
            plan = self.store.get(key)
            if plan is None:
                return 0
            self.store.drop(key)
            acts = {
                "debit_succeeded": self.debit_succeeded, "debit_failed": self.debit_failed,
                "expire": self.expire, "end_refund": self.end_refund,
                "fail_refund": self.fail_refund,
            }  # fmt: skip
            acts[plan["act"]](plan["thing"])
        return 1

    def changed_since(self, since: int) -> Iterable[str]:
        """Yield the ids of intents that changed since an instant (UNIX seconds)."""
        return self.store.changed("payment_intent", since)
