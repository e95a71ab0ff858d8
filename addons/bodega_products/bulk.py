"""Many products at once: a few statements for thousands of rows, the same on both engines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from peewee import chunked

from bodega_products import bulk_variants, events, search_index, skus, slugs
from bodega_products.companions import Companions
from bodega_products.models import Category, FormerSlug, Product, Translation, Variant
from bodega_products.text import search_text, sku_key, slug_for, slugify
from bodega_sdk import locked, now, setting, transaction, uuid7
from bodega_sdk.bulk import insert_or_update
from bodega_sdk.money import exponent

# Rows of one INSERT: SQLite takes 32,766 values in a statement, 250,000 since 3.32 at most.
_ROWS = 1000
_KEYS = 5000


@dataclass(slots=True)
class ProductRow:
    """A product to make or change, known by its SKU.

    Args:
        sku: at most 100 characters, unique without regard to case.
        fields: out of ``name slug description price_minor compare_at_minor currency
            category image_url is_active``; those that are missing stay, or take their
            default. ``category`` is a name.
        variants: ``{"sku", "options", "price_minor"}`` each; None leaves them alone.
        extensions: addon → loaded members of what it adds to products; what is missing
            stays, or takes its default.
    """

    sku: str
    fields: Mapping[str, Any]
    variants: Sequence[Mapping[str, Any]] | None = None
    extensions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row.

    Args:
        status: created, updated, unchanged or refused.
        column, reason: why it was refused.
    """

    status: str
    column: str = ""
    reason: str = ""


_CREATED, _UPDATED, _UNCHANGED = Outcome("created"), Outcome("updated"), Outcome("unchanged")
_COLUMNS = (
    "name", "slug", "description", "price_minor", "compare_at_minor", "currency",
    "category", "image_url", "is_active",
)  # fmt: skip
_DEFAULTS: dict[str, Any] = {
    "description": "", "compare_at_minor": None, "category": None, "image_url": "",
    "is_active": True,
}  # fmt: skip


def upsert(
    rows: Sequence[ProductRow], source: str, organization: UUID | None = None
) -> list[Outcome]:
    """Make or change products, in one transaction; return what became of each row.

    Args:
        rows: at most a few thousand, no SKU twice.
        source: what does it, for the event, e.g. ``"import:0190…"``.
        organization: for which: others' products are refused, and categories that are not
            there; None for the whole shop.
    """
    with transaction():
        return _Upsert(rows, organization).run(source)


