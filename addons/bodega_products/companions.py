"""What other addons add to products, for many products at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bodega_sdk import Companion, extensions_of
from bodega_sdk.errors import InvalidInput

if TYPE_CHECKING:
    from bodega_products.bulk_rows import ProductRow


class Companions:
    """The companions of the products that are there already, and those to write."""

    def __init__(self, rows: Sequence["ProductRow"], there: Iterable[UUID]) -> None:
        named = {addon for row in rows for addon in row.extensions}
        found = extensions_of("products.product") if named else ()
        self._models: dict[str, type[Companion]] = {
            item.addon: item.model for item in found if item.addon in named
        }
        there = list(there)
        self._old = {addon: model.read_many(there) for addon, model in self._models.items()}

    def fault(self, row: "ProductRow") -> tuple[str, str] | None:
        """Return the column and the reason for which a row's members cannot be used."""
        for addon, members in row.extensions.items():
            if addon not in self._models:
                return addon, f"no enabled addon of the name {addon!r} extends products"
            try:
                self._models[addon].loaded(members, None)
            except InvalidInput as error:
                if not error.errors:
                    return addon, error.detail
                return f"{addon}.{error.errors[0].field}", error.errors[0].message
        return None

    def differ(self, row: "ProductRow", key: UUID) -> bool:
        """Whether a row would change the companions of the product with this id."""
        return any(
            getattr(self._old[addon][key], name) != value
            for addon, members in row.extensions.items()
            for name, value in self._models[addon].loaded(members, None).items()
        )

    def write(self, rows: Mapping[UUID, "ProductRow"]) -> None:
        """Write the companions of products by their ids."""
        for addon, model in self._models.items():
            values: dict[UUID, dict[str, Any]] = {
                key: model.loaded(row.extensions[addon], None)
                for key, row in rows.items()
                if addon in row.extensions
            }
            model.write_many(values)
