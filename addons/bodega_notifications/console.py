"""The console's pages: the outbox, and how notifications are worded."""

from collections.abc import Iterator

from bodega_notifications import outbox, previewing, rendering
from bodega_sdk import ConsolePage, Parameter, Request, setting
from bodega_sdk.console import (
    PAGE,
    Badge,
    Block,
    Facts,
    Heading,
    Link,
    Notice,
    Table,
    Text,
    page_links,
)

_SIZE = 50
_TONES = {"sent": "good", "mailed": "good", "failed": "bad", "queued": "warning"}
_CHANNEL = Parameter("channel", str, "Only this way.", choices=outbox.WAYS)
_STATUS = Parameter("status", str, "Only deliveries of this status.", choices=outbox.STATUSES)
_TYPE = Parameter("type", str, "Show how this type is worded.")


def pages() -> list[ConsolePage]:
    """Return the pages."""
    return [
        ConsolePage(
            "notifications", "Notifications", "notifications.outbox", sent,
            "What left the shop, newest first, and what is kept here.",
            (_CHANNEL, _STATUS, PAGE),
        ),
        ConsolePage(
            "notifications/templates", "Wording", previewing.PERMISSION, wording,
            "How notifications read, made of samples.", (_TYPE, previewing.LANGUAGE),
        ),
    ]  # fmt: skip


def sent(request: Request) -> Iterator[Block]:
    """A portion of the outbox."""
    for name, way in (("team_urls", "The team"), ("sms_url", "Text messages")):
        if not setting(f"notifications.{name}"):
            yield Notice(f"{way}: notifications.{name} is not set, so they are kept here.")
    number = request.query["page"]
    query = outbox.select(channel=request.query.get("channel"), status=request.query.get("status"))
    rows = list(query.limit(_SIZE + 1).offset((number - 1) * _SIZE))
    told = outbox.addressees(rows)
    columns = ("Title", "Text", "To", "Way", "Status", "Due", "Sent", "Error")
    yield Table(columns, [
        (row.notification.title, row.notification.text[:300], told[row.id], row.channel,
         Badge(row.status, _TONES.get(row.status, "plain")), row.due_at, row.sent_at, row.error)
        for row in rows[:_SIZE]
    ], empty="Nothing has left the shop yet.")  # fmt: skip
    yield page_links(request, more=len(rows) > _SIZE)


def wording(request: Request) -> Iterator[Block]:
    """All types, or one as a mail."""
    wanted = request.query.get("type")
    if wanted is not None:
        yield from _one(request, wanted)
        return
    yield Table(("Type", "What", "By", "Languages"), [
        (Link(item["type"], f"/console/notifications/templates?type={item['type']}"),
         item["title"], ", ".join(item["channels"]),
         ", ".join(f"{name} ({origin})" for name, origin in item["languages"].items()))
        for item in previewing.templates()
    ])  # fmt: skip


def _one(request: Request, wanted: str) -> Iterator[Block]:
    kind, language = previewing.kind_of(wanted), previewing.language_of(request)
    message, template = rendering.preview(kind, language)
    yield Facts((
        ("Type", kind.name), ("Language", template.language), ("Wording", template.origin),
        ("Subject", message.title),
        ("All types", Link("back to the list", "/console/notifications/templates")),
    ))  # fmt: skip
    yield Heading("Text")
    yield Text(message.text)
    yield Heading("HTML")
    yield Text(message.html)
