"""Many products in one request: make, change, switch and delete them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from bodega_products import catalogue, events, moderating, skus, slugs, tagging
from bodega_products.confirming import confirm
from bodega_products.models import Product
from bodega_products.schemas import (
    BulkResultSchema,
    BulkSchema,
    SelectedSchema,
    SelectionSchema,
)
from bodega_products.text import read_id, sku_key, slugify
from bodega_sdk import Parameter, Reply, Request, Route, locked, now, transaction, uuid7
from bodega_sdk.bulk import portions
from bodega_sdk.errors import FieldError, InvalidInput, NotFound, Problem, invalid

_CONFIRM = Parameter("confirm", str, "The token that a refusal has told.")


class Many:
    """The routes for many products.

    Args:
        products: their collection.
        filters: the parameters that a list is narrowed by.
    """

    def __init__(self, products: Any, filters: tuple[Parameter, ...]) -> None:
        self._products = products
        self._filters = {item.name: item for item in filters}

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return them."""
        products, bulk = self._products, f"{path}/bulk"
        whose: dict[str, Any] = {"objects": products.objects, "beyond": products.beyond}
        selected: dict[str, Any] = {"body": SelectionSchema, "returns": SelectedSchema, **whose}
        return (
            Route("POST", bulk, self._write, products.write, "Make or change products",
                  body=BulkSchema, returns=BulkResultSchema, largest=2**23, idempotent=True,
                  **whose),
            Route("POST", f"{bulk}/activate", self._activate, products.write,
                  "Make products active", **selected),
            Route("POST", f"{bulk}/deactivate", self._deactivate, products.write,
                  "Make products inactive", **selected),
            Route("POST", f"{bulk}/delete", self._delete_selected, products.write,
                  "Delete products", **selected,
                  description="A filter needs a confirmation, as `DELETE /products` does."),
            Route("DELETE", path, self._delete_all, products.write, "Delete all products",
                  description="Or those that filters find. First it is refused (409) with their "
                  "number and a token `confirm`: send it within five minutes, if you mean it.",
                  parameters=(*self._filters.values(), _CONFIRM), returns=SelectedSchema, **whose),
        )  # fmt: skip

    # Making and changing.

    def _write(self, request: Request) -> dict[str, Any]:
        atomic, rows = request.body["atomic"], request.body["products"]
        self._products.whose(request)  # Refuses who belongs to no organization.
        with transaction():
            skus.hold(_skus(rows), of_variants=False)
            there = self._there(rows)
            slugs.hold_many(Product, _slugs(rows))
            made = tagging.make_missing(_tags(rows))
            results = self._rows(request, rows, there)
            tagging.drop_unused(made)
            refused = [row for row in results if row["status"] == "refused"]
            if atomic and refused:
                raise _refusal(refused)
        return _summed(results)

    def _there(self, rows: list[Mapping[str, Any]]) -> dict[str, UUID]:
        """Return which rows are there, by id and SKU key, all locked in the order of ids."""
        keys = {sku_key(sku) for sku in _skus(rows)}
        ids = {key for row in rows if (key := read_id(row.get("id"))) is not None}
        keys = {key for key in keys if "\0" not in key and len(key) <= 300}
        query = Product.select(Product.id, Product.sku_key).where(
            (Product.sku_key.in_(list(keys)) | Product.id.in_(list(ids)))
            & Product.deleted_at.is_null()
        )
        there: dict[str, UUID] = {}
        for key, own in locked(query.order_by(Product.id), gone=True).tuples():
            there |= {str(key): key, f"sku:{own}": key}
        return there

    def _rows(
        self, request: Request, rows: list[dict[str, Any]], there: dict[str, UUID]
    ) -> list[dict[str, Any]]:
        """Write rows in the order of their SKUs, as everybody does who makes several."""
        keys = {str(key): name for name, key in there.items() if name.startswith("sku:")}

        def place(item: tuple[int, dict[str, Any]]) -> str:
            key = read_id(item[1].get("id"))
            return keys.get(str(key), "") or f"sku:{sku_key(str(item[1].get('sku', '')))}"

        ordered = sorted(enumerate(rows), key=place)
        results = [self._row(request, *item, there) for item in ordered]
        return sorted(results, key=lambda result: int(result["index"]))

    def _row(
        self, request: Request, index: int, row: dict[str, Any], there: dict[str, UUID]
    ) -> dict[str, Any]:
        try:
            with transaction():
                product, status = self._written(request, row, there)
        except Problem as error:
            errors = error.errors or (FieldError("", error.detail),)
            told = [item.as_json() for item in errors]
            return {"index": index, "status": "refused", "id": None, "errors": told}
        there |= {str(product.id): product.id, f"sku:{product.sku_key}": product.id}
        return {"index": index, "status": status, "id": product.id, "errors": []}

    def _written(
        self, request: Request, row: dict[str, Any], there: dict[str, UUID]
    ) -> tuple[Product, str]:
        row = dict(row)
        key = _named(row, there)
        row.pop("id", None)
        if key is None:
            return self._products.made(request, row), "created"
        return self._products.changed(request, key, row), "updated"

    # Switching and deleting.

    def _activate(self, request: Request) -> dict[str, Any]:
        return self._switch(request, True)

    def _deactivate(self, request: Request) -> dict[str, Any]:
        return self._switch(request, False)

    def _switch(self, request: Request, on: bool) -> dict[str, Any]:
        with transaction():
            ids, missing = self._selected(request)
            see = moderating.put_back_many if on else moderating.take_down
            see(request.identity, ids)
            changed = [key for some in portions(ids) for key in _switch(some, on)]
            events.publish_many([(key, "updated") for key in changed], f"bulk:{uuid7()}")
        return {"count": len(changed), "missing": missing}

    def _delete_selected(self, request: Request) -> dict[str, Any]:
        with transaction():
            ids, missing = self._selected(request)
            if "filter" in request.body:
                how = "send this again with the token 'confirm'"
                confirm(request.body.get("confirm"), ids, _who(request), how)
            _delete(request, ids)
        return {"count": len(ids), "missing": missing}

    def _delete_all(self, request: Request) -> dict[str, Any] | Reply:
        with transaction():
            ids = self._found(request, request.query)
            how = "send this again with '?confirm=' and the token"
            confirm(request.query.get("confirm"), ids, _who(request), how)
            _delete(request, ids)
        return {"count": len(ids), "missing": []}

    def _selected(self, request: Request) -> tuple[list[UUID], list[UUID]]:
        """Return the ids that were chosen, in their order, and those that are not there."""
        body = request.body
        if ("ids" in body) == ("filter" in body):
            raise invalid("ids", "Send either ids or a filter.")
        if "filter" in body:
            return self._found(request, self._parsed(body["filter"])), []
        wanted = set(body["ids"])
        query = self._products.mine(request).where(Product.id.in_(list(wanted)))
        found = _ids(query)
        return found, sorted(wanted - set(found))

    def _parsed(self, sent: Mapping[str, str]) -> dict[str, Any]:
        query: dict[str, Any] = {}
        for name, text in sent.items():
            if name not in self._filters:
                listed = ", ".join(sorted(self._filters))
                raise invalid(f"filter.{name}"[:100], f"There is no such filter; known: {listed}.")
            query[name] = self._filters[name].parse(text)
        return query

    def _found(self, request: Request, query: Mapping[str, Any]) -> list[UUID]:
        if query.get("deleted"):
            raise invalid("deleted", "They are deleted already.")
        return _ids(self._products.narrowed(self._products.mine(request), query))


