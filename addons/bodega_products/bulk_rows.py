"""What is written to many products at once, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


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
            variants and tags if they were, as they had been, and as JSON can say it; of what
            addons add to it, also what it became.
    """

    product: UUID
    stamp: datetime
    before: Mapping[str, Any] | None


class ProductTable:
    """Products to make or change that all say the same: faster than a row of each.

    Args:
        fields: out of those of :class:`ProductRow`.
        rows: of each the SKU, and a value of each field. None says nothing, but of
            ``compare_at_minor``, which it empties. Categories are names.
    """

    def __init__(self, fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.fields, self.rows = tuple(fields), rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> ProductRow:
        sku, *values = self.rows[place]
        said = dict(zip(self.fields, values, strict=True))
        if None in values:
            said = {k: v for k, v in said.items() if v is not None or k in EMPTIED}
        return ProductRow(sku, said)


#: Fields that None empties.
EMPTIED = ("compare_at_minor",)
