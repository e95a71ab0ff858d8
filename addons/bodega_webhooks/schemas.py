"""What webhooks look like outside."""

from typing import Any
from urllib.parse import urlsplit

from marshmallow import fields, validates, validates_schema

from bodega_sdk import event_types, setting
from bodega_sdk.schemas import (
    Boolean,
    Dict,
    Email,
    Integer,
    List,
    Nested,
    Schema,
    String,
    Timestamp,
    Url,
    Uuid,
    ValidationError,
    validate,
)
from bodega_webhooks import filters
from bodega_webhooks.models import STATUSES
from bodega_webhooks.patterns import PATTERN, any_matches, is_pattern
from bodega_webhooks.payloads import FORMATS
from bodega_webhooks.signing import SIGNINGS, given_key
from bodega_webhooks.targets import allowed_hosts, is_allowed, masked, read_headers
from bodega_webhooks.vetting import vet

_HEADER = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"
_VALUE = r"[\x21-\x7e]([\x20-\x7e\t]{0,1998}[\x21-\x7e])?"
#: Headers that are the sender's own, or would change what a request is.
_OWN_HEADERS = frozenset({
    "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect",
    "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "webhook-id", "webhook-signature", "webhook-timestamp",
})  # fmt: skip
_MOST_HEADERS = 20


class HeadersField(fields.Dict):
    """Headers; who reads them sees no secrets."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return {name: masked(name, text) for name, text in read_headers(obj).items()}


class FilterField(fields.Dict):
    """A filter of payloads."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        found = filters.faults(value)
        if found:
            raise ValidationError(found)
        return value


class KeySchema(Schema):
    """A key that requests are signed with."""

    id = Uuid()
    scheme = String(metadata={"enum": ["v1", "v1a"]})
    public_key = String(attribute="public", metadata={"description": "Of v1a: whpk_…"})
    created_at = Timestamp()
    expires_at = Timestamp(allow_none=True, metadata={"description": "Null for the newest."})