def _ids(query: Any) -> list[UUID]:
    """Return the ids that a query finds, locked, in their order."""
    wanted = Product.select(Product.id).where(Product.id.in_(query)).order_by(Product.id)
    found = [key for (key,) in locked(wanted, gone=True).tuples()]
    # Whom we waited for may have deleted one of them, or given it away.
    still = {key for (key,) in query.tuples()}
    return [key for key in found if key in still]


def _switch(ids: list[UUID], on: bool) -> list[UUID]:
    """Make products active or not; return the ids of those that were not so already."""
    others = Product.id.in_(ids) & (Product.is_active != on)
    query = Product.select(Product.id).where(others).order_by(Product.id)
    found = [key for (key,) in query.tuples()]
    Product.update(is_active=on, updated_at=now()).where(Product.id.in_(found)).execute()
    return found


def _delete(request: Request, ids: list[UUID]) -> None:
    moderating.take_down(request.identity, ids)
    products = [
        product
        for some in portions(ids)
        for product in Product.select().where(Product.id.in_(some)).order_by(Product.id)
    ]
    catalogue.delete_products(products)


def _who(request: Request) -> str:
    return request.identity.subject


def _skus(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the SKUs that rows name."""
    return (row["sku"] for row in rows if isinstance(row.get("sku"), str))


def _slugs(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the slugs that rows name, and those that would be made for them."""
    for row in rows:
        if isinstance(row.get("slug"), str):
            yield row["slug"].replace("\0", "")
        elif isinstance(row.get("name"), str):
            yield slugify(row["name"])


def _tags(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the names of tags that rows name."""
    for row in rows:
        named = row.get("tags")
        for name in named if isinstance(named, list) else ():
            if isinstance(name, str) and 0 < len(name.strip()) <= 100 and "\0" not in name:
                yield name


def _named(row: Mapping[str, Any], there: Mapping[str, UUID]) -> UUID | None:
    """Return the id of the product that a row is about; None where it is a new one.

    Raises:
        NotFound: it has an id that no product has.
        InvalidInput: its id is none.
    """
    if "id" in row:
        key = read_id(row["id"])
        if key is None:
            raise invalid("id", "Expected a UUID.", row["id"])
        if str(key) not in there:
            message = "There is no product with this id."
            raise NotFound(message, [FieldError("id", message, str(key))])
        return key
    sku = row.get("sku")
    return there.get(f"sku:{sku_key(sku)}") if isinstance(sku, str) else None


def _refusal(refused: list[dict[str, Any]]) -> InvalidInput:
    errors = [
        FieldError(f"products.{row['index']}.{item['field']}".rstrip("."), item["message"],
                   item.get("found"))
        for row in refused for item in row["errors"]
    ]  # fmt: skip
    count = len(refused)
    return InvalidInput(f"{count} product(s) are not acceptable; nothing was changed.", errors[:50])


def _summed(results: list[dict[str, Any]]) -> dict[str, Any]:
    statuses = [row["status"] for row in results]
    names = ("created", "updated", "refused")
    return {name: statuses.count(name) for name in names} | {"rows": results}
