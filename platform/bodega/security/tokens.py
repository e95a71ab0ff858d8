"""JSON Web Tokens (RFC 7519), signed with EdDSA (RFC 8037) or RS256 (RFC 7518 §3.3).

Of a token's header only the key's id is used, and that only to look the key up: which
algorithm belongs to it, the shop knows (RFC 8725 §3.1). Access tokens have the type of
RFC 9068.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
from jwt.utils import base64url_decode, base64url_encode

from bodega.security.keys import Key, KeyRing
from bodega_sdk.errors import Unauthenticated
from bodega_sdk.ids import uuid7
from bodega_sdk.models import now

#: Whom tokens are for.
AUDIENCE = "bodega"
#: How far the clocks of hosts may differ.
LEEWAY = timedelta(seconds=5)
_HEADERS = {"alg", "kid", "typ"}
_REQUIRED = ["aud", "exp", "iat", "iss", "jti", "nbf", "sub", "use"]


def issuer(shop_id: str) -> str:
    """Return what a shop's tokens say they are from."""
    return f"urn:bodega:{shop_id}"


def _type(use: str) -> str:
    return "at+jwt" if use == "access" else f"{use}+jwt"


def sign(
    keys: KeyRing,
    shop_id: str,
    subject: str,
    roles: tuple[str, ...],
    use: str,
    lifetime: timedelta,
    claims: Mapping[str, Any],
) -> str:
    """Return a signed token; see :func:`bodega_sdk.identity.issue_token`."""
    issued, key = now(), keys.signing
    payload = dict(claims) | {
        "iss": issuer(shop_id),
        "aud": AUDIENCE,
        "sub": subject,
        "roles": list(roles),
        "use": use,
        "jti": uuid7().hex,
        "iat": issued,
        "nbf": issued,
        "exp": issued + lifetime,
    }
    header = {"kid": key.kid, "typ": _type(use)}
    return jwt.encode(payload, key.private, algorithm=key.algorithm, headers=header)


def key_id(token: str) -> Any:
    """Return the key id that a token names; None when it is no token."""
    try:
        return jwt.get_unverified_header(token).get("kid")
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError, OverflowError):
        return None


def read(keys: KeyRing, shop_id: str, token: str, use: str) -> dict[str, Any]:
    """Return the claims of a token.

    Raises:
        Unauthenticated: it is not ours, has expired, or was made for another use.
    """
    try:
        header = jwt.get_unverified_header(token)
        claims = _verified(keys.find(header.get("kid")), header, token, issuer(shop_id))
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The token has expired; log in again or refresh it.") from None
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError, OverflowError):
        raise Unauthenticated("The token is not one of this shop's.") from None
    if claims["use"] != use or header.get("typ") != _type(use):
        raise Unauthenticated(f"Expected a token for {use!r}, found one for {claims['use']!r}.")
    return claims


def _verified(
    key: Key | None, header: Mapping[str, Any], token: str, wanted: str
) -> dict[str, Any]:
    if key is None or header.keys() != _HEADERS or header["alg"] != key.algorithm:
        raise jwt.InvalidTokenError
    if not _is_canonical(token.rpartition(".")[2]):
        raise jwt.InvalidTokenError
    claims: dict[str, Any] = jwt.decode(
        token, key.public, [key.algorithm], leeway=LEEWAY, audience=AUDIENCE, issuer=wanted,
        options={"require": _REQUIRED, "strict_aud": True},
    )  # fmt: skip
    if not _is_ours(claims):
        raise jwt.InvalidTokenError
    return claims


def _is_canonical(signature: str) -> bool:
    """Whether a signature is written as we write it: else one token had many spellings."""
    return base64url_encode(base64url_decode(signature)).decode() == signature


def _is_ours(claims: Mapping[str, Any]) -> bool:
    """Whether claims are of the types that :func:`sign` writes."""
    times = [claims[name] for name in ("iat", "nbf", "exp")]
    whole = all(type(instant) is int for instant in times)
    return whole and isinstance(claims.get("roles"), list) and isinstance(claims["use"], str)
