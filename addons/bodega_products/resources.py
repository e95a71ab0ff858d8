"""The routes of products."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_products import catalogue, currencies, languages, moderating, skus, slugs
from bodega_products.asking import CURRENCY, LANGUAGE, in_context
from bodega_products.filters import FILTERS, by_sku
from bodega_products.many import Many
from bodega_products.models import Category, Product, Variant
from bodega_products.quoting import quote
from bodega_products.related import related
from bodega_products.schemas import ProductSchema, QuoteSchema
from bodega_products.search_routes import Searched
from bodega_products.text import read_id, sku_key
from bodega_products.variants_below import shown_variants, variants_below
from bodega_products.visibility import READ_INACTIVE, WRITE, WRITE_ALL, listed, visible
from bodega_sdk import PUBLIC, Extension, Parameter, Reply, Request, Route, database, transaction
from bodega_sdk.errors import Conflict, FieldError, NotFound, PermissionDenied
from bodega_sdk.schemas import Schema, load


class Products(Searched):
    """Products; the inactive ones only for those who may see them."""

    model = Product
    schema = ProductSchema
    noun = "product"
    read = PUBLIC
    write = WRITE
    keys = ("slug", "sku")
    always = ("variants",)
    cached = True
    objects, beyond, owner, hidden = "organization", WRITE_ALL, Product.organization, False
    filters = FILTERS
    orderings: ClassVar = {
        "price": Product.price_minor,
        "name": Product.name,
        "popularity": Product.popularity,
        "updated_at": Product.updated_at,
    }

    def select(self, request: Request) -> peewee.ModelSelect:
        """Those that the caller sees, with their categories' slugs."""
        # Who writes products sees inactive categories too, and sends back what was read.
        all_categories = request.identity.may(READ_INACTIVE) or request.identity.may(WRITE)
        query = _whole_products(bool(database.obj.for_update), all_categories)
        return currencies.joined(query.where(listed(request)))

    def get(self, request: Request, *, lock: bool = False) -> Any:
        """Return the product that an address names; see :meth:`Collection.get`."""
        found = super().get(request, lock=lock)
        if found.deleted_at is not None:
            # It was deleted while we waited for the lock.
            raise _gone(request)
        return found

    def hold(self, request: Request) -> Any:
        """Hold a product, and before it, where its SKU may change, the SKUs."""
        if isinstance(request.body, Mapping) and "sku" in request.body:
            skus.hold([request.body["sku"]], of_variants=False)
        held: Product = super().hold(request)
        _refuse_other_meaning(held, str(request.params["id"]))
        _refuse_sku_of_variant(held, str(request.params["id"]))
        return held

    def create(self, request: Request, data: dict[str, Any]) -> Product:
        """Make a product."""
        return catalogue.create_product(data)

    def change(self, request: Request, row: Product, data: dict[str, Any]) -> Product:
        """Change a product."""
        moderating.switch(request.identity, row, data)
        return catalogue.change_product(row, data)

    def remove(self, request: Request, row: Product) -> None:
        """Delete a product."""
        moderating.take_down(request.identity, [row.id])
        catalogue.delete_products([row])

    def picking(self) -> tuple[Parameter, ...]:
        """What is shown of each, in which language and currency."""
        return (*super().picking(), LANGUAGE, CURRENCY)

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, lists of their own, actions, prices and translations."""
        verbs = {(r.method, r.path): r for r in super().routes(path)}
        listing, item = verbs["GET", path], verbs["GET", f"{path}/{{id}}"]
        verbs["GET", item.path] = replace(item, handler=_SendingOn(item.handler, self))
        lists = (*self._lists(path, listing), *self.search_routes(path))
        shown = (*verbs.values(), *lists, self._restoring(path))
        filters = tuple(item.parameter for item in self._filters.values())
        return (
            *(in_context(route) for route in shown),
            self._quoting(path),
            *Many(self, filters).routes(path),
            *currencies.Prices(self).routes(path),
            *languages.Translations(self).routes(path),
        )

    def _lists(self, path: str, listing: Route) -> Iterable[Route]:
        def but(name: str) -> tuple[Parameter, ...]:
            return tuple(item for item in listing.parameters if item.name != name)

        yield replace(
            listing, path=f"{path}/featured", summary="List featured products",
            parameters=but("featured"), handler=_With(listing.handler, "featured", True),
        )  # fmt: skip
        yield replace(
            listing, path=f"{path}/popular", summary="List products, the most popular first",
            parameters=but("ordering"), handler=_With(listing.handler, "ordering", "-popularity"),
        )  # fmt: skip
        most = Parameter("page_size", int, "How many at most.", 10, 1, 50)
        yield replace(
            listing, path=f"{path}/{{id}}/related", summary="List what is related to a product",
            description="Of its category or with tags of its own, the most alike first.",
            parameters=(most, *self.picking()), handler=self._related,
            path_types=self.path_types,
        )  # fmt: skip

    def _restoring(self, path: str) -> Route:
        return Route(
            "POST", f"{path}/{{id}}/restore", self._restore, self.write,
            "Bring a deleted product back",
            description="By its id. It gets its slug back if nothing has it by now.",
            returns=self.shape, objects=self.objects, beyond=self.beyond,
        )  # fmt: skip

    def _quoting(self, path: str) -> Route:
        many = Parameter("quantity", int, "How many.", 1, minimum=1, maximum=1_000_000)
        return Route(
            "GET", f"{path}/{{id}}/quote", self.quote, self.read, "Quote a price",
            description="Addons may make it depend on how many are bought.",
            parameters=(many,), returns=QuoteSchema, path_types=self.path_types,
        )  # fmt: skip

    def quote(self, request: Request) -> dict[str, Any]:
        """What so many of a product cost."""
        found = quote(self.get(request), request.query["quantity"])
        return {
            "sku": found.sku,
            "quantity": found.quantity,
            "unit_price": str(found.unit_price),
            "total": str(found.total),
            "currency": found.unit_price.currency,
        }

    def _related(self, request: Request) -> dict[str, Any]:
        keys = related(self.get(request), visible(request.identity), request.query["page_size"])
        place = {key: number for number, key in enumerate(keys)}
        query = self._whole(self.select(request).where(Product.id.in_(keys)))
        rows = sorted(query, key=lambda row: place[row.id])
        shown = self.show_all(rows, request)
        return {"count": len(shown), "next": None, "previous": None, "results": shown}

    def _restore(self, request: Request) -> dict[str, Any]:
        key: UUID = request.params["id"]
        with transaction():
            skus.hold(None, of_variants=True)
            row = Product.find(key, lock=True)
            if row is None:
                raise _gone(request)
            self._check_mine(request, row)
            if row.deleted_at is None:
                raise Conflict("This product is not deleted.")
            moderating.put_back(request.identity, row)
            restored = catalogue.restore_product(row)
            self._attach(restored)
            return self.show(restored, request)

    # What many at once are made and changed by.

    def mine(self, request: Request) -> Any:
        """Return a query of the ids of the products that the caller may change."""
        query = Product.select(Product.id).where(visible(request.identity))
        mine = self.whose(request)
        return query if mine is None else query.where(Product.organization == mine)

    def narrowed(
        self, query: Any, sent: Mapping[str, Any], beside: Iterable[Extension] = ()
    ) -> Any:
        """Return a query narrowed by filters, joined to extensions beside those that filter."""
        joining = dict.fromkeys((*self._narrowing(sent), *beside))
        return self._filtered(self._join(query, joining), sent)

    @cached_property
    def _schema(self) -> Schema:
        """What rows are checked by: making it takes longer than checking some."""
        return self.shape()

    def made(self, request: Request, row: Mapping[str, Any]) -> Product:
        """Make a product of what was sent for it."""
        body = load(self._schema, row)
        self._members.refuse(request.identity, body)
        data, members = self._split(body)
        made = self.create(request, self._owned(request, data))
        self._take(made, members, whole=True, request=request)
        return made

    def changed(self, request: Request, key: UUID, row: Mapping[str, Any]) -> Product:
        """Change a product, which is locked, by what was sent for it."""
        body = load(self._schema, row, partial=True)
        self._members.refuse(request.identity, body)
        data, members = self._split(body)
        self._refuse_giving(request, data)
        product = Product.find(key)
        if product is None or product.deleted_at is not None:
            raise _gone(request)
        self._check_mine(request, product)
        changed = self.change(request, product, data)
        self._take(changed, members, whole=False, request=request)
        return changed

    def _check_mine(self, request: Request, row: Product) -> None:
        if not self._is_mine(request, row):
            raise PermissionDenied(f"This {self.noun} is not yours to change.")

    def render(self, rows: Iterable[Product]) -> list[dict[str, Any]]:
        """Show products with their categories' slugs and variants.

        These were read with them, or come by one query. Another is for translations, where the
        caller reads another language than the shop's.
        """
        products = list(rows)
        variants = shown_variants(products)
        shown = super().render(products)
        for product, item, below in zip(products, shown, variants, strict=True):
            item["category"] = _category_of(product)
            item["variants"] = below
        currencies.show(products, shown)
        languages.translate("product", (product.id for product in products), shown)
        return shown


@cache
def _whole_products(postgres: bool, all_categories: bool) -> peewee.ModelSelect:
    """Return the query that all others are made of."""
    query = Product.select(
        Product,
        peewee.NodeList((Category.slug,)).alias("category_slug"),
        variants_below(postgres),
    )
    same = Product.category == Category.id
    told = same if all_categories else same & Category.is_active
    return query.join(Category, peewee.JOIN.LEFT_OUTER, on=told)


def _category_of(product: Product) -> str | None:
    """Return the slug of a product's category, which was read with it if the list was."""
    try:
        found: str | None = product.category_slug
    except AttributeError:
        found = product.category.slug if product.category_id else None
    return found


