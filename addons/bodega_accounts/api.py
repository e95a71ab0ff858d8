"""What other addons may call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bodega_accounts.models import Account, Address
from bodega_accounts.schemas import PostalAddressSchema
from bodega_sdk import ROLES, permissions_held_by

__all__ = ["Person", "PostalAddressSchema", "address_of", "holders_of", "people"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, as far as other addons need to know them.

    Args:
        phone: empty when they gave none.
        is_active: whether they can log in.
        preferences: what they, or programs of theirs, keep with their profile.
    """

    id: UUID
    email: str
    name: str
    phone: str
    role: str
    is_active: bool
    preferences: Mapping[str, Any] = field(default_factory=dict)


def people(ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Return who some accounts belong to, in one query; those that are gone are left out."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    rows = Account.select().where(Account.id.in_(wanted))
    return {row.id: _person(row) for row in rows}


def holders_of(permission: str) -> list[UUID]:
    """Return the active accounts whose role holds a permission in the shop as it is now."""
    roles = [role for role in ROLES if permission in permissions_held_by(role)]
    query = Account.select(Account.id).where(Account.role.in_(roles), Account.is_active)
    return [key for (key,) in query.order_by(Account.id).tuples()]


def address_of(account: UUID, address: UUID) -> dict[str, str] | None:
    """Return an address out of an account's address book, None when it has no such address.

    Its members are those of :class:`PostalAddressSchema`.
    """
    row = Address.get_or_none((Address.id == address) & (Address.account == account))
    return None if row is None else {name: getattr(row, name) for name in _POSTAL}


_POSTAL = (
    "name", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone"
)  # fmt: skip


def _person(row: Account) -> Person:
    return Person(
        row.id, row.email, row.name, row.phone, row.role, row.is_active, row.preferences or {}
    )
