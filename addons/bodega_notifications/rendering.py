"""What somebody is told, in their language, in the form that a way asks for."""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from bodega_notifications import finding
from bodega_notifications.finding import Template, UnreadableTemplate
from bodega_notifications.kinds import NotificationType
from bodega_notifications.wording import (
    Message,
    fill,
    fill_html,
    one_line,
    paragraphs,
    ready,
)
from bodega_sdk import public_url, setting
from bodega_sdk.errors import invalid

log = structlog.get_logger(__name__)


def render(
    kind: NotificationType, language: object, data: Mapping[str, Any]
) -> tuple[Message, str]:
    """Return what a notification says, and its link.

    A template that fails, as operators' may, gives way to the next best one.
    """
    for template in finding.candidates(kind, language):
        try:
            return _rendered(template, data), _link(template, data)
        # A template can fail in every way that Python can.
        except Exception as error:
            log.error("a template cannot be used", type=kind.name, error=str(error))
    return Message(kind.title, kind.title), ""


def preview(kind: NotificationType, language: object) -> tuple[Message, Template]:
    """Return what the best template of a type makes of the type's sample, as a whole mail.

    Raises:
        InvalidInput: the template cannot be used; it says why.
    """
    template = next(finding.candidates(kind, language))
    try:
        message, link = _rendered(template, kind.sample), _link(template, kind.sample)
        assert isinstance(template, Template)
    except Exception as error:
        raise invalid("type", f"The template of {kind.name} fails: {error}", kind.name) from None
    return as_mail(message, link, language), template


def _rendered(template: Template | UnreadableTemplate, data: Mapping[str, Any]) -> Message:
    if isinstance(template, UnreadableTemplate):
        raise template
    title, text = one_line(fill(template.title, data)), fill(template.text, data).strip()
    html = fill_html(template.html, data) if template.html else ""
    return Message(title or template.name, text or title or template.name, str(html).strip())


def _link(template: Template | UnreadableTemplate, data: Mapping[str, Any]) -> str:
    link = template.link if isinstance(template, Template) else ""
    told = one_line(fill(link, data)) if link else ""
    # Nothing but a page of the web may stand behind a link, whatever the data say.
    return told if told.startswith(("/", "https://", "http://")) else ""


def as_mail(message: Message, link: str, language: object) -> Message:
    """Return a message with the head and the foot of mails around it."""
    content = ready(message.html) if message.html else paragraphs(message.text)
    values = _around(link) | {"title": message.title}
    return _framed("layout", language, message, values, content)


def as_digest(messages: Iterable[tuple[Message, str]], language: object) -> Message:
    """Return several messages, each with its link, as one mail."""
    items = [
        {"title": item.title, "text": item.text, "link": _absolute(link)} for item, link in messages
    ]
    told = {"items": items, "number": len(items)}
    for template in finding.files("digest", language):
        try:
            message = _rendered(template, told)
        except Exception as error:
            log.error("a template cannot be used", type="digest", error=str(error))
        else:
            return as_mail(message, "", language)
    raise AssertionError("the house has a template of digests")


def _framed(
    name: str, language: object, message: Message, values: Mapping[str, Any], content: str
) -> Message:
    for template in finding.files(name, language):
        try:
            if isinstance(template, UnreadableTemplate):
                raise template
            text = fill(template.text, {**values, "content": message.text}).strip() + "\n"
            html = fill_html(template.html, {**values, "content": content})
            return Message(message.title, text, str(html))
        except Exception as error:
            log.error("a template cannot be used", type=name, error=str(error))
    return message


def _around(link: str) -> dict[str, str]:
    return {
        "link": _absolute(link),
        "shop": public_url(),
        "preferences": setting("notifications.preferences_link"),
    }


def _absolute(link: str) -> str:
    return f"{public_url()}{link}" if link.startswith("/") else link
