"""The Gate: the one WSGI callable, which holds the current Assembly."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bodega.shop import Session, Shop
from bodega_sdk.runtime import bound


class Gate:
    """Serves each request on the Assembly that is current when it comes in.

    A request keeps its session to its end; swapping replaces one reference in the
    shop and disturbs nobody.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        session = self._shop.lend()
        try:
            with bound(session):
                body: Iterable[bytes] = session.view(environ, start_response)
        except BaseException:
            # No middleware has run to its end: the connection must not stay with the thread.
            session.databases.close()
            session.leave()
            raise
        if isinstance(body, list):
            session.leave()
            return body
        return _Leaving(body, session)


class _Leaving:
    """A streamed body that leaves its session when the server closes it."""

    def __init__(self, body: Iterable[bytes], session: Session) -> None:
        self._body = body
        self._session: Session | None = session

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Close the body; called by the server once the response is sent or broken off."""
        try:
            getattr(self._body, "close", lambda: None)()
        finally:
            if self._session is not None:
                self._session.leave()
                self._session = None