def _refuse_other_meaning(product: Product, sent: str) -> None:
    """Refuse to write a product by its slug where that is somebody else's SKU too."""
    if read_id(sent) is not None:
        return
    if Product.select(Product.id).where(by_sku(sent), Product.id != product.id).exists():
        message = f"This is the slug of one product and the SKU of another; name {product.id}."
        raise Conflict(message, [FieldError("id", message, sent)])


def _refuse_sku_of_variant(product: Product, sent: str) -> None:
    """Refuse to write a product that a variant's SKU names: the variant may be meant."""
    if read_id(sent) is not None or sent == product.slug:
        return
    mine = (Variant.product == product.id) & (Variant.sku_key == sku_key(sent))
    if Variant.select(Variant.id).where(mine).exists():
        message = f"This is the SKU of a variant of {product.sku}; name that, or /variants/{sent}."
        raise Conflict(message, [FieldError("id", message, sent)])


def _gone(request: Request) -> NotFound:
    message = "There is no product with this id."
    return NotFound(message, [FieldError("id", message, str(request.params.get("id", "")))])


@dataclass(frozen=True, slots=True)
class _With:
    """A list with a parameter that is set."""

    handler: Callable[[Request], Any]
    name: str
    value: Any

    def __call__(self, request: Request) -> Any:
        query = {**request.query, self.name: self.value}
        return self.handler(replace(request, query=query))


@dataclass(frozen=True, slots=True)
class _SendingOn:
    """Reads an item; who names it by a slug that it had before is sent to its new one."""

    handler: Callable[[Request], Any]
    collection: Any

    def __call__(self, request: Request) -> Any:
        try:
            return self.handler(request)
        except NotFound:
            slug = _new_slug(self.collection, request)
            if slug is None:
                raise
            path = request.raw.path.rstrip("/").rpartition("/")[0]
            query = f"?{request.raw.query_string}" if request.raw.query_string else ""
            return Reply(None, 301, {"Location": f"{path}/{slug}{query}"})


def _new_slug(collection: Any, request: Request) -> str | None:
    model, sent = collection.model, str(request.params["id"])
    target = slugs.target_of(model, sent)
    if target is None:
        return None
    found = collection.select(request).where(model.id == target).first()
    return None if found is None else str(found.slug)


def sending_on(route: Route, collection: Any) -> Route:
    """Return the route of an item that knows the slugs that items had before."""
    return replace(route, handler=_SendingOn(route.handler, collection))
