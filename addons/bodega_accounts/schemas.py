"""What accounts look like outside."""

from datetime import date
from typing import Any

import marshmallow
import orjson

from bodega_accounts.passwords import LONGEST, SHORTEST
from bodega_sdk import ROLES
from bodega_sdk.schemas import (
    Boolean,
    Date,
    Dict,
    Email,
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

_LARGEST_PREFERENCES, _DEEPEST_PREFERENCES = 10_000, 20
_COUNTRY = validate.Regexp(r"[A-Z]{2}$", error="Expected two capital letters of ISO 3166-1.")


class Username(String):
    """3 to 50 small letters, digits, dots, dashes and underlines; no address."""

    def __init__(self, **kwargs: Any) -> None:
        rule = validate.Regexp(
            r"[a-z0-9][a-z0-9._-]{2,49}$",
            error="Must be 3 to 50 letters, digits, dots, dashes or underlines.",
        )
        super().__init__(max_length=50, strip=True, validate=rule, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, attr, data, **kwargs).lower()


class Phone(String):
    """A telephone number, as people write it."""

    def __init__(self, **kwargs: Any) -> None:
        rule = validate.Regexp(r"(\+?[0-9 ()./-]{4,38})?$", error="Expected a telephone number.")
        super().__init__(max_length=40, strip=True, validate=rule, **kwargs)


class Password(String):
    """A password; never shown again."""

    shortest = 1

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=self.shortest, max_length=LONGEST, load_only=True, **kwargs)


class NewPassword(Password):
    """A password that is to be set."""

    shortest = SHORTEST


def _in_the_past(value: date) -> None:
    if not date(1900, 1, 1) <= value <= date.today():
        raise ValidationError("Expected a day between 1900 and today.")


def _keepable(value: Any) -> None:
    """Refuse JSON that is too deep for some parsers, too large, or that PostgreSQL refuses."""
    _check_depth(value, _DEEPEST_PREFERENCES)
    if len(orjson.dumps(value)) > _LARGEST_PREFERENCES:
        raise ValidationError(f"Must be at most {_LARGEST_PREFERENCES} bytes of JSON.")


def _check_depth(value: Any, left: int) -> None:
    if not left:
        raise ValidationError(f"Must be nested at most {_DEEPEST_PREFERENCES} deep.")
    if isinstance(value, str) and "\0" in value:
        raise ValidationError("NUL characters are not allowed.")
    # PostgreSQL gives a large number back as a whole one, which cannot be shown.
    if isinstance(value, int | float) and not abs(value) < 2**63:
        raise ValidationError("Numbers must be less than 2**63.")
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    for item in inner if isinstance(inner, list) else ():
        _check_depth(item, left - 1)


class OrganizationNameSchema(Schema):
    """An organization, in short."""

    id = Uuid()
    name = String()


