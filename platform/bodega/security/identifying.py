"""Who is calling: from an access token, or from a credential that an addon knows."""

import time
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from bodega_sdk.errors import Unauthenticated
from bodega_sdk.identity import Credential, Holder, Identity
from bodega_sdk.models import now
from bodega_sdk.permissions import permissions_of

if TYPE_CHECKING:
    from bodega.shop import Session, Shop

#: Seconds that a credential's holder is known for without asking its addon again.
_KEPT = 60.0
#: Credentials, and tokens, that are known at a time.
_MOST = 5_000


class Identifying:
    """Identifies callers for one process, which has the list of what is revoked."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._holders: dict[bytes, tuple[float, Holder]] = {}
        # Tokens whose signature was checked: that costs more than most requests' work.
        self._tokens: dict[str, Mapping[str, Any]] = {}

    def identify(self, session: "Session", sent: str) -> Identity:
        """Return who a token or credential belongs to.

        Raises:
            Unauthenticated: it is no good.
        """
        for credential in session.assembly.credentials:
            if sent.startswith(credential.prefix):
                return _of_holder(session, self._holder(credential, sent))
        claims = self._claims(session, sent)
        roles = tuple(str(role) for role in claims.get("roles", ()))
        held = permissions_of(roles, session.assembly.grants, session.assembly.permissions)
        named = (str(claims.get(name) or "") for name in ("sid", "org"))
        return Identity(str(claims["sub"]), roles, held, *named)

    def _claims(self, session: "Session", token: str) -> Mapping[str, Any]:
        # Whatever is revoked or rotated makes this forget all tokens, so it comes first.
        self._shop.revocations.keep_up()
        known = self._tokens
        claims = known.get(token)
        if claims is not None and claims["exp"] > time.time():
            self.refuse_ended(claims)
            return claims
        claims = session.read_token(token, "access")
        if len(known) >= _MOST:
            known.clear()
        known[token] = claims
        return claims

    def refuse_ended(self, claims: Mapping[str, Any]) -> None:
        """Refuse the claims of a session that has ended or was renewed.

        Raises:
            Unauthenticated: saying which.
        """
        session, version = claims.get("sid"), claims.get("ver", 0)
        if not isinstance(session, str) or not isinstance(version, int):
            return
        if self._shop.revocations.refuses(session, version):
            raise Unauthenticated("The session of this token has ended; log in again.")

    def forget(self) -> None:
        """Ask the addons again who holds a credential, and check every token anew."""
        self._holders, self._tokens = {}, {}

    def _holder(self, credential: Credential, sent: str) -> Holder:
        # What is revoked is known before what is kept is believed.
        self._shop.revocations.keep_up()
        name, moment, kept = sha256(sent.encode()).digest(), time.monotonic(), self._holders
        known, holder = kept.get(name, (0.0, None))
        if holder is None or known < moment:
            holder = credential.find(sent)
            if holder is not None and len(kept) < _MOST:
                kept[name] = (moment + _KEPT, holder)
        if holder is None or _has_ended(holder.expires_at):
            raise Unauthenticated("The API key is unknown, has expired or was revoked.")
        return holder


def _has_ended(instant: datetime | None) -> bool:
    return instant is not None and instant <= now()


def _of_holder(session: "Session", holder: Holder) -> Identity:
    assembly = session.assembly
    held = permissions_of(holder.roles, assembly.grants, assembly.permissions)
    return Identity(
        holder.subject, holder.roles, held & holder.scopes, organization=holder.organization,
        key=holder.key,
    )  # fmt: skip
