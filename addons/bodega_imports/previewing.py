"""The preview of an import: the first rows of a file, and what would become of them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from bodega_imports import importing, profiles
from bodega_imports.columns import Layout, UnrecognisedColumns
from bodega_imports.formulas import records_of
from bodega_imports.profiles import How
from bodega_imports.records import Table, UnreadableFile
from bodega_imports.resources import ALL, Imports, withheld_from
from bodega_imports.rows import Folded, Row, RowError, read_rows
from bodega_imports.upload import received
from bodega_products import api as products
from bodega_sdk import Request, Route, setting, transaction
from bodega_sdk.errors import FieldError, InvalidInput
from bodega_sdk.money import decimal_text, exponent
from bodega_sdk.schemas import Dict, Integer, List, Nested, Schema, String

#: Rows that are shown; records that are read for them at most; bytes that are unpacked.
SHOWN, _READ, _UNPACKED = 20, 2000, 100_000_000


class ColumnSchema(Schema):
    """A column of the file."""

    name = String()
    field = String(metadata={"description": "What it is taken for; empty: it is not used."})
    sample = String(metadata={"description": "The first value that is not blank."})


class PreviewRowSchema(Schema):
    """A row of the file, and what would become of it."""

    line = Integer()
    outcome = String(metadata={"enum": ["created", "updated", "unchanged", "refused"]})
    sku = String()
    values = Dict(metadata={"description": "As they are read, by field."})
    column = String(metadata={"description": "Which column is wrong, of a refused row."})
    reason = String(metadata={"description": "Why it is refused."})


class PreviewSchema(Schema):
    """The beginning of a file, as an import would read it."""

    kind = String(metadata={"enum": ["csv", "xlsx", "jsonl"]})
    format = String(metadata={"description": "bodega, shopify, woocommerce, magento or generic."})
    encoding = String()
    delimiter = String()
    columns = List(Nested(ColumnSchema))
    rows = List(Nested(PreviewRowSchema))


class _Undone(Exception):
    """The rows were only tried."""


def preview(
    path: Path, filename: str, how: How, organization: UUID | None, barred: Mapping[str, str]
) -> dict[str, Any]:
    """Return the first rows of a file, and what an import would make of them.

    Raises:
        UnreadableFile, UnrecognisedColumns, ForbiddenColumn: as the import would say.
    """
    with importing.opened(path, filename, how, _UNPACKED) as (file, layout):
        importing.refuse(layout, barred)
        records = list(islice(records_of(file, layout.format), _READ))
    rows = _tried(list(_rows(records, layout)), layout, organization)
    return {
        "kind": file.kind, "format": layout.format, "encoding": file.encoding,
        "delimiter": file.delimiter, "columns": _columns(file, layout, records), "rows": rows,
    }  # fmt: skip


def _rows(records: Iterable[Any], layout: Layout) -> Iterator[Row | RowError]:
    places = exponent(setting("products.currency"))
    items = read_rows(records, layout, places, importing.extension_cells())
    return islice((item for item in items if not isinstance(item, Folded)), SHOWN)


def _tried(
    items: list[Row | RowError], layout: Layout, organization: UUID | None
) -> list[dict[str, Any]]:
    """Write the rows, see what comes of it, and roll it back."""
    good = [item for item in items if isinstance(item, Row)]
    # Of several rows with one SKU the last one counts; the others are shown as it.
    last = {products.sku_key(item.sku): item for item in good}
    outcomes: dict[str, products.Outcome] = {}
    with suppress(_Undone), transaction():
        found = products.upsert(
            [importing.product_row(item, layout) for item in last.values()], "preview", organization
        )
        outcomes = dict(zip(last, found, strict=True))
        raise _Undone
    return [_shown(item, outcomes) for item in items]


def _shown(item: Row | RowError, outcomes: Mapping[str, products.Outcome]) -> dict[str, Any]:
    if isinstance(item, RowError):
        return {
            "line": item.line, "outcome": "refused", "sku": "", "values": {item.column: item.value},
            "column": item.column, "reason": item.reason,
        }  # fmt: skip
    outcome = outcomes[products.sku_key(item.sku)]
    values = _decimal(item.fields)
    if item.variants:
        values["variants"] = [_decimal(variant) for variant in item.variants]
    return {
        "line": item.line, "outcome": outcome.status, "sku": item.sku, "values": values,
        "column": outcome.column, "reason": outcome.reason,
    }  # fmt: skip


def _decimal(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with amounts as people write them."""
    currency = setting("products.currency")
    return {
        name.removesuffix("_minor"): decimal_text(value, currency)
        if name.endswith("_minor") and value is not None
        else value
        for name, value in values.items()
    }


def _columns(file: Table, layout: Layout, records: Iterable[Any]) -> list[dict[str, str]]:
    meant = {at: name for name, at in layout.columns.items()}
    meant |= {at: "options" for pair in layout.options for at in pair}
    samples: dict[int, str] = {}
    for record in records:
        for at, value in enumerate(record.values):
            if at not in samples and value.strip():
                samples[at] = value.strip()[:200].replace("\0", "␀")
    return [
        {"name": name, "field": meant.get(at, ""), "sample": samples.get(at, "")}
        for at, name in enumerate(file.header)
    ]


def _preview(request: Request) -> dict[str, Any]:
    organization, how = Imports().whose(request), profiles.how_of(request)
    with received(request) as (name, _, path):
        try:
            return preview(path, name, how, organization, withheld_from(request.identity))
        except (UnreadableFile, UnrecognisedColumns, importing.ForbiddenColumn) as error:
            raise InvalidInput(str(error), [FieldError("file", str(error), name)]) from None


PREVIEW = Route(
    "POST", "/imports/preview", _preview, "imports.write", "See what an import would do",
    description=f"Send a file as for `POST /imports`: its first {SHOWN} products come back, with "
    "what its columns are taken for and what would become of each. Nothing is changed.",
    media="multipart/form-data", largest=10_000_000_000, returns=PreviewSchema,
    parameters=profiles.PARAMETERS, objects="organization", beyond=ALL,
)  # fmt: skip
