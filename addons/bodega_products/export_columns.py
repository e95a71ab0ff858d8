"""The columns of products in a file: what they are called, and where their values come from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import peewee

from bodega_products.models import Category, Product
from bodega_products.schemas import ProductSchema
from bodega_sdk import Companion, Extension, UTCDateTimeField, extensions_of

#: Key of a member's metadata: the permission without which it is not shown.
_PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of products in a file.

    Args:
        name: of the column, e.g. ``compare_at_price`` or ``loyalty.points``.
        kind: ``text``, ``integer``, ``boolean``, ``amount``, ``uuid``, ``instant``, ``names``
            or ``variants``.
        value: the peewee expression that it is.
        usual: whether it is there when no columns are named.
        permission: what whoever exports it must hold; empty for everybody's.
        extension: what it is of; None for the product itself.
    """

    name: str
    kind: str
    value: Any
    usual: bool = False
    permission: str = ""
    extension: Extension | None = None

    @property
    def free(self) -> bool:
        """Whether its text may begin with anything."""
        return self.kind in ("text", "names")


#: Those that an import takes, in their order.
_USUAL = (
    ("sku", "text", Product.sku),
    ("name", "text", Product.name),
    ("slug", "text", Product.slug),
    ("description", "text", Product.description),
    ("price", "amount", Product.price_minor),
    ("compare_at_price", "amount", Product.compare_at_minor),
    ("currency", "text", Product.currency.cast("TEXT")),
    ("category", "text", Category.name),
    ("image_url", "text", Product.image_url),
    ("is_active", "boolean", Product.is_active),
)
_MORE = (
    ("cost", "amount", Product.cost_minor),
    ("tags", "names", Product.tag_names),
    ("is_featured", "boolean", Product.is_featured),
    ("is_digital", "boolean", Product.is_digital),
    ("weight_grams", "integer", Product.weight_grams),
    ("length_millimetres", "integer", Product.length_millimetres),
    ("width_millimetres", "integer", Product.width_millimetres),
    ("height_millimetres", "integer", Product.height_millimetres),
    ("meta_title", "text", Product.meta_title),
    ("meta_description", "text", Product.meta_description),
    ("popularity", "integer", Product.popularity),
    ("organization", "uuid", Product.organization),
    ("id", "uuid", Product.id),
    ("created_at", "instant", Product.created_at),
    ("updated_at", "instant", Product.updated_at),
)
#: Kind of a column of a companion table → kind of a column of a file.
_KINDS: Mapping[type[peewee.Field], str] = {
    peewee.BooleanField: "boolean",
    peewee.IntegerField: "integer",
    peewee.UUIDField: "uuid",
    UTCDateTimeField: "instant",
    peewee.CharField: "text",
    peewee.TextField: "text",
}


def export_columns() -> dict[str, ExportColumn]:
    """Return the columns that products have, by name: those that an import takes come first."""
    members = ProductSchema().fields
    needed = {name: item.metadata.get(_PERMISSION, "") for name, item in members.items()}
    found = [
        *(ExportColumn(*item, usual=True) for item in _USUAL),
        *(column for item in extensions_of("products.product") for column in _added(item)),
        ExportColumn("variants", "variants", Product.id, usual=True),
        *(ExportColumn(*item, permission=needed.get(item[0], "")) for item in _MORE),
    ]
    return {column.name: column for column in found}


def _added(extension: Extension) -> Iterable[ExportColumn]:
    """Yield the columns that an addon adds: those that it also reads from a file."""
    members = extension.schema().load_fields
    for name in extension.columns():
        member = members[name.partition(".")[2]]
        field = extension.model._meta.fields.get(member.attribute or name.partition(".")[2])
        kind = next((kind for known, kind in _KINDS.items() if isinstance(field, known)), None)
        # What is not kept as it is shown is its addon's business alone.
        if kind is not None:
            value = _with_default(extension.model, field)
            needed = member.metadata.get(_PERMISSION, "")
            yield ExportColumn(name, kind, value, True, needed, extension)


def _with_default(model: type[Companion], field: Any) -> Any:
    """Return a companion's field, its default where a product has no companion."""
    default = field.default() if isinstance(field.default, Callable) else field.default  # type: ignore[arg-type]
    if default is None:
        return field
    own = model._meta.primary_key
    there = peewee.Value(field.db_value(default), converter=False)
    return peewee.Case(None, [(own.is_null(), there)], field).coerce(False)
