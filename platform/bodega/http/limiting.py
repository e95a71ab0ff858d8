"""How many requests a caller may send: counted, told in every answer, refused beyond.

The headers are those of draft-ietf-httpapi-ratelimit-headers: ``RateLimit-Policy`` says what
is allowed, ``RateLimit`` what is left (``r``) and in how many seconds it is filled up (``t``).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import falcon

from bodega.http.binding import identified
from bodega.http.request_id import begin
from bodega.perimeter import Quota
from bodega.security.limit_stores import Window
from bodega.security.throttle import wait
from bodega_sdk.addresses import network_of
from bodega_sdk.errors import TooManyRequests, Unauthenticated
from bodega_sdk.identity import ANONYMOUS, Identity
from bodega_sdk.throttling import RateLimit

if TYPE_CHECKING:
    from bodega.shop import Session

#: The name of the policy in the headers.
POLICY = "default"


class RateLimits:
    """Counts every request to the API against its caller's quota.

    Args:
        root: below which the API is; health, metrics, pages and files are not limited.
    """

    def __init__(self, session: "Session", root: str) -> None:
        settings = session.shop.settings
        self._session = session
        self._roots = (root, f"{root}/")
        self._known = _limit(settings.rate_limit)
        self._anonymous = _limit(settings.rate_limit_anonymous)

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Count, and tell.

        Raises:
            TooManyRequests: the caller has used up its quota.
        """
        if req.method == "OPTIONS" or not self._limits(req.path):
            return
        begin(req)
        identity = self._caller(req)
        limit = self._known if identity.authenticated else self._anonymous
        if limit is None:
            return
        window = self._session.shop.throttle.count(limit, _key(identity, req.context.address))
        for name, value in _headers(limit, window):
            resp.set_header(name, value)
        if window.count > limit.amount:
            raise _refusal(limit, window)

    def of_stranger(self, address: str) -> Iterable[tuple[str, str]] | None:
        """Count a request of nobody in particular; return its headers, None if it is refused."""
        limit = self._anonymous
        if limit is None:
            return ()
        window = self._session.shop.throttle.count(limit, _key(ANONYMOUS, address))
        return _headers(limit, window) if window.count <= limit.amount else None

    def _limits(self, path: str) -> bool:
        return path.startswith(self._roots[1]) or path == self._roots[0]

    def _caller(self, req: falcon.Request) -> Identity:
        """Return whom a request is counted for; a bad token is its address's doing."""
        try:
            return identified(self._session, req)
        except Unauthenticated:
            return ANONYMOUS


def _limit(quota: Quota | None) -> RateLimit | None:
    return RateLimit(f"http.{POLICY}", *quota) if quota else None


def _key(identity: Identity, address: str) -> str:
    if identity.key:
        return f"key {identity.key}"
    if identity.authenticated:
        return f"account {identity.subject}"
    return f"address {network_of(address)}"


def _headers(limit: RateLimit, window: Window) -> tuple[tuple[str, str], ...]:
    left = max(0, limit.amount - window.count)
    return (
        ("ratelimit-policy", f'"{POLICY}";q={limit.amount};w={limit.seconds}'),
        ("ratelimit", f'"{POLICY}";r={left};t={wait(window)}'),
    )


def _refusal(limit: RateLimit, window: Window) -> TooManyRequests:
    seconds = wait(window)
    return TooManyRequests(
        f"More than {limit.amount} requests in {limit.seconds} seconds; "
        f"go on in {seconds} seconds, and see the header RateLimit.",
        retry_after=seconds,
    )
