"""Health: is the process alive, can it serve, and what does each part say?"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import falcon

from bodega import __version__
from bodega.telemetry import lag

if TYPE_CHECKING:
    from bodega.shop import Session


class Health:
    """The four health addresses."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Whether the shop can serve: 200, or 503."""
        healthy = self._answer(resp, {"database": self._database})
        resp.media = {"status": "healthy" if healthy else "unhealthy", "version": __version__}

    def on_get_live(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Whether this process answers at all; it asks nobody else."""
        resp.media = {"status": "alive"}

    def on_get_ready(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Whether traffic may come here: 200, or 503 with the checks."""
        checks = self._checks({"database": self._database, "queue": self._queue})
        ready = all(check["status"] == "healthy" for check in checks.values())
        resp.status = 200 if ready else 503
        resp.media = {"status": "ready" if ready else "not ready", "checks": checks}

    def on_get_detailed(self, req: falcon.Request, resp: falcon.Response) -> None:
        """What each part says, for people."""
        assembly = self._session.assembly
        asked = {"database": self._database, "queue": self._queue, "worker": self._worker}
        checks = self._checks(asked | {"events": self._events})
        healthy = all(check["status"] == "healthy" for check in checks.values())
        resp.media = {
            "status": "healthy" if healthy else "degraded",
            "version": __version__,
            "generation": assembly.generation,
            "addons": {addon.name: addon.manifest.version for addon in assembly.addons},
            "quarantined": sorted(assembly.faults),
            "checks": checks,
        }

    on_head = on_get
    on_head_live = on_get_live
    on_head_ready = on_get_ready
    on_head_detailed = on_get_detailed

    def _answer(self, resp: falcon.Response, checks: dict[str, Callable[[], str]]) -> bool:
        healthy = all(c["status"] == "healthy" for c in self._checks(checks).values())
        resp.status = 200 if healthy else 503
        return healthy

    def _checks(self, checks: dict[str, Callable[[], str]]) -> dict[str, dict[str, Any]]:
        return {name: _timed(check) for name, check in checks.items()}

    def _database(self) -> str:
        self._session.databases.shop.execute_sql("SELECT 1").fetchone()
        return "answers"

    def _queue(self) -> str:
        return f"{self._session.shop.queue.length()} wake-ups waiting"

    def _events(self) -> str:
        found = lag.measure(self._session)
        if found.fault:
            raise RuntimeError(found.fault)
        return str(found)

    def _worker(self) -> str:
        workers = [p for p in self._session.shop.register.living() if p.kind == "worker"]
        if not workers:
            raise RuntimeError("no worker lives; start one with 'bodega worker'")
        return f"{len(workers)} alive"


def _timed(check: Callable[[], str]) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        status, detail = "healthy", check()
    except Exception as error:
        # The type only: messages of drivers name hosts and users.
        detail = str(error) if type(error) is RuntimeError else type(error).__name__
        status = "unhealthy"
    return {"status": status, "detail": detail, "ms": round((time.perf_counter() - began) * 1e3, 1)}


def add_routes(app: falcon.App[Any, Any], session: "Session") -> None:
    """Serve them."""
    health = Health(session)
    app.add_route("/health", health)
    for part in ("live", "ready", "detailed"):
        app.add_route(f"/health/{part}", health, suffix=part)
