"""What other addons add to products, for many products at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from bodega_sdk import Companion, extensions_of
from bodega_sdk.errors import InvalidInput

if TYPE_CHECKING:
    from bodega_products.bulk_rows import ProductRow

#: What was changed of one product's companions: by addon and field, what it had been and what it
#: was from then on, as JSON can say it.
Changed = Mapping[str, Mapping[str, Sequence[Any]]]


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

    def changed(self, rows: Mapping[UUID, "ProductRow"]) -> Mapping[UUID, Changed]:
        """Return what was changed of companions that were written, by the ids of products."""
        found: dict[UUID, dict[str, dict[str, list[Any]]]] = {}
        for addon, model in self._models.items():
            keys = [key for key, row in rows.items() if addon in row.extensions]
            # As they are now: an addon may have left some as they were.
            for key, new in model.read_many(keys).items():
                old = self._old[addon][key]
                differ = {
                    name: [_told(getattr(old, name)), _told(getattr(new, name))]
                    for name in model.loaded(rows[key].extensions[addon], None)
                    if getattr(old, name) != getattr(new, name)
                }
                if differ:
                    found.setdefault(key, {})[addon] = differ
        return found


def restore(changed: Mapping[UUID, Changed]) -> tuple[set[UUID], dict[UUID, str]]:
    """Bring companions back to what they had been, but for what was changed since.

    Call it in a transaction that holds their products.

    Args:
        changed: of :meth:`Companions.changed`, by product.

    Returns:
        The products of which something was brought back, and what stays of others.
    """
    models = {item.addon: item.model for item in extensions_of("products.product")}
    restored: set[UUID] = set()
    staying: dict[UUID, list[str]] = {}
    for addon in sorted({addon for found in changed.values() for addon in found}):
        mine = {key: found[addon] for key, found in changed.items() if addon in found}
        if addon not in models:
            for key in mine:
                staying.setdefault(key, []).append(f"{addon} (it is not enabled)")
            continue
        back: dict[UUID, dict[str, Any]] = {}
        for key, there in models[addon].hold_many(mine).items():
            for name, (was, became) in mine[key].items():
                if _told(getattr(there, name)) == became:
                    back.setdefault(key, {})[name] = _value(models[addon], name, was)
                else:
                    staying.setdefault(key, []).append(f"{addon}.{name} (it was changed since)")
        models[addon].write_many(back)
        restored |= back.keys()
    return restored, {key: ", ".join(names) for key, names in staying.items()}


def _told(value: Any) -> Any:
    """Return a value as JSON says it."""
    return orjson.loads(orjson.dumps(value, default=str))


def _value(model: type[Companion], name: str, told: Any) -> Any:
    """Return the value of a field that JSON told."""
    return model._meta.fields[name].python_value(told) if isinstance(told, str) else told
