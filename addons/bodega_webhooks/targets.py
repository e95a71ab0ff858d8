"""Where and how a webhook is sent to, ready for use."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from bodega_sdk import now, seal, setting, unseal
from bodega_webhooks.models import Secret, Webhook
from bodega_webhooks.signing import SIGNINGS, Signer, sign, signer

#: What secrets and headers are sealed for.
PURPOSE = "webhooks secrets"
AGENT = "Bodega-Webhooks/1.0"
MASK = "…"
_SECRETIVE = ("auth", "token", "secret", "key", "password", "cookie", "session", "credential")


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook as the sender needs it.

    Args:
        url: where to.
        trusted: whether its host may be at a private address.
        headers: that every request has.
        shown: the same for the log, secrets masked, as the beginning of a JSON object.
        signers: one for each key.
        confidential: what must not stand in the log.
        fresh_until: when a key ends, so that this must be made anew; None when none does.
    """

    id: str
    url: str
    trusted: bool
    headers: dict[str, str]
    shown: str
    signers: Sequence[Signer]
    confidential: tuple[str, ...]
    timeout: float
    concurrency: int
    rate: int | None
    ordered: bool
    changed_at: datetime
    fresh_until: datetime | None

    def stamped(self, message_id: str, body: bytes) -> tuple[dict[str, str], str]:
        """Return the headers of one request, signed now, and what the log tells of it."""
        timestamp = int(time.time())
        signature = sign(self.signers, message_id, timestamp, body)
        own = {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature,
        }
        told = (
            f'{self.shown}"webhook-id":"{message_id}","webhook-timestamp":"{timestamp}",'
            f'"webhook-signature":"{signature}"}}}}'
        )
        return self.headers | own, told


def targets_of(webhooks: Sequence[Webhook]) -> list[Target]:
    """Make webhooks ready to be sent to."""
    secrets: dict[Any, list[Secret]] = {}
    ids = [webhook.id for webhook in webhooks]
    for secret in Secret.select().where(Secret.webhook.in_(ids)).order_by(Secret.id.desc()):
        secrets.setdefault(secret.webhook_id, []).append(secret)
    private = allowed_hosts()
    return [_target(webhook, secrets.get(webhook.id, []), private) for webhook in webhooks]


def _target(webhook: Webhook, secrets: Iterable[Secret], private: tuple[str, ...]) -> Target:
    living = [item for item in secrets if item.expires_at is None or item.expires_at > now()]
    schemes, host = SIGNINGS[webhook.signing], urlsplit(webhook.url).hostname or ""
    used = [(item.scheme, unseal(PURPOSE, item.sealed)) for item in living
            if item.scheme in schemes]  # fmt: skip
    own = read_headers(webhook)
    headers = {
        "content-type": "application/json",
        "user-agent": AGENT,
        "accept-encoding": "identity",
        **own,
    }
    hidden = tuple(value for name, value in own.items() if is_secretive(name))
    return Target(
        webhook.id.hex, webhook.url, is_allowed(host, private), headers,
        _shown(webhook.url, headers),
        [signer(scheme, clear) for scheme, clear in used],
        (*hidden, *(clear for _, clear in used)),
        float(webhook.timeout), webhook.concurrency, webhook.rate, webhook.ordered,
        webhook.updated_at, min((item.expires_at for item in living if item.expires_at),
                                default=None),
    )  # fmt: skip


def _shown(url: str, headers: dict[str, str]) -> str:
    shown = {name: masked(name, value) for name, value in headers.items()}
    # Its last brace is that of the headers; the signature's come before it.
    begun = orjson.dumps({"url": url, "headers": shown}).decode().removesuffix("}}")
    return f"{begun},"


def is_secretive(name: str) -> bool:
    """Whether a header of this name is likely to hold a secret."""
    return any(part in name.lower() for part in _SECRETIVE)


def masked(name: str, value: str) -> str:
    """Return the value of a header as others may see it."""
    return MASK if is_secretive(name) else value


def sealed_headers(headers: dict[str, str]) -> str:
    """Return headers as they are stored."""
    return seal(PURPOSE, orjson.dumps(headers).decode()) if headers else ""


def read_headers(webhook: Webhook) -> dict[str, str]:
    """Return a webhook's own headers."""
    if not webhook.headers:
        return {}
    found: dict[str, str] = orjson.loads(unseal(PURPOSE, webhook.headers))
    return found


def allowed_hosts() -> tuple[str, ...]:
    """Return the hosts that may be at private addresses, as an operator allows them."""
    told: str = setting("webhooks.allow_hosts")
    return tuple(item.strip().lower() for item in told.split(",") if item.strip())


def is_allowed(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is one of those that may be at private addresses."""
    host = host.lower().rstrip(".")
    return any(
        pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))
        for pattern in patterns
    )
