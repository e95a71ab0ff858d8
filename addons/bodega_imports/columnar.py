"""Reads plain tables a batch at a time, column by column: several times as fast as cell by cell.

Plain is a file whose records are a product each and say nothing but values of it. A record
that has something wrong with it, or is read otherwise, is left to :mod:`bodega_imports.rows`,
so that there is one place that says what is wrong.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from bodega_imports.columns import LONGEST, BadCell, Layout, Parse, parsers
from bodega_imports.formulas import restore
from bodega_imports.records import BrokenRecord, Record
from bodega_imports.rows import KEYS, Folded, Row, RowError, Rows

#: Records that are read at once.
BATCH = 1000
#: Columns that are more than a value.
_FURTHER = {"status", "sale_price", "variants", "images", "tags", "handle"}
#: Columns in which few values come again and again.
_ALIKE = {
    "price", "compare_at_price", "cost", "currency", "category", "is_active", "is_featured",
    "is_digital", "weight", "length", "width", "height",
}  # fmt: skip
_MOST_KEPT = 20_000
#: What products call otherwise.
_CALLED = {"compare_at_price_minor": "compare_at_minor"}
#: Reads the cells of a column; raises :class:`BadCell` when one cannot be used.
_ParseAll = Callable[[Sequence[str]], Sequence[Any]]
#: The line of a row, and its SKU and values.
_Read = tuple[int, Any]
#: The rows among some records, in their order, and what the others are.
Batch = tuple[Sequence[_Read], Sequence[RowError | Folded]]


def fits(layout: Layout, extensions: Iterable[str]) -> bool:
    """Whether a layout is plain."""
    further = _FURTHER | set(extensions)
    return not layout.grouped and not layout.options and not further & layout.columns.keys()


class PlainTable:
    """The rows of a file of a plain layout.

    Args:
        currency_exponent: how many decimals the currency has.
        escaped: whether cells are as :func:`bodega_imports.formulas.escape` writes them.

    Attributes:
        fields: what the values of a row behind its SKU are.
        bad: the records that cannot be used since it was emptied, as they are in the file.
    """

    def __init__(self, layout: Layout, currency_exponent: int, *, escaped: bool = False) -> None:
        self._escaped = escaped
        self._width = len(layout.header)
        self.bad: list[Record] = []
        self._single = Rows(layout, currency_exponent, {})
        known = parsers(layout.format, currency_exponent)
        names = ["sku", *(name for name in layout.columns if name != "sku")]
        self._columns = [(layout.columns[name], *_readers(name, known[name])) for name in names]
        self._keys = tuple(KEYS.get(name, name) for name in names[1:])
        self.fields = tuple(_CALLED.get(key, key) for key in self._keys)

    def read(self, records: Iterable[Record]) -> Iterator[Batch]:
        """Yield what the records are, some at a time."""
        records = iter(records)
        while batch := list(islice(records, BATCH)):
            yield self._read(batch)

    def _read(self, batch: list[Record]) -> Batch:
        width = self._width
        even = [record for record in batch if len(record[1]) == width]
        bad: set[int] = set()
        columns = [
            self._seen(column, bad) for column in zip(*(values for _, values in even), strict=True)
        ]
        found = [_column(columns[at], one, many, bad) for at, one, many in self._columns if even]
        rows = list(zip((record[0] for record in even), zip(*found, strict=True), strict=False))
        if not bad and len(even) == len(batch):
            return rows, []
        return self._put_together(batch, even, rows, bad)

    def _seen(self, column: Sequence[str], bad: set[int]) -> Sequence[str]:
        """Return the texts of a column; add the places of those with NUL to ``bad``."""
        text = "".join(column)
        if "\0" in text:
            bad.update(at for at, cell in enumerate(column) if "\0" in cell)
        return [restore(cell) for cell in column] if self._escaped and "'" in text else column

    def _put_together(
        self, batch: list[Record], even: list[Record], rows: list[_Read], bad: set[int]
    ) -> Batch:
        """Return what a batch is in its order, the odd ones among it read singly."""
        good = {id(record): rows[at] for at, record in enumerate(even) if at not in bad}
        read, wrong = [], []
        for record in batch:
            item = good.get(id(record)) or self._alone(record)
            if isinstance(item, RowError):
                wrong.append(item)
                self.bad.append(record)
            else:
                read.append(item)
        return read, wrong

    def _alone(self, record: Record) -> _Read | RowError:
        """Read a record by itself; it may still be good, e.g. with blank cells behind it."""
        if self._escaped and not isinstance(record, BrokenRecord):
            record = Record(record.line, [restore(cell) for cell in record.values])
        found = self._single.begin(record)
        if isinstance(found, RowError):
            return found
        assert isinstance(found, Row)
        return record.line, (found.sku, *(found.fields.get(key) for key in self._keys))


def _column(cells: Sequence[str], one: Parse, many: _ParseAll, bad: set[int]) -> Sequence[Any]:
    """Read the cells of a column; add the places of those that cannot be used to ``bad``."""
    try:
        return many(cells)
    except BadCell:
        pass
    values: list[Any] = []
    for at, cell in enumerate(cells):
        try:
            values.append(one(cell))
        except BadCell:
            bad.add(at)
            values.append(None)
    return values


def _readers(name: str, parse: Parse) -> tuple[Parse, _ParseAll]:
    """Return how one cell of a column is read, and how many are."""
    if name in LONGEST:
        return parse, _texts(LONGEST[name])
    if name == "description":
        return parse, _descriptions(parse)
    if name in _ALIKE:
        kept = _Kept(parse)
        return kept.__getitem__, kept.all
    return parse, lambda cells: [parse(cell) for cell in cells]


def _texts(longest: int) -> _ParseAll:
    def read(cells: Sequence[str]) -> Sequence[str]:
        values = [cell.strip() for cell in cells]
        if not all(values) or max(map(len, values)) > longest:
            raise BadCell
        return values

    return read


def _descriptions(parse: Parse) -> _ParseAll:
    def read(cells: Sequence[str]) -> Sequence[Any]:
        # Read as they are; the longest is the one that may be too long.
        parse(max(cells, key=len))
        return cells

    return read


class _Kept(dict[str, Any]):
    """What cells read as, by their texts."""

    def __init__(self, parse: Parse) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, cell: str) -> Any:
        value = self[cell] = self._parse(cell)
        return value

    def all(self, cells: Sequence[str]) -> Sequence[Any]:
        """Read the cells of a column."""
        if len(self) > _MOST_KEPT:
            self.clear()
        return [self[cell] for cell in cells]
