"""Lists: making, changing, sharing and deleting them. Call these in a transaction.

Whoever changes a list of somebody's, or what is on it, holds their row first: so there is
one default, and no more lists and items than may be.
"""

import secrets
from typing import Any
from uuid import UUID

from bodega_accounts import api as accounts
from bodega_sdk import locked, now, public_url, setting
from bodega_sdk.errors import Conflict, PermissionDenied, invalid
from bodega_wishlists import events
from bodega_wishlists.models import Wisher, Wishlist

#: Bytes of chance in a link.
_TOKEN = 32


def hold(account: UUID) -> Wisher:
    """Return somebody's row, locked until the commit; made if there is none yet.

    Raises:
        PermissionDenied: there is no such account.
    """
    if account not in accounts.people([account]):
        raise PermissionDenied("You have no account here, so you cannot keep wishlists.")
    Wisher.insert(account=account).on_conflict_ignore().execute()
    query = Wisher.select().where(Wisher.account == account)
    found: Wisher = locked(query).get()
    return found


def default_of(wisher: Wisher) -> Wishlist:
    """Return somebody's default list, made on first use.

    Args:
        wisher: held.
    """
    found: Wishlist | None = Wishlist.get_or_none(Wishlist.id == wisher.default)
    return found or create(wisher, {"name": setting("wishlists.default_name")[:200] or "Wishlist"})


def create(wisher: Wisher, data: dict[str, Any]) -> Wishlist:
    """Make a list; the first is the default.

    Raises:
        Conflict: they have as many as they may.
    """
    most = setting("wishlists.lists_per_account")
    if Wishlist.select().where(Wishlist.account == wisher.account).count() >= most:
        raise Conflict(f"You have {most} wishlists already; delete one first.")
    made: Wishlist = Wishlist.create(account=wisher.account, name=data["name"])
    if wisher.default is None or data.get("is_default"):
        make_default(wisher, made)
    return made


def make_default(wisher: Wisher, wishlist: Wishlist | None) -> None:
    """Let a list be the default, or none."""
    wisher.default = wishlist.id if wishlist else None
    change = Wisher.update(default=wisher.default)
    change.where(Wisher.account == wisher.account).execute()


def change(wisher: Wisher, wishlist: Wishlist, data: dict[str, Any]) -> Wishlist:
    """Rename a list, or let it be the default.

    Raises:
        InvalidInput: there would be no default.
    """
    is_default = data.get("is_default")
    if is_default:
        make_default(wisher, wishlist)
    elif is_default is False and wisher.default == wishlist.id:
        raise invalid("is_default", "Let another list be the default instead.", is_default)
    wishlist.name, wishlist.updated_at = data.get("name", wishlist.name), now()
    wishlist.save()
    return wishlist


def delete(wisher: Wisher, wishlist: Wishlist) -> None:
    """Delete a list with what is on it; the oldest of the others is the default then."""
    wishlist.delete_instance()
    if wisher.default == wishlist.id:
        others = Wishlist.select().where(Wishlist.account == wisher.account)
        make_default(wisher, others.order_by(Wishlist.created_at, Wishlist.id).first())


def share(wishlist: Wishlist) -> str:
    """Give a list a public link, and return it; an older one is no longer good."""
    token = secrets.token_urlsafe(_TOKEN)
    _set_token(wishlist, token)
    data = {"id": wishlist.id, "account": wishlist.account}
    events.wishlist_shared.publish(str(wishlist.id), data)
    return token


def unshare(wishlist: Wishlist) -> None:
    """Take a list's public link away."""
    _set_token(wishlist, None)


def _set_token(wishlist: Wishlist, token: str | None) -> None:
    wishlist.token = token
    Wishlist.update(token=token).where(Wishlist.id == wishlist.id).execute()


def address_of(token: str) -> str:
    """Return the public address of a link."""
    page = str(setting("wishlists.share_link"))
    return page.replace("{token}", token) or f"{public_url()}/api/v1/wishlists/shared/{token}"
