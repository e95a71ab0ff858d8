"""Who is logged in to the console: an access token in a cookie that no script can read.

The API never reads the cookie, and the console never writes anything but this cookie,
so that a page elsewhere has nothing to forge a request for.
"""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import falcon

from bodega.http.binding import bearer_token
from bodega_sdk.errors import Unauthenticated
from bodega_sdk.identity import Identity

if TYPE_CHECKING:
    from bodega.shop import Session

COOKIE = "bodega_console"
PATH = "/console"


def logged_in(session: "Session", req: falcon.Request) -> Identity | None:
    """Return who is logged in, None without a cookie.

    Raises:
        Unauthenticated: the token in the cookie is no good, or no good any more.
    """
    values = req.get_cookie_values(COOKIE)
    return session.identify(values[0]) if values else None


def forget(resp: falcon.Response) -> None:
    """Take the cookie back."""
    resp.unset_cookie(COOKIE, path=PATH, same_site="Strict")


class ConsoleSession:
    """``/console/session``: logging in and out."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Put the access token of the header into the cookie, for as long as it is good."""
        token = bearer_token(req)
        if token is None:
            raise Unauthenticated("Send an access token as 'Authorization: Bearer <token>'.")
        self._session.identify(token)
        ends = float(self._session.read_token(token, "access")["exp"])
        resp.set_cookie(
            COOKIE, token, max_age=max(1, int(ends - time.time())), path=PATH, http_only=True,
            same_site="Strict", secure=req.context.scheme == "https",
        )  # fmt: skip
        resp.status = 204

    def _end(self, token: str) -> None:
        try:
            claims = self._session.read_token(token, "access")
        except Unauthenticated:
            return
        if claims.get("sid"):
            ends = datetime.fromtimestamp(float(claims["exp"]), UTC)
            self._session.revoke_session(claims["sid"], ends, None)

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Log out: the token in the cookie is refused from now on, wherever it may be."""
        values = req.get_cookie_values(COOKIE)
        if values:
            self._end(values[0])
        forget(resp)
        resp.status = 204