class WebhookSchema(Schema):
    """A webhook."""

    id = Uuid(dump_only=True)
    url = Url(required=True, metadata={"example": "https://receiver.example/hook"})
    description = String(load_default="", max_length=500)
    event_types = List(
        String(max_length=200),
        required=True,
        validate=validate.Length(1, 100),
        metadata={"example": ["order.*", "product.created"]},
    )
    filter = FilterField(
        attribute="payload_filter",
        load_default=None,
        allow_none=True,
        metadata={"example": {"data.total": {"gte": 100}}},
    )
    is_enabled = Boolean(attribute="enabled", load_default=True)
    disabled_reason = String(dump_only=True)
    disabled_at = Timestamp(dump_only=True, allow_none=True)
    headers = HeadersField(
        keys=String(validate=validate.Regexp(f"^{_HEADER}$")),
        values=String(max_length=2000, validate=validate.Regexp(f"^({_VALUE})?$")),
        load_default=dict,
        validate=validate.Length(max=_MOST_HEADERS),
        metadata={"description": "Sent besides. Secrets among them are shown as …"},
    )
    format = String(load_default="standard", validate=validate.OneOf(FORMATS))
    signing = String(load_default="v1", validate=validate.OneOf([*SIGNINGS]))
    payload_versions = Dict(
        keys=String(),
        values=Integer(minimum=1, maximum=10_000),
        load_default=None,
        allow_none=True,
        metadata={"description": "Event type → version of its data; today's when left out."},
    )
    ordered = Boolean(
        load_default=False, metadata={"description": "One event of a key after the other."}
    )
    concurrency = Integer(load_default=20, minimum=1, maximum=200)
    rate = Integer(
        load_default=None,
        allow_none=True,
        minimum=1,
        maximum=1000,
        metadata={"description": "Requests in any second at most; null for no limit."},
    )
    timeout = Integer(load_default=15, minimum=1, maximum=30, metadata={"description": "Seconds."})
    contact_email = Email(load_default="", metadata={"description": "Told when it is disabled."})
    secret = String(
        load_default="",
        max_length=200,
        metadata={"description": "Of v1; made when left out. Shown once, when it is made."},
    )
    keys = Nested(KeySchema, many=True, dump_only=True)
    created_by = String(dump_only=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)

    @validates("url")
    def check_url(self, value: str, **kwargs: Any) -> None:
        """Refuse what could never be sent to."""
        fault = fault_of_url(value)
        if fault:
            raise ValidationError(fault)

    @validates("event_types")
    def check_event_types(self, value: list[str], **kwargs: Any) -> None:
        """Refuse patterns of no event that there is."""
        known = [event.name for event in event_types()]
        for pattern in value:
            if not is_pattern(pattern):
                raise ValidationError(f"'{pattern}' is no event type, 'order.*' or '*'.")
            if pattern != "*" and not any(any_matches((pattern,), name) for name in known):
                raise ValidationError(f"There is no event '{pattern}'; see /api/v1/events/types.")

    @validates("headers")
    def check_headers(self, value: dict[str, str], **kwargs: Any) -> None:
        """Refuse headers that are the sender's own, and names that come twice."""
        names = [name.lower() for name in value]
        own = sorted(_OWN_HEADERS.intersection(names))
        if own:
            raise ValidationError(f"{', '.join(own)}: these are set by the sender.")
        if len(set(names)) < len(names):
            raise ValidationError("A name comes twice.")

    @validates("secret")
    def check_secret(self, value: str, **kwargs: Any) -> None:
        """Refuse a secret that is none."""
        check_secret(value)

    @validates_schema
    def check_secret_is_used(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Refuse a secret where only ed25519 signs."""
        if data.get("secret") and data.get("signing") == "v1a":
            raise ValidationError("Of v1a the key is made here.", "secret")


def check_secret(value: str) -> None:
    """Refuse a secret that is none; empty for one that is made here."""
    try:
        if value:
            given_key(value)
    except ValueError as error:
        raise ValidationError(f"{str(error).capitalize()}.") from None


def fault_of_url(url: str) -> str | None:
    """Return why a URL can never be sent to; None when it may.

    Names are not looked up: they may mean something else by the time of sending, which is
    when their addresses are vetted.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        return "Not a valid URL."
    if parts.username is not None or parts.password is not None:
        return "Names and passwords do not belong into a URL; send a header."
    if parts.fragment:
        return "A URL to send to has no '#'."
    allowed = allowed_hosts()
    if is_allowed(host, allowed):
        return None
    if parts.scheme != "https" and setting("webhooks.https_only"):
        return "Expected an https address."
    return _fault_of_address(host, port) if is_numeric(host) else None


def is_numeric(host: str) -> bool:
    """Whether a host is an address, in one of the spellings that systems read."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or last.isdecimal() or last[:2].lower() == "0x"


def _fault_of_address(host: str, port: int) -> str | None:
    try:
        vet(host, port, ())
    except OSError as error:
        return f"{str(error)[:200]}."
    return None


class RotationSchema(Schema):
    """How a key is replaced."""

    overlap_hours = Integer(
        load_default=24,
        minimum=0,
        maximum=168,
        metadata={"description": "Hours that the old key signs beside the new one."},
    )
    secret = String(load_default="", max_length=200, validate=check_secret)


class RotatedSchema(Schema):
    """A key that has taken the place of another."""

    secret = String(metadata={"description": "Of v1: shown this once."})
    public_key = String(metadata={"description": "Of v1a."})
    old_key_ends_at = Timestamp()


class AttemptSchema(Schema):
    """A request, and what came back."""

    number = Integer()
    started_at = Timestamp()
    milliseconds = Integer()
    status = Integer(allow_none=True)
    error = String()
    request = fields.Method("show_request", metadata={"type": "object"})
    response = fields.Method("show_response", metadata={"type": "object"})

    def show_request(self, row: Any) -> dict[str, Any]:
        """What was sent; secrets are masked."""
        found: dict[str, Any] = row["request"]
        return found

    def show_response(self, row: Any) -> dict[str, Any]:
        """What came back, its beginning."""
        found: dict[str, Any] = row["response"]
        return found


class DeliverySchema(Schema):
    """An event that is, or was, told to a webhook."""

    id = Uuid()
    webhook_id = Uuid()
    message_id = String(metadata={"description": "The header webhook-id, for ever the same."})
    event_type = String()
    event_key = String()
    event_offset = Integer(allow_none=True, metadata={"description": "Null for a test."})
    status = String(metadata={"enum": list(STATUSES)})
    due_at = Timestamp(metadata={"description": "Of one that waits, when it is sent."})
    attempts = Integer()
    response_status = Integer(allow_none=True)
    error = String()
    created_at = Timestamp()
    delivered_at = Timestamp(allow_none=True)


class WholeDeliverySchema(DeliverySchema):
    """A delivery with all that is known of it."""

    payload = fields.Raw(metadata={"description": "The body; null once it is pruned."})
    log = List(Nested(AttemptSchema))


class ReplaySchema(Schema):
    """What to deliver once more."""

    status = String(load_default="failed", validate=validate.OneOf([*STATUSES, "any"]))
    event_types = List(
        String(max_length=200, validate=validate.Regexp(PATTERN)),
        load_default=list,
        validate=validate.Length(max=100),
    )
    since = Timestamp(load_default=None, allow_none=True)
    until = Timestamp(load_default=None, allow_none=True)
    missed = Boolean(
        load_default=False,
        metadata={"description": "Events too that the webhook was never told of."},
    )
    dry_run = Boolean(load_default=False, metadata={"description": "Only count."})


class ReplayedSchema(Schema):
    """A replay."""

    id = Uuid(allow_none=True, metadata={"description": "Null of a dry run."})
    status = String(metadata={"enum": ["dry_run", "queued", "running", "succeeded", "dead",
                                       "parked", "cancelled"]})  # fmt: skip
    count = Integer(allow_none=True, metadata={"description": "Deliveries, all in all."})
    done = Integer()


class StatsSchema(Schema):
    """Counts, as dashboards show them."""

    configured_webhooks = Integer()
    enabled_webhooks = Integer()
    total_events_sent = Integer()
    failed_events = Integer()
    waiting_events = Integer()
