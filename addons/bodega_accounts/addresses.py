"""Addresses: one default for shipping, and one for billing."""

from typing import Any, ClassVar
from uuid import UUID

from bodega_accounts.models import Account, Address
from bodega_accounts.schemas import AddressSchema
from bodega_sdk import AUTHENTICATED, Collection, Filter, Parameter, Request
from bodega_sdk.errors import Conflict

#: Addresses of one account.
MOST = 100
_KINDS = ("shipping", "billing", "both")


class Addresses(Collection):
    """One's own addresses."""

    model, schema, noun, nouns = Address, AddressSchema, "address", "addresses"
    read = write = AUTHENTICATED
    objects, owner = "own", Address.account
    filters = (
        Filter(Parameter("kind", str, "Only this kind.", choices=_KINDS),
               lambda value: Address.kind == value),
    )  # fmt: skip
    orderings: ClassVar = {"name": Address.name}

    def create(self, request: Request, data: dict[str, Any]) -> Address:
        """Make an address; the first of a kind becomes its default."""
        # Whoever adds two at once waits here: each kind has one default.
        account = Account.find(data["account"], lock=True)
        mine = Address.select().where(Address.account == account)
        if mine.count() >= MOST:
            raise Conflict(f"You have {MOST} addresses already; delete one first.")
        first = not _defaults(data["account"], data["kind"]).exists()
        made: Address = Address.create(**data | {"is_default": data["is_default"] or first})
        _give_up_defaults(made)
        return made

    def hold(self, request: Request) -> Any:
        """Hold an address, and before it its account, as who adds one does."""
        Account.find(UUID(request.identity.subject), lock=True)
        return super().hold(request)

    def change(self, request: Request, row: Address, data: dict[str, Any]) -> Address:
        """Change an address."""
        changed: Address = super().change(request, row, data)
        _give_up_defaults(changed)
        return changed


def _defaults(account_id: Any, kind: str) -> Any:
    """Return the query of the default addresses that serve a kind."""
    mine = (Address.account == account_id) & Address.is_default
    if kind != "both":
        mine &= Address.kind.in_((kind, "both"))
    return Address.select().where(mine)


def _give_up_defaults(kept: Address) -> None:
    """Leave only one default for each kind: the one that was made so last."""
    if kept.is_default:
        others = _defaults(kept.account_id, kept.kind).where(Address.id != kept.id)
        ids = [row.id for row in others]
        Address.update(is_default=False).where(Address.id.in_(ids)).execute()