class ProfileSchema(Schema):
    """What people say of themselves."""

    id = Uuid(dump_only=True)
    email = Email(dump_only=True)
    email_verified = Boolean(dump_only=True)
    username = Username(allow_none=True)
    first_name = String()
    last_name = String()
    phone = Phone()
    date_of_birth = Date(allow_none=True, validate=_in_the_past)
    preferences = Dict(keys=String(max_length=100), validate=_keepable)
    avatar = String(dump_only=True, allow_none=True, metadata={"description": "Its address."})
    role = String(dump_only=True)
    organization = Nested(OrganizationNameSchema, dump_only=True, allow_none=True)
    second_factor = Boolean(dump_only=True)
    permissions = List(String(), dump_only=True)
    links = Dict(keys=String(), values=String(), dump_only=True)
    last_login_at = Timestamp(dump_only=True, allow_none=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class AccountSchema(Schema):
    """An account, as those see it who administer accounts."""

    id = Uuid(dump_only=True)
    email = Email(required=True)
    email_verified = Boolean(dump_only=True)
    username = Username(allow_none=True, load_default=None)
    first_name = String(load_default="")
    last_name = String(load_default="")
    phone = Phone(load_default="")
    date_of_birth = Date(allow_none=True, load_default=None, validate=_in_the_past)
    role = String(load_default="user", validate=validate.OneOf(ROLES))
    organization = Uuid(
        allow_none=True, load_default=None, attribute="organization_id",
        metadata={"description": "The id of the organization that the account acts for."},
    )  # fmt: skip
    is_active = Boolean(load_default=True)
    password = NewPassword(required=True)
    second_factor = Boolean(dump_only=True)
    last_login_at = Timestamp(dump_only=True, allow_none=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class LoginSchema(Schema):
    """Who wants to log in: an e-mail address or a username, and a password."""

    email = String(max_length=254, strip=True)
    username = String(max_length=254, strip=True)
    password = String(required=True, load_only=True, max_length=LONGEST)
    code = String(
        max_length=40, load_only=True, load_default="",
        metadata={"description": "Of the second factor, or a recovery code."},
    )  # fmt: skip

    @marshmallow.validates_schema
    def one_name(self, data: Any, **_: Any) -> None:
        """Want one of the two names."""
        if ("email" in data) == ("username" in data):
            raise ValidationError("Send either 'email' or 'username'.", "email")


class TokensSchema(Schema):
    """What logging in gives."""

    access = String(metadata={"description": "Send as 'Authorization: Bearer …'."})
    refresh = String(metadata={"description": "Good for one new pair of tokens."})
    token_type = String()
    expires_in = Integer(metadata={"description": "Seconds that the access token is good."})
    user = Nested(ProfileSchema, metadata={"description": "Who logged in; not on refreshing."})


class RefreshSchema(Schema):
    """A refresh token."""

    refresh = String(required=True, load_only=True, max_length=4000)


class TokenSchema(Schema):
    """A token."""

    token = String(required=True, load_only=True, max_length=8000)


class ClaimsSchema(Schema):
    """What a good access token says."""

    active = Boolean()
    subject = String()
    roles = List(String())
    expires_at = Timestamp()


class RegistrationSchema(Schema):
    """Who wants an account."""

    email = Email(required=True)
    username = Username(allow_none=True)
    password = NewPassword(required=True)
    password_confirm = Password(metadata={"description": "The same again, where people type it."})
    first_name = String()
    last_name = String()
    phone = Phone()

    @marshmallow.validates_schema
    def same_password(self, data: Any, **_: Any) -> None:
        """Want both passwords alike, if there are two."""
        if data.get("password_confirm", data.get("password")) != data.get("password"):
            raise ValidationError("The two passwords differ.", "password_confirm")


class ToldSchema(Schema):
    """What was done, in words."""

    detail = String()


class EmailSchema(Schema):
    """An e-mail address."""

    email = Email(required=True)


class NewPasswordSchema(Schema):
    """A new password, and the token that was mailed for it."""

    token = String(required=True, load_only=True, max_length=200)
    password = NewPassword(required=True)


class PasswordChangeSchema(Schema):
    """A new password, and the old one."""

    current_password = Password(required=True)
    password = NewPassword(required=True)


class EmailChangeSchema(Schema):
    """A new address, and the password."""

    email = Email(required=True)
    password = Password(required=True)


class ProofSchema(Schema):
    """The password, to prove who one is."""

    password = Password(required=True)


class CodeSchema(Schema):
    """A code of the second factor."""

    code = String(required=True, load_only=True, max_length=40)


class CodeAndProofSchema(Schema):
    """The password, and a code of the second factor."""

    password = Password(required=True)
    code = String(required=True, load_only=True, max_length=40)


class SecondFactorSchema(Schema):
    """The state of the second factor."""

    enabled = Boolean()
    since = Timestamp(allow_none=True)
    recovery_codes_left = Integer()


class SecretSchema(Schema):
    """What an authenticator app needs."""

    secret = String()
    uri = String()
    qr = String(metadata={"description": "A picture of 'uri': SVG as a data address."})


class RecoveryCodesSchema(Schema):
    """Codes for whoever loses the second factor; shown once."""

    recovery_codes = List(String())


class SessionSchema(Schema):
    """A login."""

    id = Uuid()
    address = String()
    agent = String()
    created_at = Timestamp()
    last_used_at = Timestamp(attribute="updated_at")
    expires_at = Timestamp()


class OwnSessionSchema(SessionSchema):
    """A login of one's own."""

    current = Boolean(metadata={"description": "Whether it is the one that asks."})


class OrganizationSchema(Schema):
    """An organization that vendors act for."""

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, strip=True)
    is_active = Boolean(load_default=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class AddressSchema(Schema):
    """Where one has things sent, or bills."""

    id = Uuid(dump_only=True)
    kind = String(load_default="both", validate=validate.OneOf(("shipping", "billing", "both")))
    is_default = Boolean(load_default=False)
    name = String(required=True, min_length=1, strip=True)
    company = String(load_default="")
    line1 = String(required=True, min_length=1, strip=True)
    line2 = String(load_default="")
    city = String(required=True, min_length=1, strip=True)
    region = String(load_default="")
    postal_code = String(load_default="", max_length=20)
    country = String(required=True, max_length=2, validate=_COUNTRY)
    phone = Phone(load_default="")
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class PostalAddressSchema(Schema):
    """Where something is sent to, or a bill, without being kept with an account."""

    name = String(required=True, min_length=1, strip=True)
    company = String(load_default="")
    line1 = String(required=True, min_length=1, strip=True)
    line2 = String(load_default="")
    city = String(required=True, min_length=1, strip=True)
    region = String(load_default="")
    postal_code = String(load_default="", max_length=20)
    country = String(required=True, max_length=2, validate=_COUNTRY)
    phone = Phone(load_default="")


class ApiKeySchema(Schema):
    """A credential for a machine."""

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, strip=True)
    scopes = List(
        String(), required=True, validate=validate.Length(min=1, max=200),
        metadata={"description": "The permissions that it holds, out of your own."},
    )  # fmt: skip
    expires_at = Timestamp(allow_none=True, load_default=None)
    prefix = String(dump_only=True)
    key = String(dump_only=True, metadata={"description": "Shown once, when it is made."})
    last_used_at = Timestamp(dump_only=True, allow_none=True)
    revoked_at = Timestamp(dump_only=True, allow_none=True)
    successor = Uuid(dump_only=True, allow_none=True)
    created_at = Timestamp(dump_only=True)


class RotationSchema(Schema):
    """How a key is replaced."""

    overlap_minutes = Integer(
        load_default=60, minimum=0, maximum=60 * 24 * 30,
        metadata={"description": "How long the old key is good beside the new one."},
    )  # fmt: skip
