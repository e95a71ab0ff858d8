"""Many products at once: a few statements for thousands of rows, the same on both engines."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from peewee import chunked

from bodega_products import bulk_tags, bulk_variants, events, search_index, skus, slugs
from bodega_products.companions import Companions
from bodega_products.models import Category, FormerSlug, Product, Translation, Variant
from bodega_products.text import search_text, sku_key, slug_for, slugify
from bodega_sdk import database, locked, now, setting, transaction, uuid7
from bodega_sdk.bulk import among, insert_rows, staged, update_rows
from bodega_sdk.money import exponent

# Values of one statement; SQLite takes 32,766.
_KEYS = 5000


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a product that lies elsewhere.

    Args:
        url: its address.
        alt: what it shows, in words.
    """

    url: str
    alt: str = ""


@dataclass(slots=True)
class ProductRow:
    """A product to make or change, known by its SKU.

    Args:
        sku: at most 100 characters, unique without regard to case.
        fields: out of ``name slug description price_minor compare_at_minor currency
            category image_url is_active``, and of ``cost_minor is_featured is_digital
            weight_grams length_millimetres width_millimetres height_millimetres meta_title
            meta_description``; those that are missing stay, or take their default.
            ``category`` is a name, or an id.
        variants: ``{"sku", "options", "price_minor"}`` each; None leaves them alone.
        extensions: addon → loaded members of what it adds to products; what is missing
            stays, or takes its default.
        tags: their names, at most 50; those that are not there are made. None leaves them
            alone.
        pictures: in their order. An event tells of them; an addon that keeps pictures fetches
            those that it has not.
    """

    sku: str
    fields: Mapping[str, Any]
    variants: Sequence[Mapping[str, Any]] | None = None
    extensions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: Sequence[str] | None = None
    pictures: Sequence[Picture] = ()


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


@dataclass(frozen=True, slots=True)
class Change:
    """What was written of one product; :func:`bodega_products.undoing.undo` takes it back.

    Args:
        product: its id.
        stamp: its ``updated_at`` from then on.
        before: None when it was made; else its SKU, the fields that were set, and its
            variants and tags if they were, as they had been, and as JSON can say it.
    """

    product: UUID
    stamp: datetime
    before: Mapping[str, Any] | None


_CREATED, _UPDATED, _UNCHANGED = Outcome("created"), Outcome("updated"), Outcome("unchanged")
_COLUMNS = (
    "name", "slug", "description", "price_minor", "compare_at_minor", "currency",
    "category", "image_url", "is_active",
)  # fmt: skip
# What most files lack is neither read nor written then; these are the database's defaults.
_FURTHER: Mapping[str, Any] = {
    "cost_minor": None, "is_featured": False, "is_digital": False, "weight_grams": None,
    "length_millimetres": None, "width_millimetres": None, "height_millimetres": None,
    "meta_title": "", "meta_description": "",
}  # fmt: skip
# Those of them that the search looks into.
_READ = ("name", "description", "category")
# Fields of a new product, in the order of `_record`; the id is before them.
_RECORD = (
    "name", "slug", "sku", "sku_key", "description", "price_minor", "compare_at_minor",
    "currency", "category", "image_url", "is_active", "search_text",
)  # fmt: skip


def upsert(
    rows: Sequence[ProductRow],
    source: str,
    organization: UUID | None = None,
    changes: list[Change] | None = None,
) -> list[Outcome]:
    """Make or change products, in one transaction; return what became of each row.

    Args:
        rows: at most a few thousand, no SKU twice.
        source: what does it, for the event, e.g. ``"import:0190…"``.
        organization: for which: others' products are refused, and categories that are not
            there; None for the whole shop.
        changes: gets what was written, so that it can be undone.
    """
    with transaction():
        done = _Upsert(rows, organization)
        outcomes = done.run(source)
        if changes is not None:
            changes += done.changes(outcomes)
    return outcomes


