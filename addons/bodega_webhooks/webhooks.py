"""Making, changing and deleting webhooks, and replacing their keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bodega_sdk import audit, event_types, now, seal
from bodega_sdk.errors import Conflict, invalid
from bodega_webhooks import events
from bodega_webhooks.disabling import told
from bodega_webhooks.models import Attempt, Delivery, Endpoint, Secret, Webhook
from bodega_webhooks.patterns import any_matches
from bodega_webhooks.signing import SIGNINGS, Key, given_key, new_key
from bodega_webhooks.targets import PURPOSE, sealed_headers

#: Old keys of a scheme that sign beside the newest.
MOST_OLD = 5


@dataclass(frozen=True, slots=True)
class Rotated:
    """New keys.

    Args:
        secret: of ``v1``; stored sealed, and shown nowhere again.
        public_key: of ``v1a``.
        old_key_ends_at: until when the old ones sign too.
    """

    secret: str
    public_key: str
    old_key_ends_at: datetime


def create(data: dict[str, Any], created_by: str) -> tuple[Webhook, str]:
    """Make a webhook; call it in a transaction.

    Args:
        data: loaded by the schema.

    Returns:
        The webhook, and its secret when it has one.
    """
    members = dict(data)
    given = members.pop("secret", "")
    members["headers"] = sealed_headers(members["headers"])
    if members["payload_versions"] is None:
        members["payload_versions"] = versions_of_today(members["event_types"])
    row: Webhook = Webhook.create(**members, created_by=created_by[:100])
    long_ago = now() - timedelta(days=1)
    Endpoint.create(webhook=row, lease_until=long_ago, paused_until=long_ago)
    secret = _add_missing_keys(row, given)
    audit("webhook.created", f"webhook:{row.id}", url=row.url, event_types=row.event_types)
    return row, secret


def versions_of_today(patterns: list[str]) -> dict[str, int]:
    """Return the versions of the events that patterns mean, to be pinned to."""
    return {
        event.name: event.version for event in event_types() if any_matches(patterns, event.name)
    }


def change(row: Webhook, data: dict[str, Any]) -> str:
    """Change a webhook, locked, by loaded data; return a secret that was made for it."""
    members = dict(data)
    if members.pop("secret", ""):
        raise invalid("secret", "Send it to …/secret/rotate, so that the old one ends in time.")
    if "headers" in members:
        members["headers"] = sealed_headers(members["headers"])
    if "payload_versions" in members and members["payload_versions"] is None:
        patterns = members.get("event_types", row.event_types)
        members["payload_versions"] = versions_of_today(patterns)
    was_enabled = row.enabled
    for name, value in members.items():
        setattr(row, name, value)
    _switched(row, was_enabled)
    row.updated_at = now()
    row.save()
    audit("webhook.changed", f"webhook:{row.id}", members=sorted(members))
    return _add_missing_keys(row, "")


def _switched(row: Webhook, was_enabled: bool) -> None:
    if row.enabled and not was_enabled:
        row.disabled_reason, row.disabled_at = "", None
        _forgive(row)
        events.enabled.publish(str(row.id), {"id": str(row.id), "url": row.url})
    elif was_enabled and not row.enabled:
        row.disabled_reason, row.disabled_at = "by hand", now()
        told(row, "by hand")


def _forgive(row: Webhook) -> None:
    """Begin anew with an endpoint that failed."""
    changes = {"failures": 0, "failing_since": None, "paused_until": now()}
    Endpoint.update(changes).where(Endpoint.webhook == row.id).execute()


def remove(row: Webhook) -> None:
    """Delete a webhook with everything about it."""
    mine = Delivery.select(Delivery.id).where(Delivery.webhook == row.id)
    Attempt.delete().where(Attempt.delivery.in_(mine)).execute()
    row.delete_instance()
    audit("webhook.deleted", f"webhook:{row.id}", url=row.url)


# Keys.


def rotate(row: Webhook, overlap: timedelta, given: str) -> Rotated:
    """Make new keys in the place of a webhook's, which sign beside them for a while.

    Args:
        given: a secret to use for ``v1``; empty for one that is made.

    Raises:
        InvalidInput: a secret was given, and only ed25519 signs.
        Conflict: there are too many old keys already.
    """
    schemes = SIGNINGS[row.signing]
    if given and "v1" not in schemes:
        raise invalid("secret", "Of v1a the key is made here.")
    ends = now() + overlap
    Secret.delete().where(Secret.webhook == row.id, Secret.expires_at <= now()).execute()
    made = [_replaced(row, scheme, ends, given) for scheme in schemes]
    row.updated_at = now()
    row.save()
    audit("webhook.secret_rotated", f"webhook:{row.id}", ends=ends.isoformat())
    found = {key.scheme: key for key in made}
    return Rotated(
        found["v1"].private if "v1" in found else "",
        found["v1a"].public if "v1a" in found else "",
        ends,
    )


def _replaced(row: Webhook, scheme: str, ends: datetime, given: str) -> Key:
    mine = (Secret.webhook == row.id) & (Secret.scheme == scheme)
    if Secret.select().where(mine).count() > MOST_OLD:
        raise Conflict(f"{MOST_OLD} old keys still sign; wait until one of them ends.")
    Secret.update(expires_at=ends).where(mine, Secret.expires_at.is_null()).execute()
    return _keep(row, given_key(given) if given and scheme == "v1" else new_key(scheme))


def _add_missing_keys(row: Webhook, given: str) -> str:
    """Make the keys that a webhook signs with and has not; return a new secret of ``v1``."""
    living = Secret.select(Secret.scheme).where(
        Secret.webhook == row.id, Secret.expires_at.is_null()
    )
    there, secret = {item.scheme for item in living}, ""
    for scheme in SIGNINGS[row.signing]:
        if scheme not in there:
            made = _keep(row, given_key(given) if given and scheme == "v1" else new_key(scheme))
            secret = made.private if scheme == "v1" else secret
    return secret


def _keep(row: Webhook, key: Key) -> Key:
    Secret.create(
        webhook=row, scheme=key.scheme, sealed=seal(PURPOSE, key.private), public=key.public
    )
    return key
