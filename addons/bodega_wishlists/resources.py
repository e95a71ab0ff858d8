"""The routes of wishlists."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_sdk import PUBLIC, Collection, Filter, Parameter, Reply, Request, Route, transaction
from bodega_sdk.errors import FieldError, NotFound
from bodega_wishlists import lists, wishes
from bodega_wishlists.models import Item, Wisher, Wishlist
from bodega_wishlists.schemas import SharedSchema, WishlistLinkSchema, WishlistSchema, WishSchema

USE = "wishlists.use"


class _Own(Collection):
    """Rows of one's own; whoever writes to them holds their owner first."""

    read = write = USE
    objects = "own"

    def wisher(self, request: Request) -> Wisher:
        """Hold the caller's row."""
        account = self.whose(request)
        assert account is not None, "one's own objects have an owner"
        return lists.hold(account)

    def hold(self, request: Request) -> Any:
        """Hold a row, and before it its owner."""
        self.wisher(request)
        return super().hold(request)


class Wishlists(_Own):
    """One's own lists."""

    model, schema, noun, owner = Wishlist, WishlistSchema, "wishlist", Wishlist.account
    orderings: ClassVar = {"name": Wishlist.name}

    def create(self, request: Request, data: dict[str, Any]) -> Wishlist:
        """Make a list."""
        return lists.create(self.wisher(request), data)

    def change(self, request: Request, row: Wishlist, data: dict[str, Any]) -> Wishlist:
        """Change a list."""
        return lists.change(self.wisher(request), row, data)

    def remove(self, request: Request, row: Wishlist) -> None:
        """Delete a list."""
        lists.delete(self.wisher(request), row)

    def render(self, rows: Iterable[Wishlist]) -> list[dict[str, Any]]:
        """Show lists with how much is on them: two queries more."""
        rows = list(rows)
        counts, defaults = _counts(rows), _defaults(rows)
        shown = super().render(rows)
        for row, item in zip(rows, shown, strict=True):
            item["is_default"] = row.id in defaults
            item["items"] = counts.get(row.id, 0)
            item["link"] = lists.address_of(row.token) if row.token else None
        return shown

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, and sharing."""
        link = f"{path}/{{id}}/share"
        own: dict[str, Any] = {"permission": USE, "objects": "own"}
        return (
            *super().routes(path),
            Route("POST", link, self._share, summary="Share a wishlist by a link",
                  description="An older link of it is no longer good.",
                  returns=WishlistLinkSchema, **own),
            Route("DELETE", link, self._unshare, summary="Take a wishlist's link away",
                  status=204, **own),
            Route("GET", f"{path}/shared/{{token}}", _shared, PUBLIC, "Read a shared wishlist",
                  description="Of what is on it, what is for sale now.", returns=SharedSchema,
                  path_types={"token": str}),
        )  # fmt: skip

    def _share(self, request: Request) -> dict[str, str]:
        with transaction():
            token = lists.share(self.hold(request))
        return {"token": token, "url": lists.address_of(token)}

    def _unshare(self, request: Request) -> Reply:
        with transaction():
            lists.unshare(self.hold(request))
        return Reply(status=204)


def _counts(rows: list[Wishlist]) -> dict[UUID, int]:
    ids = [row.id for row in rows]
    query = Item.select(Item.wishlist, peewee.fn.COUNT(Item.id)).where(Item.wishlist.in_(ids))
    return dict(query.group_by(Item.wishlist).tuples())


def _defaults(rows: list[Wishlist]) -> set[UUID]:
    owners = {row.account for row in rows}
    query = Wisher.select(Wisher.default).where(Wisher.account.in_(owners))
    return {key for (key,) in query.tuples()}


def _shared(request: Request) -> dict[str, Any]:
    token = request.params["token"]
    found = Wishlist.get_or_none(Wishlist.token == token)
    if found is None:
        message = "This link is not good, or no longer."
        raise NotFound(message, [FieldError("token", message, token)])
    return {"name": found.name, "items": wishes.shown_to_all(found)}


class Items(_Own):
    """What is on one's own lists."""

    model, schema, noun, owner = Item, WishSchema, "item", Item.account
    filters = (
        Filter(Parameter("wishlist", UUID, "Only of this list."),
               lambda value: Item.wishlist == value),
        Filter(Parameter("product", UUID, "Only this product."),
               lambda value: Item.product == value),
    )  # fmt: skip
    verbs = ("list", "create", "read", "change", "delete")

    def create(self, request: Request, data: dict[str, Any]) -> Item:
        """Put something on a list."""
        return wishes.add(self.wisher(request), data)

    def change(self, request: Request, row: Item, data: dict[str, Any]) -> Item:
        """Change a note, or move it."""
        return wishes.change(self.wisher(request), row, data)

    def remove(self, request: Request, row: Item) -> None:
        """Take it off."""
        wishes.remove(row)

    def render(self, rows: Iterable[Item]) -> list[dict[str, Any]]:
        """Show items with what they are: two queries more."""
        rows = list(rows)
        things = wishes.Things.of(rows)
        own = ("id", "product", "variant", "note", "created_at", "updated_at")
        return [
            WishSchema().dump(
                {name: getattr(row, name) for name in own}
                | {"wishlist": row.wishlist_id}
                | things.show(row)
            )
            for row in rows
        ]
