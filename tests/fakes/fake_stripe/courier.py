"""Brings webhooks, as well or as badly as a test wants: often, late, in any order, never."""

import hashlib
import hmac
import random
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from fake_stripe.books import Books, Object

#: What brings a parcel and says which status was answered.
Send = Callable[[dict[str, str], bytes], int]


def signature(body: bytes, secret: str, at: int) -> str:
    """Return what stands for a body in ``Stripe-Signature``."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"v1={mac.hexdigest()}"


def over_http(url: str) -> Send:
    """Return what brings parcels to an address."""

    def send(headers: dict[str, str], body: bytes) -> int:
        request = urllib.request.Request(url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    return send


@dataclass
class Courier:
    """Has the events that were not brought yet."""

    books: Books
    #: Those of the endpoint; during a rotation Stripe signs with both.
    secrets: list[str] = field(default_factory=lambda: ["whsec_fake"])
    send: Send = lambda headers, body: 200
    waiting: list[Object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.books.listeners.append(self.waiting.append)

    def parcel(
        self, event: Object, *, age: float = 0, secrets: Iterable[str] = ()
    ) -> tuple[dict[str, str], bytes]:
        """Return the headers and the body of an event that was signed some seconds ago."""
        body, at = orjson.dumps(event, option=orjson.OPT_INDENT_2), int(self.books.now() - age)
        marks = [signature(body, secret, at) for secret in secrets or self.secrets]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": ",".join([f"t={at}", *marks]),
        }
        return headers, body

    def deliver(
        self, *, times: int = 1, order: str = "as told", seed: Any = 0, only: str = ""
    ) -> list[int]:
        """Bring all that waits; return the statuses that were answered.

        Args:
            times: how often each is brought.
            order: ``as told``, ``reversed`` or ``shuffled`` (by the seed).
            only: events whose type begins so; the others go on waiting.
        """
        taken = [event for event in self.waiting if event["type"].startswith(only)]
        for event in taken:
            self.waiting.remove(event)
        due = taken * times
        if order == "reversed":
            due.reverse()
        elif order == "shuffled":
            random.Random(seed).shuffle(due)
        return [self.send(*self.parcel(event)) for event in due]

    def bring(self) -> None:
        """Bring what waits; what nobody accepts goes on waiting, as at Stripe."""
        for event in list(self.waiting):
            if 200 <= self.send(*self.parcel(event)) < 300:
                self.waiting.remove(event)

    def drop(self) -> int:
        """Lose all that waits, for ever; return how many they were."""
        lost = len(self.waiting)
        self.waiting.clear()
        return lost

    def deliver_tampered(self, event: Object) -> int:
        """Bring an event that somebody changed on the way."""
        headers, body = self.parcel(event)
        return self.send(headers, body.replace(b'"livemode"', b'"liveMode"', 1))

    def deliver_stale(self, event: Object, age: float = 301) -> int:
        """Bring what was signed too long ago."""
        return self.send(*self.parcel(event, age=age))
