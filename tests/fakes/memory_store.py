"""The store of the sandbox's engine in memory, for fakes."""

import copy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Thing = dict[str, Any]


class Memory:
    """Things in dictionaries; ``told`` collects what webhooks are to tell."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.things: dict[str, tuple[Thing, str, float]] = {}
        self.answers: dict[str, tuple[str, dict[str, Any]]] = {}
        self.told: list[tuple[str, Thing, str]] = []
        self._clock, self._lock = clock, threading.RLock()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        with self._lock:
            yield

    def get(self, key: str) -> Thing | None:
        found = self.things.get(key)
        return copy.deepcopy(found[0]) if found else None

    def put(self, thing: Thing, parent: str = "") -> None:
        self.things[thing["id"]] = (copy.deepcopy(thing), parent, self._clock())

    def drop(self, key: str) -> None:
        del self.things[key]

    def below(self, kind: str, parent: str = "") -> list[Thing]:
        kept = [t for t, p, _ in self.things.values() if t["object"] == kind and p == parent]
        return copy.deepcopy(sorted(kept, key=lambda t: (t.get("created", 0), t["id"])))

    def changed(self, kind: str, since: int) -> list[str]:
        return [
            key for key, (t, _, at) in self.things.items() if t["object"] == kind and at >= since
        ]

    def claim(self, key: str, fingerprint: str) -> tuple[str, dict[str, Any]] | None:
        return copy.deepcopy(self.answers.get(key))

    def answer(self, key: str, fingerprint: str, answer: dict[str, Any]) -> None:
        self.answers[key] = (fingerprint, copy.deepcopy(answer))

    def tell(self, type: str, thing: Thing, intent: str) -> None:
        self.told.append((type, copy.deepcopy(thing), intent))
