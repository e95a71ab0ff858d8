"""Which other sites' scripts may call the API (CORS); never with a browser's cookies."""

from collections.abc import Iterable
from typing import Any

import falcon

from bodega.console.session import PATH as CONSOLE
from bodega_sdk.http import METHODS, Route

#: What scripts may send beyond what browsers always allow.
SENT = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match",
        "X-Request-ID")  # fmt: skip
#: What scripts may read beyond what browsers always allow.
READ = ("ETag", "Idempotency-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy",
        "Retry-After", "WWW-Authenticate", "X-Assembly-Generation", "X-Request-ID")  # fmt: skip


class Cors(falcon.CORSMiddleware[Any, Any]):
    """Falcon's own, with a list of headers instead of whatever was asked for, and ``Vary``."""

    def __init__(self, origins: tuple[str, ...], routes: Iterable[Route] = ()) -> None:
        known = tuple(routes)
        told = {name for route in known for name in route.tells}
        read = {name for route in known for name in route.reads}
        self._sent = ", ".join(sorted({*SENT, *read}))
        super().__init__("*" if origins == ("*",) else origins, sorted({*READ, *told}))

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer a preflight here, so that scripts can read a 404 or a 503 that follows it."""
        asked = req.method == "OPTIONS" and req.get_header("Access-Control-Request-Method")
        if asked and not _of_console(req) and self._allows(req.get_header("Origin")):
            resp.status = 204
            resp.set_header("Allow", ", ".join(METHODS))
            resp.complete = True

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        """Write the headers, also on answers that are errors."""
        if _of_console(req):
            return
        if self.allow_origins != "*":
            # Also without an origin: a cache must not give that answer to one.
            resp.append_header("Vary", "Origin")
        super().process_response(req, resp, resource, req_succeeded)
        if resp.get_header("Access-Control-Allow-Headers") is not None:
            resp.set_header("Access-Control-Allow-Headers", self._sent)

    def _allows(self, origin: str | None) -> bool:
        return origin is not None and (self.allow_origins == "*" or origin in self.allow_origins)


def _of_console(req: falcon.Request) -> bool:
    return req.path == CONSOLE or req.path.startswith(f"{CONSOLE}/")
