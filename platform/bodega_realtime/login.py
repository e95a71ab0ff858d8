"""Who a client is: the token it brings, and until when that is good."""

from dataclasses import dataclass
from datetime import UTC, datetime

from websockets.http11 import Request

from bodega.shop import Session
from bodega_sdk.identity import Identity

PROTOCOL = "bodega.v1"
_IN_PROTOCOLS = "bearer."


@dataclass(frozen=True, slots=True)
class Login:
    """A client that is logged in.

    Args:
        expires_at: when its token ends, UTC.
        version: of its session, as the token has it.
    """

    identity: Identity
    expires_at: datetime
    version: int = 0


def log_in(session: Session, token: str) -> Login:
    """Return who an access token belongs to.

    Raises:
        Unauthenticated: it is no good.
    """
    claims = session.read_token(token, "access")
    ends = datetime.fromtimestamp(float(claims["exp"]), UTC)
    return Login(session.identify(token), ends, claims.get("ver", 0))


def token_of(request: Request) -> str | None:
    """Return the token of a handshake: of ``Authorization``, or of the subprotocols.

    Addresses are logged everywhere, so one in the query string is not read.
    """
    for value in request.headers.get_all("Authorization"):
        scheme, _, token = value.strip().partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
    for offered in subprotocols_of(request):
        if offered.startswith(_IN_PROTOCOLS):
            return offered.removeprefix(_IN_PROTOCOLS)
    return None


def subprotocols_of(request: Request) -> list[str]:
    """Return what the client offers in ``Sec-WebSocket-Protocol``."""
    values = request.headers.get_all("Sec-WebSocket-Protocol")
    return [item.strip() for value in values for item in value.split(",")]
