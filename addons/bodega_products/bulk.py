"""Many products at once: a few statements for thousands of rows, the same on both engines."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from bodega_products import (
    bulk_amounts,
    bulk_tags,
    bulk_variants,
    events,
    search_index,
    skus,
    slugs,
)
from bodega_products.bulk_reading import (
    add_variants,
    categories,
    existing,
    plain,
    slug_of,
    slug_owners,
)
from bodega_products.bulk_rows import (
    EMPTIED,
    Change,
    Outcome,
    Picture,
    ProductRow,
    ProductTable,
)
from bodega_products.companions import Companions
from bodega_products.models import FormerSlug, Product
from bodega_products.text import search_text, sku_key, slug_for
from bodega_sdk import database, now, setting, transaction, uuid7
from bodega_sdk.bulk import among, insert_rows, portions, staged, update_rows
from bodega_sdk.money import exponent

#: The id of no category.
_NOWHERE = UUID(int=0)
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
    rows: Sequence[ProductRow] | ProductTable,
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


class _Made(dict[int, Any]):
    """What is made when it is asked for, once."""

    def __init__(self, make: Callable[[int], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, place: int) -> Any:
        found = self[place] = self._make(place)
        return found


class _Upsert:
    """One call of :func:`upsert`."""

    def __init__(
        self, rows: Sequence[ProductRow] | ProductTable, organization: UUID | None
    ) -> None:
        self._organization = organization
        self._table = rows if isinstance(rows, ProductTable) else None
        self._count = len(rows)
        # Of a table just those rows are made that something is to be written of.
        self._rows: Mapping[int, ProductRow] = _Made(rows.__getitem__)
        self._values: Mapping[int, Mapping[str, Any]] = _Made(self._valued)
        listed = () if isinstance(rows, ProductTable) else rows
        self._keys = [sku_key(row.sku) for row in listed]
        if self._table is not None:
            self._keys = [sku_key(row[0]) for row in self._table.rows]
        named = [sku_key(item["sku"]) for row in listed for item in row.variants or ()]
        skus.hold_keys([*named, *self._keys], of_variants=bool(named))
        self._stamp = now()
        self._currency = setting("products.currency")
        found = categories(self._named_categories(), make=organization is None)
        self._categories = {slug: key for slug, (key, _) in found.items()}
        self._names = dict(found.values())
        self._new: set[int] = set()
        self._amounts: dict[int, bulk_amounts.Amounts] = {}

    def _named_categories(self) -> set[Any]:
        if self._table is None:
            return {self._rows[place].fields.get("category") for place in range(self._count)}
        if "category" not in self._table.fields:
            return set()
        at = self._table.fields.index("category") + 1
        return {row[at] for row in self._table.rows}

    def run(self, source: str) -> list[Outcome]:
        outcomes = [_UNCHANGED] * self._count
        # In one order, as everybody who makes several: so none wait for each other in a ring.
        places = sorted(self._new | self._differing(), key=self._keys.__getitem__)
        self._look_up(places)
        for place in sorted(places):
            outcomes[place] = self._judge(place)
        written = [place for place in places if outcomes[place] in (_CREATED, _UPDATED)]
        ids = self._write(written)
        self._ids = dict(zip(written, ids, strict=True))
        self._ids |= self._write_amounts(outcomes)
        told = ((key, outcomes[place].status) for place, key in self._ids.items())
        events.publish_many(told, source)
        events.publish_pictures(self._pictures(outcomes), source)
        return outcomes

    def _pictures(self, outcomes: Sequence[Outcome]) -> Iterator[tuple[UUID, Picture]]:
        """Yield the pictures of rows that were not refused."""
        if self._table is not None:
            return
        shown = {
            self._keys[place]: pictures
            for place in range(self._count)
            if (pictures := self._rows[place].pictures) and outcomes[place].status != "refused"
        }
        for some in portions(shown):
            query = Product.select(Product.sku_key, Product.id)
            for key, product in query.where(among(Product.sku_key, some)).tuples():
                yield from ((product, picture) for picture in shown[key])

    def changes(self, outcomes: Sequence[Outcome]) -> Iterator[Change]:
        """Yield what was written."""
        more = {
            self._ids[place]: self._rows[place]
            for place, outcome in enumerate(outcomes)
            if outcome is _UPDATED and place not in self._amounts and self._rows[place].extensions
        }
        self._changed = self._companions.changed(more)
        for place, outcome in enumerate(outcomes):
            if outcome is _CREATED:
                yield Change(self._ids[place], self._stamp, None)
            elif outcome is _UPDATED:
                yield Change(self._ids[place], self._stamp, self._before(place))

    def _before(self, place: int) -> dict[str, Any]:
        if (plain := self._amounts.get(place)) is not None:
            return plain.before
        old, row = self._existing[self._keys[place]], self._rows[place]
        before = {"sku": old["sku"]} | {name: old[name] for name in self._values[place]}
        if before.get("category") is not None:
            before["category"] = before["category"].hex
        before |= {} if row.variants is None else {"variants": old["variants"]}
        before |= {} if row.tags is None else {"tags": old["tag_names"] or []}
        added = self._changed.get(old["id"])
        return before | ({"extensions": added} if added else {})

    def _valued(self, place: int) -> Mapping[str, Any]:
        values = self._rows[place].fields
        if "category" in values:
            return {**values, "category": self._category(values["category"])}
        return values

    def _category(self, name: str | UUID | None) -> UUID | None:
        if name is None or isinstance(name, UUID):
            return name
        return self._categories.get(slug_of(name)) if name else None

    def _differing(self) -> set[int]:
        """Return the places of rows whose products are there, but perhaps not as they say.

        Those that say more than a product's own columns are looked at one by one.
        """
        if self._table is not None:
            return self._sorted_out(self._unlike(self._table.fields, self._compared(), said=False))
        groups: dict[tuple[str, ...], list[int]] = {}
        more: set[int] = set()
        for place in range(self._count):
            row, values = self._rows[place], self._values[place]
            if row.variants is not None or row.extensions or row.tags is not None:
                more.add(place)
            else:
                groups.setdefault(tuple(values), []).append(place)
        for names, places in groups.items():
            rows = [
                (self._keys[place], self._rows[place].sku, *self._values[place].values())
                for place in places
            ]
            found = self._unlike(names, rows)
            more |= self._sorted_out((places[place], key) for place, key in found)
        return more

    def _sorted_out(self, unlike: Iterable[tuple[int, Any]]) -> set[int]:
        """Note which rows are new; return the places of the others."""
        there: set[int] = set()
        for place, key in unlike:
            (self._new if key is None else there).add(place)
        return there - self._amounts.keys()

    def _compared(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of the table as they are compared."""
        assert self._table is not None
        keyed = zip(self._keys, self._table.rows, strict=True)
        if "category" not in self._table.fields:
            yield from ((key, *row) for key, row in keyed)
            return
        at = self._table.fields.index("category") + 1
        for key, row in keyed:
            name = row[at]
            # What is not there differs from everything, and is refused then.
            category = (self._category(name) or _NOWHERE) if name else None
            yield (key, *row[:at], category, *row[at + 1 :])

    def _unlike(
        self, names: tuple[str, ...], rows: Iterable[tuple[Any, ...]], *, said: bool = True
    ) -> list[tuple[int, Any]]:
        """Return which of some rows with the same fields are not there as they are.

        That is their places among them, with the ids of their products.

        Args:
            said: whether a field that is None says so.
        """
        differ = "IS DISTINCT FROM" if database.obj.for_update else "IS NOT"
        meant, unlike = {}, {}
        for name in ("sku", *names):
            column = Product._meta.fields[name].column_name
            meant[name] = f"staged.{column}"
            if not said and name not in EMPTIED:
                meant[name] = f"COALESCE({meant[name]}, item.{column})"
            unlike[name] = f"item.{column} {differ} {meant[name]}"
        values, conditions = [], list(unlike.values())
        if self._organization is not None:
            conditions.append(f"item.organization {differ} {database.obj.param}")
            values.append(Product.organization.db_value(self._organization))
        with staged(Product, ("sku_key", "sku", *names), rows) as table:
            found: list[tuple[int, Any]] = database.execute_sql(
                f"SELECT staged.place, item.id FROM {table} AS staged "
                "LEFT JOIN products_product item ON item.sku_key = staged.sku_key "
                f"WHERE item.id IS NULL OR {' OR '.join(conditions)}", values
            ).fetchall()  # fmt: skip
            if self._table is not None and self._organization is None:
                there = [place for place, key in found if key is not None]
                self._amounts = bulk_amounts.differing(table, meant, unlike, there)
        return found

    def _look_up(self, places: list[int]) -> None:
        """Read what rows are judged by, and lock the products that are there."""
        rows, keys = [self._rows[at] for at in places], [self._keys[at] for at in places]
        # Who has a SKU that is held cannot change: what is new is not looked for again.
        there = [self._keys[place] for place in places if place not in self._new]
        given = {name for place in places for name in self._values[place]}
        self._given = tuple(name for name in (*_COLUMNS, *_FURTHER) if name in given)
        tagged = any(row.tags is not None for row in rows)
        self._existing = existing(there, (*self._given, "tag_names") if tagged else self._given)
        self._differ: set[str] = set()
        if any(row.variants is not None for row in rows):
            add_variants(self._existing)
        self._slugs = slug_owners(rows)
        self._claims = bulk_variants.Claims(rows, keys)
        self._companions = Companions(rows, [old["id"] for old in self._existing.values()])

    def _judge(self, place: int) -> Outcome:
        row, key, values = self._rows[place], self._keys[place], self._values[place]
        old = self._existing.get(key)
        if fault := self._fault(row, key, values, old):
            return Outcome("refused", *fault)
        if old is None:
            return _CREATED
        differ = [name for name, value in values.items() if old[name] != value]
        differ += ["sku"] if old["sku"] != row.sku else []
        if differ:
            self._differ.update(differ)
            return _UPDATED
        if row.variants is not None and old["variants"] != [plain(v) for v in row.variants]:
            return _UPDATED
        if row.tags is not None and bulk_tags.differ(row.tags, old["tag_names"]):
            return _UPDATED
        return _UPDATED if self._companions.differ(row, old["id"]) else _UNCHANGED

    def _fault(
        self, row: ProductRow, key: str, values: Mapping[str, Any], old: dict[str, Any] | None
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
        self, row: ProductRow, values: Mapping[str, Any], old: dict[str, Any] | None
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
            name in given and given[name] != old[name] for name in _READ
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
        """Change just the columns that some row has otherwise."""
        names = [name for name in self._given if name in self._differ]
        named = bool(self._differ & {"name", "sku"})
        fields = ("id", *names, *(("sku", "search_text") if named else ()))
        rows = [self._changes(place, names, named=named) for place in places]
        if rows:
            update_rows(Product, fields, rows, same={"updated_at": self._stamp})
        down = [old["id"] for old in self._existing.values() if old["taken_down_at"] is not None]
        if down:
            again = Product.is_active & among(Product.id, down)
            Product.update(taken_down_at=None).where(again).execute()

    def _write_amounts(self, outcomes: list[Outcome]) -> dict[int, UUID]:
        """Write amounts that differ, just the columns that some row has otherwise."""
        found = self._amounts
        names = bulk_amounts.amounts_of(self._table.fields) if self._table and found else ()
        differ = [
            (at, name)
            for at, name in enumerate(names)
            if any(item.before[name] != item.after[at] for item in found.values())
        ]
        rows = [(item.id, *[item.after[at] for at, _ in differ]) for item in found.values()]
        if rows:
            fields, same = ("id", *(name for _, name in differ)), {"updated_at": self._stamp}
            update_rows(Product, fields, rows, same=same)
        for place in found:
            outcomes[place] = _UPDATED
        return {place: item.id for place, item in found.items()}

    def _changes(self, place: int, names: Iterable[str], *, named: bool) -> list[Any]:
        row, values = self._rows[place], self._values[place]
        old = self._existing[self._keys[place]]
        kept = [values.get(name, old[name]) for name in names]
        if named:
            kept += [row.sku, search_text(values.get("name") or old["name"], row.sku)]
        return [old["id"], *kept]

    def _remember_slugs(self, places: list[int]) -> None:
        given = {at: slug for at in places if (slug := self._values[at].get("slug"))}
        for some in portions(given.values()):
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
