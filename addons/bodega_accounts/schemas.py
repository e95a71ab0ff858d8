"""What accounts look like outside."""

from bodega_accounts.passwords import LONGEST
from bodega_sdk import ROLES
from bodega_sdk.schemas import Boolean, Email, Integer, Schema, String, Timestamp, Uuid, validate


class LoginSchema(Schema):
    """Who wants to log in."""

    email = Email(required=True)
    password = String(required=True, load_only=True, max_length=LONGEST)


class RefreshSchema(Schema):
    """A refresh token."""

    refresh = String(required=True, load_only=True, max_length=4000)


class TokensSchema(Schema):
    """What logging in gives."""

    access = String(metadata={"description": "Send as 'Authorization: Bearer …'."})
    refresh = String(metadata={"description": "Good for one new pair of tokens after another."})
    expires_in = Integer(metadata={"description": "Seconds that the access token is good."})


class AccountSchema(Schema):
    """An account."""

    id = Uuid(dump_only=True)
    email = Email(required=True)
    name = String(load_default="")
    role = String(load_default="user", validate=validate.OneOf(ROLES))
    is_active = Boolean(load_default=True)
    password = String(required=True, load_only=True, max_length=LONGEST)
    last_login_at = Timestamp(dump_only=True, allow_none=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)
