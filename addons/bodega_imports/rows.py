"""Turns records into validated products.

Every record yields exactly one of :class:`Row` (it begins a product), :class:`Folded` (it
adds a variant or an image to the product begun above it) and :class:`RowError`. In a
grouped layout consecutive rows of one handle are one product, whose Row comes last.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bodega_imports.columns import MOST_IMAGES, BadCell, Layout, Parse, parsers, text
from bodega_imports.records import BrokenRecord, Record

#: Variants of one product; they are kept in memory until its group ends.
MOST_VARIANTS = 2048

# Key of the field, index of its column, how it reads; a key of "" means: only to be checked.
_Cell = tuple[str, int, Parse]
KEYS = {
    "price": "price_minor", "compare_at_price": "compare_at_price_minor", "handle": "",
    "cost": "cost_minor", "weight": "weight_grams", "length": "length_millimetres",
    "width": "width_millimetres", "height": "height_millimetres",
}  # fmt: skip
_OF_IMAGES = {"image_url", "image_alt"}
_OF_VARIANTS = {"", "sku", "price_minor", "compare_at_price_minor", "sale_price", *_OF_IMAGES}
_NULLABLE = {"compare_at_price_minor", "sale_price"}


@dataclass(frozen=True, slots=True)
class RowError:
    """A record that cannot be used: its first bad column, and ``others`` likewise.

    ``column`` is empty when the whole record is broken; ``value`` shows NUL as ``␀``.
    """

    line: int
    column: str
    value: str
    reason: str
    others: tuple[tuple[str, str, str], ...] = ()


@dataclass(slots=True)
class Row:
    """A valid product; ``fields`` has those for which the file has a column.

    Blank cells leave out slug, currency, category, is_active and image_url. In a grouped
    layout ``variants`` has one or more of ``{"sku", "options", "price_minor"}``; ``images`` has
    addresses, and what each shows in words.
    """

    line: int
    sku: str
    fields: dict[str, object]
    variants: list[dict[str, object]] = field(default_factory=list)
    images: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Folded:
    """The record at ``line`` belongs to the product begun at ``into_line``."""

    line: int
    into_line: int


@dataclass(slots=True)
class _Group:
    handle: str
    first: Record
    row: Row | None


def read_rows(
    file: Iterable[Record],
    layout: Layout,
    currency_exponent: int = 2,
    extensions: Mapping[str, Parse] | None = None,
) -> Iterator[Row | RowError | Folded]:
    """Read products out of records.

    Args:
        currency_exponent: how many decimals the currency has.
        extensions: how cells of columns that addons add are read, by column.
    """
    rows = Rows(layout, currency_exponent, extensions or {})
    return rows.grouped(file) if layout.grouped else map(rows.begin, file)


class Rows:
    """Reads records one at a time; see :func:`read_rows`."""

    def __init__(self, layout: Layout, exponent: int, extensions: Mapping[str, Parse]) -> None:
        self._header, self._options, self._grouped = layout.header, layout.options, layout.grouped
        self._handle = handle = layout.columns.get("handle", 0)
        # A handle is the product's address, and stands in for the SKUs a file lacks.
        columns = ({"sku": handle, "slug": handle} if layout.grouped else {}) | layout.columns
        if "sale_price" in columns:
            # So that a blank sale price clears the price of before the sale.
            columns.setdefault("compare_at_price", columns["sale_price"])
        self._sku = columns["sku"]
        known = parsers(layout.format, exponent, extensions)
        self._cells = [(KEYS.get(name, name), at, known[name]) for name, at in columns.items()]
        self._of_variants = [cell for cell in self._cells if cell[0] in _OF_VARIANTS]
        telling = {self._sku, columns.get("price", handle)} - {handle}
        self._telling = [*telling, *(value for _, value in layout.options)]

    def grouped(self, file: Iterable[Record]) -> Iterator[Row | RowError | Folded]:
        group = _Group("", Record(0, []), None)
        for record in file:
            broken = isinstance(record, BrokenRecord)
            handle = "" if broken else "".join(record.values[self._handle :][:1]).strip()
            if handle and handle == group.handle:
                yield self._misfit(record) or self._further(record, group)
                continue
            begun = self.begin(record)
            if handle:
                yield from filter(None, [group.row])
                group = _Group(handle, record, begun if isinstance(begun, Row) else None)
            if isinstance(begun, RowError):
                yield begun
        yield from filter(None, [group.row])

    def begin(self, record: Record) -> Row | RowError:
        if misfit := self._misfit(record):
            return misfit
        values, cells, variants = record.values, self._cells, []
        if self._grouped:
            values = self._filled(values, values)
            cells = cells + self._option_cells(values)
        try:
            fields = _take(values, cells)
        except BadCell:
            return self._error(record.line, values, cells)
        if self._grouped:
            variants = [self._variant(values, fields)]
        listed: list[dict[str, object]] = fields.pop("variants", variants)  # type: ignore[assignment]
        images = _images(fields, self._grouped)
        return Row(record.line, str(fields.pop("sku")), fields, listed, images)

    def _further(self, record: Record, group: _Group) -> Folded | RowError:
        line, begun = record.line, group.first.line
        if not group.row or len(group.row.variants) >= MOST_VARIANTS:
            why = f"has {MOST_VARIANTS:,} variants already" if group.row else "has errors: mend it"
            reason = f"its product begins on line {begun}, which {why}"
            return RowError(line, self._name(self._handle), _shown(group.handle), reason)
        is_variant = any(record.values[at].strip() for at in self._telling)
        values = self._filled(record.values, group.first.values)
        cells = self._of_variants + self._option_cells(values)
        cells = cells if is_variant else [cell for cell in cells if cell[0] in _OF_IMAGES]
        try:
            fields = _take(values, cells)
        except BadCell:
            return self._error(line, values, cells)
        if is_variant:
            group.row.variants.append(self._variant(values, fields))
        if len(group.row.images) < MOST_IMAGES:
            group.row.images += _images(fields, True)
        return Folded(line, begun)

    def _filled(self, values: list[str], first: list[str]) -> list[str]:
        values = values.copy()
        values[self._sku] = values[self._sku].strip() or values[self._handle]
        for name, _ in self._options:
            values[name] = values[name].strip() or first[name]
        return values

    def _option_cells(self, values: list[str]) -> list[_Cell]:
        given = [pair for pair in self._options if values[pair[1]].strip()]
        return [("", at, text(255)) for pair in given for at in pair]

    def _variant(self, values: list[str], fields: dict[str, object]) -> dict[str, object]:
        pairs = [(values[name].strip(), values[value].strip()) for name, value in self._options]
        # Shopify marks a product without options by the option Title: Default Title.
        options = {name: v for name, v in pairs if v and (name, v) != ("Title", "Default Title")}
        own = {key: fields[key] for key in ("sku", "price_minor") if key in fields}
        return own | {"options": options}

    def _misfit(self, record: Record) -> RowError | None:
        line, values, width = record.line, record.values, len(self._header)
        if len(values) == width:
            return None
        if isinstance(record, BrokenRecord):
            return RowError(line, "", _shown(values[0]), record.reason)
        reason = f"the row has {len(values)} cells, the header has {width}"
        if len(values) < width:
            return RowError(line, self._name(len(values)), "", reason)
        surplus = next(filter(str.strip, values[width:]), "")
        return RowError(line, self._name(width), _shown(surplus), reason) if surplus else None

    def _error(self, line: int, values: list[str], cells: list[_Cell]) -> RowError:
        found = {at: "expected no NUL character" for at, cell in enumerate(values) if "\0" in cell}
        for _, at, parse in cells:
            try:
                parse(values[at])
            except BadCell as error:
                found.setdefault(at, str(error))
        problems = [(self._name(at), _shown(values[at]), found[at]) for at in sorted(found)]
        return RowError(line, *problems[0], tuple(problems[1:]))

    def _name(self, at: int) -> str:
        return "".join(self._header[at : at + 1]) or f"(column {at + 1})"


def _shown(value: str) -> str:
    return value[:200].replace("\0", "␀")


def _images(fields: dict[str, object], alone: bool) -> list[tuple[str, str]]:
    """Take the images out of what a record says.

    Args:
        alone: whether its one address counts too: the others stand in records of their own.
    """
    alt, listed = fields.pop("image_alt", None), fields.pop("images", None) or []
    found = {str(url): "" for url in listed}  # type: ignore[attr-defined]
    if found:
        fields.setdefault("image_url", next(iter(found)))
    if alone and "image_url" in fields:
        found = {str(fields["image_url"]): str(alt or "")} | found
    return list(found.items())


def _take(values: list[str], cells: list[_Cell]) -> dict[str, object]:
    if "\0" in "".join(values):
        raise BadCell
    fields: dict[str, object] = {}
    for key, at, parse in cells:
        value = parse(values[at])
        if key and (value is not None or key in _NULLABLE):
            fields[key] = value
    if "status" in fields:
        fields["is_active"] = fields.pop("status") and fields.get("is_active", True)
    if (sale := fields.pop("sale_price", None)) is not None:
        fields |= {"compare_at_price_minor": fields.get("price_minor"), "price_minor": sale}
    return fields
