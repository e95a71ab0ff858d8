"""People of a shop that addons are tried in."""

from dataclasses import dataclass
from typing import Any

from bodega_accounts.models import Account
from bodega_sdk.testing.client import Client


@dataclass
class Person:
    """Somebody with an account."""

    account: Account
    client: Client

    @property
    def id(self) -> str:
        """The account's id."""
        return str(self.account.id)


def account_of(name: str, role: str = "user", **members: Any) -> Account:
    """Make an account: ``account_of("vera", first_name="Vera")``."""
    given = {"preferences": {}} | members
    made: Account = Account.create(email=f"{name}@shop.example", role=role, password="-", **given)
    return made