class _Upsert:
    """One call of :func:`upsert`."""

    def __init__(self, rows: Sequence[ProductRow], organization: UUID | None) -> None:
        self._rows = rows
        self._organization = organization
        self._keys = [sku_key(row.sku) for row in rows]
        named = [item["sku"] for row in rows for item in row.variants or ()]
        skus.hold([*named, *(row.sku for row in rows)], of_variants=bool(named))
        self._stamp = now()
        self._currency = setting("products.currency")
        self._categories = _categories(rows, make=organization is None)
        self._existing = _existing(self._keys)
        self._slugs = _slug_owners(rows)
        self._claims = bulk_variants.Claims(rows, self._keys)
        self._companions = Companions(rows, [old["id"] for old in self._existing.values()])

    def run(self, source: str) -> list[Outcome]:
        values = [self._values(row) for row in self._rows]
        outcomes = [self._judge(*item) for item in zip(self._rows, self._keys, values, strict=True)]
        changed = [
            (row, key, value, outcome)
            for row, key, value, outcome in zip(
                self._rows, self._keys, values, outcomes, strict=True
            )
            if outcome in (_CREATED, _UPDATED)
        ]
        # As everybody who makes several: two who do so do not wait for each other in a ring.
        changed.sort(key=lambda item: item[1])
        ids = self._write(changed)
        told = ((key, item[-1].status) for key, item in zip(ids, changed, strict=True))
        events.publish_many(told, source)
        return outcomes

    def _values(self, row: ProductRow) -> dict[str, Any]:
        values = dict(row.fields)
        if "category" in values:
            name = values["category"]
            values["category"] = self._categories.get(slugify(name)) if name else None
        return values

    def _judge(self, row: ProductRow, key: str, values: dict[str, Any]) -> Outcome:
        if fault := self._foreign(row, key, values):
            return Outcome("refused", *fault)
        if fault := self._claims.fault(row, key):
            return Outcome("refused", *fault)
        slug = values.get("slug")
        if slug in slugs.RESERVED:
            return Outcome("refused", "slug", "this word is part of an address of the API")
        if slug is not None and self._slugs.setdefault(slug, key) != key:
            reason = f"another product has this slug: the one with SKU {self._slugs[slug]!r}"
            return Outcome("refused", "slug", reason)
        if exponent(values.get("currency", self._currency)) != exponent(self._currency):
            reason = f"its amounts were read with the decimals of {self._currency}"
            return Outcome("refused", "currency", reason)
        if fault := self._companions.fault(row):
            return Outcome("refused", *fault)
        old = self._existing.get(key)
        if old is not None and self._is_down(old, values):
            return Outcome("refused", "is_active", "the shop took this product down")
        if old is None:
            return _CREATED
        if old["sku"] != row.sku or any(old[name] != value for name, value in values.items()):
            return _UPDATED
        if row.variants is not None and old["variants"] != [_plain(v) for v in row.variants]:
            return _UPDATED
        return _UPDATED if self._companions.differ(row, old["id"]) else _UNCHANGED

    def _is_down(self, old: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        """Whether a vendor is to sell again what the shop took down."""
        down = self._organization is not None and old["taken_down_at"] is not None
        return down and bool(values.get("is_active", False))

    def _foreign(self, row: ProductRow, key: str, values: dict[str, Any]) -> tuple[str, str] | None:
        """Return why a row is not the organization's to write."""
        old = self._existing.get(key)
        if self._organization is None:
            return None
        if old is not None and old["organization"] != self._organization:
            return "sku", "this product is not your organization's"
        if row.fields.get("category") and values["category"] is None:
            return "category", "there is no such category, and only the shop makes them"
        return None

    def _write(self, changed: list[tuple[ProductRow, str, dict[str, Any], Outcome]]) -> list[UUID]:
        """Write in groups of rows that set the same columns: each is one kind of statement.

        Return the ids of the products.
        """
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        ids_written: list[UUID] = []
        for row, key, values, _ in changed:
            columns = tuple(name for name in _COLUMNS if name in values)
            record, old = self._record(row, key, values), self._existing.get(key)
            groups.setdefault(columns, []).append(record)
            ids_written.append(old["id"] if old else record["id"])
        self._remember_slugs(changed)
        for columns, records in groups.items():
            _insert_or_update(records, columns)
        _put_back([record["sku_key"] for some in groups.values() for record in some])
        self._write_variants([row for row, *_ in changed if row.variants is not None])
        more = [row for row, *_ in changed if row.extensions]
        if more:
            ids = _ids([sku_key(row.sku) for row in more])
            self._companions.write({ids[sku_key(row.sku)]: row for row in more})
        search_index.keep(ids_written)
        return ids_written

    def _record(self, row: ProductRow, key: str, values: dict[str, Any]) -> dict[str, Any]:
        old = self._existing.get(key) or {}
        full = _DEFAULTS | {"currency": self._currency} | values
        name = values.get("name") or old.get("name") or row.sku
        return full | {
            "id": uuid7(),
            "created_at": self._stamp,
            "updated_at": self._stamp,
            "sku": row.sku,
            "sku_key": key,
            "name": name,
            "slug": values.get("slug") or old.get("slug") or slug_for(name, key),
            "price_minor": values.get("price_minor", old.get("price_minor", 0)),
            "is_featured": False,
            "organization": self._organization,
            "search_text": search_text(name, row.sku),
        }

    def _remember_slugs(
        self, changed: list[tuple[ProductRow, str, dict[str, Any], Outcome]]
    ) -> None:
        given = [values["slug"] for _, _, values, _ in changed if values.get("slug")]
        for some in chunked(given, _KEYS):
            same = (FormerSlug.kind == "product") & FormerSlug.slug.in_(some)
            FormerSlug.delete().where(same).execute()
        for _, key, values, _ in changed:
            old, new = self._existing.get(key), values.get("slug")
            if old is not None and new and new != old["slug"]:
                slugs.remember(Product, old["id"], old["slug"], new)

    def _write_variants(self, rows: list[ProductRow]) -> None:
        if not rows:
            return
        ids = _ids([sku_key(row.sku) for row in rows])
        bulk_variants.write(
            {ids[key]: (key, row.variants or ()) for row in rows if (key := sku_key(row.sku))}
        )


def _insert_or_update(records: list[dict[str, Any]], columns: Iterable[str]) -> None:
    """Insert; where the SKU is there already, change just the columns that the file has."""
    update = [*columns, "sku", "search_text", "updated_at"]
    rows = [tuple(record.values()) for record in records]
    insert_or_update(Product, list(records[0]), rows, key="sku_key", update=update)


def _put_back(keys: list[str]) -> None:
    """Forget that products were taken down which the shop sells again."""
    for some in chunked(keys, _KEYS):
        again = Product.is_active & Product.taken_down_at.is_null(False)
        Product.update(taken_down_at=None).where(Product.sku_key.in_(some), again).execute()


def _existing(keys: list[str]) -> dict[str, dict[str, Any]]:
    """Return what is there, by SKU key, locked against other writers until the commit."""
    names = ("id", "sku", "sku_key", "organization", "taken_down_at", *_COLUMNS)
    fields = [getattr(Product, name) for name in names]
    found: dict[str, dict[str, Any]] = {}
    for some in chunked(keys, _KEYS):
        query = Product.select(*fields).where(Product.sku_key.in_(some)).order_by(Product.id)
        for values in locked(query, gone=True).tuples():
            row = dict(zip(names, values, strict=True))
            found[row["sku_key"]] = row | {"variants": []}
    _add_variants(found)
    return found


def _add_variants(found: dict[str, dict[str, Any]]) -> None:
    by_id = {row["id"]: row for row in found.values()}
    for some in chunked(list(by_id), _KEYS):
        query = Variant.select().where(Variant.product.in_(some)).order_by(Variant.position)
        for variant in query:
            by_id[variant.product_id]["variants"].append(_plain(vars(variant)["__data__"]))


def _plain(variant: Mapping[str, Any]) -> dict[str, Any]:
    return {name: variant[name] for name in ("sku", "options", "price_minor")}


def _slug_owners(rows: Sequence[ProductRow]) -> dict[str, str]:
    slugs = [row.fields["slug"] for row in rows if "slug" in row.fields]
    owners: dict[str, str] = {}
    for some in chunked(slugs, _KEYS):
        query = Product.select(Product.slug, Product.sku_key).where(Product.slug.in_(some))
        owners.update(query.tuples())
        translated = Translation.select(Translation.slug, Product.sku_key).join(
            Product, on=(Translation.target == Product.id)
        )
        same = (Translation.kind == "product") & Translation.slug.in_(some)
        owners.update(translated.where(same).tuples())
    return owners


def _ids(keys: list[str]) -> dict[str, UUID]:
    ids: dict[str, UUID] = {}
    for some in chunked(keys, _KEYS):
        query = Product.select(Product.sku_key, Product.id).where(Product.sku_key.in_(some))
        ids.update(query.tuples())
    return ids


def _categories(rows: Sequence[ProductRow], *, make: bool) -> dict[str, UUID]:
    """Return the categories that the rows name, by slug; make those that are missing."""
    named = {slugify(row.fields["category"]): row.fields["category"] for row in rows
             if row.fields.get("category")}  # fmt: skip
    if not named:
        return {}
    missing = named.keys() - _category_ids(named).keys() if make else set()
    for slug in sorted(missing):
        key = uuid7()
        made = Category.insert(
            id=key, path=f"{key.hex}/", name=named[slug][:200], slug=slug, position=0
        )
        made.on_conflict_ignore().execute()
    return _category_ids(named)


def _category_ids(slugs: Iterable[str]) -> dict[str, UUID]:
    query = Category.select(Category.slug, Category.id).where(Category.slug.in_(list(slugs)))
    return dict(query.tuples())
