"""What notifications look like outside."""

from typing import Any

from bodega_notifications.kinds import PERSONAL
from bodega_notifications.timing import DIGESTS, is_zone
from bodega_sdk.schemas import (
    Boolean,
    Dict,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Timestamp,
    Uuid,
    ValidationError,
    validate,
)

_CLOCK = validate.Regexp(r"([01]\d|2[0-3]):[0-5]\d\Z", error="Expected a time such as 22:00.")


def _zone(name: str | None) -> None:
    if name is not None and not is_zone(name):
        raise ValidationError("Expected a time zone such as Europe/Berlin.")


class NotificationSchema(Schema):
    """A notification in one's inbox."""

    id = Uuid()
    type = String(metadata={"description": "See the preferences for all of them."})
    title = String(max_length=300)
    text = String(max_length=20_000)
    link = String(max_length=1000, metadata={"description": "A page of the shop, or empty."})
    data = Dict(keys=String(), metadata={"description": "What the text was made of."})
    created_at = Timestamp()
    read_at = Timestamp(allow_none=True, metadata={"description": "Null while it is unread."})


class UnreadSchema(Schema):
    """How many notifications are unread."""

    unread = Integer(required=True, minimum=0)


class ReadSchema(Schema):
    """How many notifications were marked."""

    read = Integer(required=True, minimum=0)


class QuietHoursSchema(Schema):
    """Hours in which nothing is sent; they may go over midnight."""

    begins = String(required=True, validate=_CLOCK)
    ends = String(required=True, validate=_CLOCK)


class ChannelsSchema(Schema):
    """By which ways one is told; what is left out is as usual for the type."""

    in_app = Boolean()
    email = Boolean()
    sms = Boolean(metadata={"description": "To the profile's telephone number."})
    push = Boolean(metadata={"description": "To one's own targets."})


class ChoiceSchema(Schema):
    """What one chose for a type."""

    title = String(dump_only=True)
    channels = Nested(ChannelsSchema, load_default=dict)
    digest = String(load_default=DIGESTS[0], validate=validate.OneOf(DIGESTS))
    locked = List(
        String(validate=validate.OneOf(PERSONAL)), dump_only=True,
        metadata={"description": "Ways that cannot be switched off."},
    )  # fmt: skip


class PreferencesSchema(Schema):
    """What one is told, how, and when."""

    time_zone = String(
        max_length=64, allow_none=True, load_default=None, validate=_zone,
        metadata={"description": "Null: that of the profile's preferences, or UTC."},
    )  # fmt: skip
    quiet_hours = Nested(QuietHoursSchema, allow_none=True, load_default=None)
    types = Dict(
        keys=String(max_length=100), values=Nested(ChoiceSchema), load_default=dict,
        validate=validate.Length(max=1000),
    )  # fmt: skip


class TargetSchema(Schema):
    """A place of one's own that one wants to be told at."""

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, strip=True)
    service = String(dump_only=True)
    url = String(
        required=True, max_length=2000, strip=True, load_only=True,
        metadata={"description": "Of apprise, e.g. tgram://TOKEN/CHAT. Never shown again."},
    )  # fmt: skip
    created_at = Timestamp(dump_only=True)


class TemplateSchema(Schema):
    """A type of notifications and where its wording comes from."""

    type = String(required=True)
    title = String(required=True)
    channels = List(String(), required=True)
    security = Boolean(required=True)
    languages = Dict(
        keys=String(), values=String(), required=True,
        metadata={"description": "Language → operator, addon or house."},
    )  # fmt: skip


class TemplatesSchema(Schema):
    """All types."""

    types = List(Nested(TemplateSchema), required=True)


class PreviewSchema(Schema):
    """A mail of a type, made of its sample."""

    type = String(required=True)
    language = String(required=True, metadata={"description": "Of the template that was found."})
    origin = String(required=True, metadata={"description": "operator, addon, house or type."})
    format = String(required=True, validate=validate.OneOf(("text", "html")))
    subject = String(required=True)
    content = String(required=True, max_length=1_000_000)


def as_preferences(shown: dict[str, Any]) -> dict[str, Any]:
    """Return preferences as JSON."""
    found: dict[str, Any] = PreferencesSchema().dump(shown)
    return found
