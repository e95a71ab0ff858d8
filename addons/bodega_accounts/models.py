"""The tables of accounts."""

from typing import Any

import peewee

from bodega_sdk import Entity, UTCDateTimeField


class Account(Entity):
    """Somebody who can log in."""

    email: Any = peewee.CharField(max_length=254, unique=True)
    name: Any = peewee.CharField(max_length=200, default="")
    role: Any = peewee.CharField(max_length=20)
    password: Any = peewee.CharField(max_length=255)
    is_active: Any = peewee.BooleanField(default=True)
    last_login_at: Any = UTCDateTimeField(null=True)

    class Meta:
        table_name = "accounts_account"
