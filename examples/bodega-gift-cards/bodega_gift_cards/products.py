"""What the addon has to say about products."""

from uuid import UUID

from bodega_products.api import PriceFacts
from bodega_sdk import Money, Occurrence

from bodega_gift_cards.extensions import Gift
from bodega_gift_cards.models import Card


def reason_to_keep(products: tuple[UUID, ...]) -> str | None:
    """Return why products must stay, if cards that were issued from them can still be used."""
    issued = Card.product_id.in_(products)
    open_cards = Card.select().where(issued & Card.in_state("active")).count()
    if not open_cards:
        return None
    verb = "card of it has" if open_cards == 1 else "cards of it have"
    return f"{open_cards} gift {verb} a balance; wait until it is spent, or void them."


def price_of(product: PriceFacts, quoted: Money | None) -> Money | None:
    """Return what the catalogue says for a gift card, whatever others quoted."""
    return product.price if Gift.read(product.id).is_gift_card else quoted


def forget(occurrence: Occurrence) -> None:
    """Take a product that is gone from the cards that were issued from it."""
    gone = Card.product_id == UUID(occurrence.key)
    Card.update(product_id=None).where(gone).execute()
