"""gunicorn's arbiter, which lets old workers go only when the new ones serve."""

import signal
import time
from typing import Any

from gunicorn import arbiter


class Arbiter(arbiter.Arbiter):
    """Reloads on HUP without a moment in which nobody serves.

    gunicorn's own ends the old workers as soon as it has forked the new ones, which then
    still have to import everything.
    """

    def __init__(self, app: Any) -> None:
        self._leaving: set[int] = set()
        super().__init__(app)

    def reload(self) -> None:
        """Start new workers beside the old ones; one reload at a time."""
        if len(self.WORKERS) > self.num_workers:
            return
        for _ in range(self.num_workers):
            self.spawn_worker()

    def manage_workers(self) -> None:
        """Keep the number of workers; end surplus ones once the youngest serve."""
        if len(self.WORKERS) <= self.num_workers:
            self._leaving.clear()
            super().manage_workers()
            return
        workers = sorted(self.WORKERS.values(), key=lambda worker: worker.age)
        surplus = len(workers) - self.num_workers
        if all(map(_serves, workers[surplus:])):
            for worker in workers[:surplus]:
                self._end(worker.pid)

    def _end(self, pid: int) -> None:
        # Once only: to a thread worker that is ending, a second SIGTERM means at once.
        if pid not in self._leaving:
            self._leaving.add(pid)
            self.kill_worker(pid, signal.SIGTERM)


def _serves(worker: Any) -> bool:
    """Whether a worker has begun its main loop: its first sign of life is a monotonic time."""
    return bool(worker.tmp.last_update() <= time.monotonic() + 1)