class _Upsert:
    """One call of :func:`upsert`."""

    def __init__(self, rows: Sequence[ProductRow], organization: UUID | None) -> None:
        self._organization = organization
        self._keys = [sku_key(row.sku) for row in rows]
        named = [item["sku"] for row in rows for item in row.variants or ()]
        skus.hold([*named, *(row.sku for row in rows)], of_variants=bool(named))
        self._stamp = now()
        self._currency = setting("products.currency")
        found = _categories(rows, make=organization is None)
        self._categories = {slug: key for slug, (key, _) in found.items()}
        self._names = dict(found.values())
        self._rows = rows
        self._values = [self._valued(row) for row in rows]
        self._new: set[int] = set()

    def run(self, source: str) -> list[Outcome]:
        outcomes = [_UNCHANGED] * len(self._rows)
        # In one order, as everybody who makes several: so none wait for each other in a ring.
        places = sorted(self._new | self._differing(), key=self._keys.__getitem__)
        self._look_up(places)
        for place in sorted(places):
            outcomes[place] = self._judge(place)
        written = [place for place in places if outcomes[place] in (_CREATED, _UPDATED)]
        ids = self._write(written)
        self._ids = dict(zip(written, ids, strict=True))
        told = ((key, outcomes[place].status) for key, place in zip(ids, written, strict=True))
        events.publish_many(told, source)
        events.publish_pictures(self._pictures(outcomes), source)
        return outcomes

    def _pictures(self, outcomes: Sequence[Outcome]) -> Iterator[tuple[UUID, Picture]]:
        """Yield the pictures of rows that were not refused."""
        shown = {
            self._keys[place]: row.pictures
            for place, row in enumerate(self._rows)
            if row.pictures and outcomes[place].status != "refused"
        }
        for some in chunked(shown, _KEYS):
            query = Product.select(Product.sku_key, Product.id)
            for key, product in query.where(among(Product.sku_key, some)).tuples():
                yield from ((product, picture) for picture in shown[key])

    def changes(self, outcomes: Sequence[Outcome]) -> Iterator[Change]:
        """Yield what was written."""
        for place, outcome in enumerate(outcomes):
            if outcome is _CREATED:
                yield Change(self._ids[place], self._stamp, None)
            elif outcome is _UPDATED:
                yield Change(self._ids[place], self._stamp, self._before(place))

    def _before(self, place: int) -> dict[str, Any]:
        old, row = self._existing[self._keys[place]], self._rows[place]
        before = {"sku": old["sku"]} | {name: old[name] for name in self._values[place]}
        if before.get("category") is not None:
            before["category"] = before["category"].hex
        before |= {} if row.variants is None else {"variants": old["variants"]}
        return before | ({} if row.tags is None else {"tags": old["tag_names"] or []})

    def _valued(self, row: ProductRow) -> dict[str, Any]:
        values = dict(row.fields)
        if "category" in values:
            name = values["category"]
            if not isinstance(name, UUID):
                values["category"] = self._categories.get(_slug_of(name)) if name else None
        return values

    def _differing(self) -> set[int]:
        """Return the places of rows whose products are there, but perhaps not as they say.

        Those that say more than a product's own columns are looked at one by one.
        """
        groups: dict[tuple[str, ...], list[int]] = {}
        more: set[int] = set()
        for place, (row, values) in enumerate(zip(self._rows, self._values, strict=True)):
            if row.variants is not None or row.extensions or row.tags is not None:
                more.add(place)
            else:
                groups.setdefault(tuple(values), []).append(place)
        for names, places in groups.items():
            for place, key in self._unlike(names, places):
                (self._new if key is None else more).add(places[place])
        return more

    def _unlike(self, names: tuple[str, ...], places: list[int]) -> list[tuple[int, Any]]:
        """Return which of some rows with the same fields are not there as they are.

        That is their places among them, with the ids of their products.
        """
        rows = [
            (self._keys[place], self._rows[place].sku, *self._values[place].values())
            for place in places
        ]
        columns = [Product._meta.fields[name].column_name for name in ("sku", *names)]
        differ = "IS DISTINCT FROM" if database.obj.for_update else "IS NOT"
        unlike = [f"item.{name} {differ} staged.{name}" for name in columns]
        values = []
        if self._organization is not None:
            unlike.append(f"item.organization {differ} {database.obj.param}")
            values.append(Product.organization.db_value(self._organization))
        with staged(Product, ("sku_key", "sku", *names), rows) as table:
            found: list[tuple[int, Any]] = database.execute_sql(
                f"SELECT staged.place, item.id FROM {table} AS staged "
                "LEFT JOIN products_product item ON item.sku_key = staged.sku_key "
                f"WHERE item.id IS NULL OR {' OR '.join(unlike)}", values
            ).fetchall()  # fmt: skip
        return found

    def _look_up(self, places: list[int]) -> None:
        """Read what rows are judged by, and lock the products that are there."""
        rows, keys = [self._rows[at] for at in places], [self._keys[at] for at in places]
        # Who has a SKU that is held cannot change: what is new is not looked for again.
        there = [self._keys[place] for place in places if place not in self._new]
        given = {name for values in self._values for name in values}
        self._given = tuple(name for name in (*_COLUMNS, *_FURTHER) if name in given)
        tagged = any(row.tags is not None for row in rows)
        further = [name for name in _FURTHER if name in given]
        self._existing = _existing(there, (*further, "tag_names") if tagged else further)
        if any(row.variants is not None for row in rows):
            _add_variants(self._existing)
        self._slugs = _slug_owners(rows)
        self._claims = bulk_variants.Claims(rows, keys)
        self._companions = Companions(rows, [old["id"] for old in self._existing.values()])

    def _judge(self, place: int) -> Outcome:
        row, key, values = self._rows[place], self._keys[place], self._values[place]
        old = self._existing.get(key)
        if fault := self._fault(row, key, values, old):
            return Outcome("refused", *fault)
        if old is None:
            return _CREATED
        if old["sku"] != row.sku or any(old[name] != value for name, value in values.items()):
            return _UPDATED
        if row.variants is not None and old["variants"] != [_plain(v) for v in row.variants]:
            return _UPDATED
        if row.tags is not None and bulk_tags.differ(row.tags, old["tag_names"]):
            return _UPDATED
        return _UPDATED if self._companions.differ(row, old["id"]) else _UNCHANGED

    def _fault(
        self, row: ProductRow, key: str, values: dict[str, Any], old: dict[str, Any] | None
    ) -> tuple[str, str] | None:
        """Return the column and the reason for which a row cannot be written."""
        if fault := self._foreign(row, values, old) or self._claims.fault(row, key):
            return fault
        slug = values.get("slug")
        if slug in slugs.RESERVED:
            return "slug", "this word is part of an address of the API"
        if slug is not None and self._slugs.setdefault(slug, key) != key:
            return "slug", f"another product has this slug: the one with SKU {self._slugs[slug]!r}"
        if exponent(values.get("currency", self._currency)) != exponent(self._currency):
            return "currency", f"its amounts were read with the decimals of {self._currency}"
        if fault := self._companions.fault(row):
            return fault
        if old is not None and self._is_down(old, values):
            return "is_active", "the shop took this product down"
        return None

    def _is_down(self, old: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        """Whether a vendor is to sell again what the shop took down."""
        down = self._organization is not None and old["taken_down_at"] is not None
        return down and bool(values.get("is_active", False))

    def _foreign(
        self, row: ProductRow, values: dict[str, Any], old: dict[str, Any] | None
    ) -> tuple[str, str] | None:
        """Return why a row is not the organization's to write."""
        if self._organization is None:
            return None
        if old is not None and old["organization"] != self._organization:
            return "sku", "this product is not your organization's"
        if row.fields.get("category") and values["category"] is None:
            return "category", "there is no such category, and only the shop makes them"
        return None

    def _write(self, places: list[int]) -> list[UUID]:
        """Write rows; return the ids of their products."""
        ids = {
            at: old["id"] if (old := self._existing.get(self._keys[at])) else uuid7()
            for at in places
        }
        new = [place for place in places if self._keys[place] not in self._existing]
        changed = [place for place in places if self._keys[place] in self._existing]
        self._remember_slugs(places)
        self._insert(new, ids)
        self._update(changed)
        self._write_variants(places, ids)
        more = {ids[at]: self._rows[at] for at in places if self._rows[at].extensions}
        if more:
            self._companions.write(more)
        tagged = {ids[at]: tags for at in places if (tags := self._rows[at].tags) is not None}
        bulk_tags.write(tagged)
        read = {ids[place] for place in changed if self._reads_otherwise(place)}
        search_index.keep(sorted(read | {key for key, tags in tagged.items() if tags}))
        return list(ids.values())

    def _reads_otherwise(self, place: int) -> bool:
        """Whether the search will find a product by other words."""
        row, old = self._rows[place], self._existing[self._keys[place]]
        given = self._values[place]
        return row.sku != old["sku"] or any(
            given.get(name, old[name]) != old[name] for name in _READ
        )

    def _insert(self, places: list[int], ids: Mapping[int, UUID]) -> None:
        """Make new products; nobody else can make them meanwhile, for their SKUs are held."""
        if not places:
            return
        further = [name for name in _FURTHER if name in self._given]
        records = [(ids[at], *self._record(at), *self._further(at, further)) for at in places]
        same = {
            "created_at": self._stamp, "updated_at": self._stamp,
            "organization": self._organization,
        } | ({} if "is_featured" in further else {"is_featured": False})  # fmt: skip
        insert_rows(Product, ("id", *_RECORD, *further), records, same=same)
        search_index.add(
            (key, name, sku, self._names.get(category, ""), description)
            for key, name, _, sku, _, description, _, _, _, category, *_ in records
        )

    def _record(self, place: int) -> tuple[Any, ...]:
        """Return a new product's values of the fields of ``_RECORD``."""
        row, key, values = self._rows[place], self._keys[place], self._values[place]
        name = values.get("name") or row.sku
        return (
            name, values.get("slug") or slug_for(name, key), row.sku, key,
            values.get("description", ""), values.get("price_minor", 0),
            values.get("compare_at_minor"), values.get("currency", self._currency),
            values.get("category"), values.get("image_url", ""), values.get("is_active", True),
            search_text(name, row.sku),
        )  # fmt: skip

    def _further(self, place: int, names: Iterable[str]) -> list[Any]:
        values = self._values[place]
        return [values.get(name, _FURTHER[name]) for name in names]

    def _update(self, places: list[int]) -> None:
        """Change just the columns that the rows have."""
        names = self._given
        fields = ("id", *names, "sku", "search_text")
        rows = [self._changes(place, names) for place in places]
        if rows:
            update_rows(Product, fields, rows, same={"updated_at": self._stamp})
        down = [old["id"] for old in self._existing.values() if old["taken_down_at"] is not None]
        if down:
            again = Product.is_active & among(Product.id, down)
            Product.update(taken_down_at=None).where(again).execute()

    def _changes(self, place: int, names: Iterable[str]) -> list[Any]:
        row, values = self._rows[place], self._values[place]
        old = self._existing[self._keys[place]]
        name = values.get("name") or old["name"]
        kept = [values.get(name, old[name]) for name in names]
        return [old["id"], *kept, row.sku, search_text(name, row.sku)]

    def _remember_slugs(self, places: list[int]) -> None:
        given = {at: slug for at in places if (slug := self._values[at].get("slug"))}
        for some in chunked(given.values(), _KEYS):
            same = (FormerSlug.kind == "product") & FormerSlug.slug.in_(some)
            FormerSlug.delete().where(same).execute()
        for place, new in given.items():
            old = self._existing.get(self._keys[place])
            if old is not None and new != old["slug"]:
                slugs.remember(Product, old["id"], old["slug"], new)

    def _write_variants(self, places: list[int], ids: Mapping[int, UUID]) -> None:
        variants = {
            ids[place]: (self._keys[place], self._rows[place].variants or ())
            for place in places
            if self._rows[place].variants is not None
        }
        if variants:
            bulk_variants.write(variants)


def _existing(keys: list[str], further: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what is there, by SKU key, locked against other writers until the commit."""
    names = ("id", "sku", "sku_key", "organization", "taken_down_at", *_COLUMNS, *further)
    fields = [getattr(Product, name) for name in names]
    found: dict[str, dict[str, Any]] = {}
    for some in chunked(keys, _KEYS):
        query = Product.select(*fields).where(among(Product.sku_key, some)).order_by(Product.id)
        for values in locked(query, gone=True).tuples():
            row = dict(zip(names, values, strict=True))
            found[row["sku_key"]] = row | {"variants": []}
    return found


def _add_variants(found: dict[str, dict[str, Any]]) -> None:
    by_id = {row["id"]: row for row in found.values()}
    for some in chunked(list(by_id), _KEYS):
        query = Variant.select().where(among(Variant.product, some)).order_by(Variant.position)
        for variant in query:
            by_id[variant.product_id]["variants"].append(_plain(vars(variant)["__data__"]))


def _plain(variant: Mapping[str, Any]) -> dict[str, Any]:
    # Without a price of its own it costs what the product does.
    own = variant["price_minor"] if variant.get("has_price", True) else None
    return {"sku": variant["sku"], "options": variant["options"], "price_minor": own}


def _slug_owners(rows: Sequence[ProductRow]) -> dict[str, str]:
    slugs = [row.fields["slug"] for row in rows if "slug" in row.fields]
    owners: dict[str, str] = {}
    for some in chunked(slugs, _KEYS):
        query = Product.select(Product.slug, Product.sku_key).where(among(Product.slug, some))
        owners.update(query.tuples())
        translated = Translation.select(Translation.slug, Product.sku_key).join(
            Product, on=(Translation.target == Product.id)
        )
        same = (Translation.kind == "product") & among(Translation.slug, some)
        owners.update(translated.where(same).tuples())
    return owners


@lru_cache(5000)
def _slug_of(category: str) -> str:
    return slugify(category)


def _categories(rows: Sequence[ProductRow], *, make: bool) -> dict[str, tuple[UUID, str]]:
    """Return the categories that the rows name, by slug: id and name; make those missing."""
    given = {row.fields["category"] for row in rows if row.fields.get("category")}
    named = {_slug_of(name): name for name in sorted(n for n in given if isinstance(n, str))}
    if not named:
        return {}
    found = _category_ids(named)
    missing = named.keys() - found.keys() if make else set()
    for slug in sorted(missing):
        key = uuid7()
        made = Category.insert(
            id=key, path=f"{key.hex}/", name=named[slug][:200], slug=slug, position=0
        )
        made.on_conflict_ignore().execute()
    return _category_ids(named) if missing else found


def _category_ids(slugs: Iterable[str]) -> dict[str, tuple[UUID, str]]:
    query = Category.select(Category.slug, Category.id, Category.name)
    return {
        slug: (key, name)
        for some in chunked(slugs, _KEYS)
        for slug, key, name in query.where(among(Category.slug, some)).tuples()
    }
