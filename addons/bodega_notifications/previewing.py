"""The routes by which administrators see how notifications are worded."""

from typing import Any

from bodega_notifications import finding, rendering
from bodega_notifications.kinds import NotificationType
from bodega_notifications.registry import known
from bodega_notifications.schemas import PreviewSchema, TemplatesSchema
from bodega_sdk import Parameter, Request, Route, setting
from bodega_sdk.errors import FieldError, NotFound, invalid

PERMISSION = "notifications.templates"
FORMATS = ("text", "html")
LANGUAGE = Parameter("language", str, "Language (BCP 47) of who is told; the shop's unless said.")
FORMAT = Parameter("format", str, "Which part of the mail.", "text", choices=FORMATS)


def templates() -> list[dict[str, Any]]:
    """Return all types, and in which languages each is worded by whom."""
    return [
        {
            "type": kind.name,
            "title": kind.title,
            "channels": list(kind.channels),
            "security": kind.security,
            "languages": finding.languages_of(kind.name, kind.package),
        }
        for kind in known().values()
    ]


def kind_of(name: str) -> NotificationType:
    """Return a type.

    Raises:
        NotFound: there is none of this name.
    """
    kinds = known()
    found = kinds.get(name)
    if found is None:
        raise NotFound(
            f"No type of notification has this name; there are: {', '.join(sorted(kinds))}.",
            [FieldError("type", "No type is called so.", name)],
        )
    return found


def language_of(request: Request) -> str:
    """Return the language that is asked for.

    Raises:
        InvalidInput: it is no language's tag.
    """
    language: str = request.query.get("language") or setting("notifications.language")
    if not finding.is_language(language):
        raise invalid("language", "Expected a language such as 'de' or 'pt-BR'.", language)
    return language


def _list(request: Request) -> dict[str, Any]:
    return {"types": templates()}


def _preview(request: Request) -> dict[str, Any]:
    kind, asked = kind_of(request.params["type"]), request.query["format"]
    message, template = rendering.preview(kind, language_of(request))
    return {
        "type": kind.name,
        "language": template.language,
        "origin": template.origin,
        "format": asked,
        "subject": message.title,
        "content": message.html if asked == "html" else message.text,
    }


ROUTES = (
    Route("GET", "/notifications/templates", _list, PERMISSION, "List types and their templates",
          returns=TemplatesSchema),
    Route("GET", "/notifications/templates/{type}/preview", _preview, PERMISSION,
          "Preview a mail", parameters=(LANGUAGE, FORMAT), returns=PreviewSchema,
          path_types={"type": str}),
)  # fmt: skip
