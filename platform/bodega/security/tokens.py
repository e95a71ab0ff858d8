"""JSON Web Tokens (RFC 7519), signed with EdDSA (RFC 8037)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt

from bodega.security.keys import KeyRing
from bodega_sdk.errors import Unauthenticated
from bodega_sdk.ids import uuid7
from bodega_sdk.models import now

_LEEWAY = timedelta(seconds=5)


def sign(
    keys: KeyRing,
    subject: str,
    roles: tuple[str, ...],
    use: str,
    lifetime: timedelta,
    claims: Mapping[str, Any],
) -> str:
    """Return a signed token; see :func:`bodega_sdk.identity.issue_token`."""
    issued = now()
    payload = dict(claims) | {
        "sub": subject,
        "roles": list(roles),
        "use": use,
        "jti": uuid7().hex,
        "iat": issued,
        "exp": issued + lifetime,
    }
    return jwt.encode(payload, keys.private, algorithm="EdDSA", headers={"kid": keys.current})


def read(keys: KeyRing, token: str, use: str) -> dict[str, Any]:
    """Return the claims of a token.

    Raises:
        Unauthenticated: it is not ours, has expired, or was made for another use.
    """
    try:
        key = keys.public[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token, key, ["EdDSA"], leeway=_LEEWAY, options={"require": ["exp", "sub", "use"]}
        )
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The token has expired; log in again or refresh it.") from None
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
        raise Unauthenticated("The token is not one of this shop's.") from None
    if claims["use"] != use:
        raise Unauthenticated(f"Expected a token for {use!r}, found one for {claims['use']!r}.")
    return claims
