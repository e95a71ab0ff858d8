"""From things and quantities to a draft: what each is and costs now, and whether it can be had."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from bodega_inventory import api as inventory
from bodega_orders.drafts import Destination, Draft, DraftLine
from bodega_products import api as products
from bodega_products.api import Offer, Wanted
from bodega_sdk import now, setting
from bodega_sdk.errors import FieldError, InvalidInput

#: A product, its variant or None, and how many.
Thing = tuple[UUID, UUID | None, int]
#: How many of one thing may be asked for at once.
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a thing that was looked for.

    Args:
        wanted: what was asked for.
        offer: what the catalogue says; None when it is gone.
        line: of a draft; None when it cannot be bought.
        field: the member that is wrong when there is no line: ``product``, ``variant`` or
            ``currency``.
        fault: why it cannot be bought, one sentence; empty when it can.
    """

    wanted: Wanted
    offer: Offer | None
    line: DraftLine | None
    field: str = ""
    fault: str = ""


def draft_of(
    items: Sequence[Thing],
    currency: str,
    account: UUID | None,
    email: str,
    destination: Destination,
    codes: Iterable[str],
    shipping_method: str,
) -> Draft:
    """Return a draft of things; the same thing twice is one line.

    Stock is not asked: reserving it does that.

    Args:
        items: what is bought; a product that has variants by one of them.
        codes: as the customer typed them in.

    Raises:
        InvalidInput: something cannot be bought, each named as ``items.<place>.<member>``.
        HookFailed: an addon that has a say in prices failed.
    """
    merged = _merged(items)
    refuse_many(len(merged))
    found = look(list(merged), currency)
    errors = [
        FieldError(f"items.{merged[one.wanted]}.{one.field}", one.fault, _shown(one))
        for one in found
        if one.line is None
    ]
    if errors:
        raise InvalidInput(f"Not everything can be bought: {errors[0].message}", errors)
    lines = [one.line for one in found if one.line is not None]
    return drafted(lines, currency, account, email, destination, codes, shipping_method)


def drafted(
    lines: Iterable[DraftLine],
    currency: str,
    account: UUID | None,
    email: str,
    destination: Destination,
    codes: Iterable[str],
    shipping_method: str,
) -> Draft:
    """Return a draft of lines, in the order of their items' ids."""
    ordered = tuple(sorted(lines, key=lambda line: line.item))
    return Draft(
        ordered, currency, account, email.lower(), destination, codes_of(codes), shipping_method,
        now(),
    )  # fmt: skip


def codes_of(sent: Iterable[str]) -> tuple[str, ...]:
    """Return codes as they are compared, each but once."""
    return tuple(dict.fromkeys(code.strip().upper() for code in sent if code.strip()))


def refuse_many(number: int) -> None:
    """Refuse more different things than one purchase can hold.

    Raises:
        InvalidInput: there are more.
    """
    most = setting("orders.cart_lines")
    if number > most:
        message = f"At most {most} different things can be bought at once."
        raise InvalidInput(message, [FieldError("items", message, number)])


def _merged(items: Sequence[Thing]) -> dict[Wanted, int]:
    """Return what is wanted, with the place at which each thing came first."""
    found: dict[UUID, tuple[Wanted, int]] = {}
    for place, (product, variant, quantity) in enumerate(items):
        if not 0 < quantity <= MOST:
            message = f"Must be 1 to {MOST}."
            raise InvalidInput(message, [FieldError(f"items.{place}.quantity", message, quantity)])
        one = Wanted(product, variant, quantity)
        known, first = found.get(one.item, (None, place))
        if known is not None:
            one = replace(one, quantity=known.quantity + quantity)
        found[one.item] = (one, first)
    return dict(found.values())


def _shown(one: Found) -> str | None:
    sent = {"product": one.wanted.product, "variant": one.wanted.variant}.get(one.field)
    return None if sent is None else str(sent)


def look(wanted: Sequence[Wanted], currency: str) -> list[Found]:
    """Return what things are and cost now, in their order; a constant number of queries.

    Raises:
        HookFailed: an addon that has a say in prices failed.
    """
    return [
        _found(one, offer, currency)
        for one, offer in zip(wanted, products.offers(wanted, currency), strict=True)
    ]


def _found(wanted: Wanted, offer: Offer | None, currency: str) -> Found:
    field, fault = _fault(wanted, offer, currency)
    if fault or offer is None or offer.price is None:
        return Found(wanted, offer, None, field, fault)
    line = DraftLine(
        wanted.item, wanted.product, wanted.variant, offer.sku, offer.name, offer.options,
        wanted.quantity, offer.price, offer.organization, offer.category, offer.categories,
        offer.weight, offer.digital,
    )  # fmt: skip
    return Found(wanted, offer, line)


def _fault(wanted: Wanted, offer: Offer | None, currency: str) -> tuple[str, str]:
    if offer is None:
        return "product", "There is no product with this id."
    if not offer.is_sold:
        return "product", f"{offer.name} is not for sale now."
    if not offer.is_form:
        return "variant", f"{offer.name} has no variant with this id."
    if wanted.variant is None and offer.has_variants:
        return "variant", f"{offer.name} comes in variants; name one of them."
    if offer.price is None:
        return "currency", f"{offer.name} has no price in {currency}."
    return "", ""


def in_stock(found: Iterable[Found]) -> dict[UUID, inventory.Stock]:
    """Return what there is of things, by their items' ids, in one query."""
    items = [
        inventory.Item(one.wanted.product, one.wanted.variant, one.wanted.quantity)
        for one in found
    ]  # fmt: skip
    return {stock.item.id: stock for stock in inventory.available(items)} if items else {}


def short_of(one: Found, stock: inventory.Stock) -> str:
    """Return what to say of a thing of which there are not so many as are wanted."""
    name = one.offer.name if one.offer else "It"
    return f"Only {stock.room} of {name} can be had." if stock.room else f"{name} is out of stock."
