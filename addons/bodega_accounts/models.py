"""The tables of accounts."""

from typing import Any

import peewee

from bodega_sdk import Entity, Model, UTCDateTimeField


class Organization(Entity):
    """Whom vendors sell for."""

    name: Any = peewee.CharField(max_length=200, unique=True)
    is_active: Any = peewee.BooleanField(default=True)

    class Meta:
        table_name = "accounts_organization"


class Account(Entity):
    """Somebody who can log in."""

    email: Any = peewee.CharField(max_length=254, unique=True)
    username: Any = peewee.CharField(max_length=50, null=True, unique=True)
    first_name: Any = peewee.CharField(max_length=200, default="")
    last_name: Any = peewee.CharField(max_length=200, default="")
    phone: Any = peewee.CharField(max_length=40, default="")
    date_of_birth: Any = peewee.DateField(null=True)
    preferences: Any = peewee.JSONField(null=True)
    # Changes with each picture, so that its address does; empty without one.
    avatar: Any = peewee.CharField(max_length=40, default="")
    role: Any = peewee.CharField(max_length=20)
    organization: Any = peewee.ForeignKeyField(Organization, null=True, on_delete="SET NULL")
    password: Any = peewee.CharField(max_length=255)
    is_active: Any = peewee.BooleanField(default=True)
    email_verified_at: Any = UTCDateTimeField(null=True)
    last_login_at: Any = UTCDateTimeField(null=True)
    # Sealed; it counts from when its first code was seen.
    totp_secret: Any = peewee.TextField(default="")
    totp_since: Any = UTCDateTimeField(null=True)
    # Of the last code that was taken: none is good twice.
    totp_step: Any = peewee.BigIntegerField(default=0)

    class Meta:
        table_name = "accounts_account"

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def email_verified(self) -> bool:
        """Whether the address was confirmed, or vouched for by whoever made the account."""
        return self.email_verified_at is not None

    @property
    def second_factor(self) -> bool:
        """Whether a code is asked for beside the password."""
        return self.totp_since is not None


class Session(Entity):
    """A login: a family of refresh tokens, one after the other."""

    account: Any = peewee.ForeignKeyField(Account, on_delete="CASCADE", backref="sessions")
    # Raised when what access tokens say has changed; older ones are refused then.
    version: Any = peewee.BigIntegerField(default=0)
    address: Any = peewee.CharField(max_length=60, default="")
    agent: Any = peewee.CharField(max_length=300, default="")
    expires_at: Any = UTCDateTimeField()
    # When the last of its access tokens expires.
    access_until: Any = UTCDateTimeField()
    ended_at: Any = UTCDateTimeField(null=True)
    end_reason: Any = peewee.CharField(max_length=40, default="")

    class Meta:
        table_name = "accounts_session"


class RefreshToken(Model):
    """A refresh token, by its SHA-256; good once, and for a moment after."""

    digest: Any = peewee.CharField(max_length=64, primary_key=True)
    session: Any = peewee.ForeignKeyField(Session, on_delete="CASCADE")
    expires_at: Any = UTCDateTimeField()
    used_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "accounts_refresh_token"


class MailedToken(Model):
    """A token that was mailed, by its SHA-256: it proves that somebody reads the mailbox."""

    digest: Any = peewee.CharField(max_length=64, primary_key=True)
    account: Any = peewee.ForeignKeyField(Account, on_delete="CASCADE")
    # confirm, reset or email.
    purpose: Any = peewee.CharField(max_length=20)
    # The address it was sent to.
    email: Any = peewee.CharField(max_length=254)
    # What to do once it comes back: what was registered with it.
    data: Any = peewee.JSONField(null=True)
    expires_at: Any = UTCDateTimeField()

    class Meta:
        table_name = "accounts_mailed_token"


class RecoveryCode(Model):
    """A code for whoever has lost the second factor, by its SHA-256."""

    digest: Any = peewee.CharField(max_length=64, primary_key=True)
    account: Any = peewee.ForeignKeyField(Account, on_delete="CASCADE")
    used_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "accounts_recovery_code"


class ApiKey(Entity):
    """A credential for a machine, by its SHA-256."""

    account: Any = peewee.ForeignKeyField(Account, on_delete="CASCADE")
    name: Any = peewee.CharField(max_length=200)
    # The beginning of the key, to know it again by.
    prefix: Any = peewee.CharField(max_length=30)
    digest: Any = peewee.CharField(max_length=64, unique=True)
    scopes: Any = peewee.JSONField()
    expires_at: Any = UTCDateTimeField(null=True)
    last_used_at: Any = UTCDateTimeField(null=True)
    revoked_at: Any = UTCDateTimeField(null=True)
    # The key that took its place.
    successor: Any = peewee.UUIDField(null=True)

    class Meta:
        table_name = "accounts_api_key"


class Address(Entity):
    """Where somebody has things sent, or bills."""

    account: Any = peewee.ForeignKeyField(Account, on_delete="CASCADE")
    # shipping, billing or both.
    kind: Any = peewee.CharField(max_length=10)
    is_default: Any = peewee.BooleanField(default=False)
    name: Any = peewee.CharField(max_length=200)
    company: Any = peewee.CharField(max_length=200, default="")
    line1: Any = peewee.CharField(max_length=200)
    line2: Any = peewee.CharField(max_length=200, default="")
    city: Any = peewee.CharField(max_length=200)
    region: Any = peewee.CharField(max_length=200, default="")
    postal_code: Any = peewee.CharField(max_length=20, default="")
    country: Any = peewee.CharField(max_length=2)
    phone: Any = peewee.CharField(max_length=40, default="")

    class Meta:
        table_name = "accounts_address"


#: All of them.
MODELS = (
    Organization, Account, Session, RefreshToken, MailedToken, RecoveryCode, ApiKey, Address
)  # fmt: skip
