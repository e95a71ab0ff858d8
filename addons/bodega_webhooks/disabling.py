"""Disabling a webhook whose receiver is gone, and telling who cares."""

from uuid import UUID

from bodega_sdk import addon_api, audit, now, public_url, send_mail, setting
from bodega_sdk.errors import InvalidInput
from bodega_webhooks import events
from bodega_webhooks.models import Webhook


def disable(webhook: str | UUID, reason: str) -> bool:
    """Disable a webhook, tell its contact by mail and everybody by an event.

    Call it in a transaction.

    Args:
        reason: in words.

    Returns:
        Whether it was enabled until now.
    """
    row = Webhook.find(UUID(str(webhook)), lock=True)
    if row is None or not row.enabled:
        return False
    row.enabled, row.disabled_reason, row.disabled_at = False, reason[:300], now()
    row.updated_at = now()
    row.save()
    told(row, reason)
    _mail(row, reason)
    return True


def told(row: Webhook, reason: str) -> None:
    """Write down that a webhook was disabled."""
    events.disabled.publish(str(row.id), {"id": str(row.id), "url": row.url, "reason": reason})
    audit("webhook.disabled", f"webhook:{row.id}", url=row.url, reason=reason)


def _maker(row: Webhook) -> str:
    """Return the address of who made a webhook; empty when they are gone."""
    accounts = addon_api("accounts")
    try:
        key = UUID(row.created_by)
    except ValueError:
        return ""
    found = accounts.people([key]).get(key) if accounts else None
    return found.email if found and found.is_active else ""


def _mail(row: Webhook, reason: str) -> None:
    to = row.contact_email or _maker(row) or setting("webhooks.contact_email")
    if not to:
        return
    text = (
        f"The webhook to {row.url} was disabled: {reason}.\n\n"
        "What had not been delivered by then is kept. Once the receiver is well again, enable "
        f"the webhook, and it is sent:\n\nPATCH {public_url()}/api/v1/webhooks/{row.id} "
        'with {"enabled": true}'
    )
    try:
        send_mail(to, "A webhook was disabled", text)
    except InvalidInput:
        # A setting is only known to be text; what it says must not keep this from happening.
        audit("webhook.contact_unusable", f"webhook:{row.id}")
