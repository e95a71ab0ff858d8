"""Adding pictures to products, and taking them away."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from bodega_media import arranging, events
from bodega_media.choosing import storage
from bodega_media.decoding import Picture, written_anew
from bodega_media.models import Image, Stored
from bodega_media.sizes import original
from bodega_media.storage import incoming
from bodega_products.api import ProductFacts, products_of
from bodega_sdk import now, setting, transaction, uuid7
from bodega_sdk.errors import Conflict, FieldError, invalid


@dataclass(frozen=True, slots=True)
class Details:
    """What is said of a picture that is added.

    Args:
        product: id of the product that it shows.
        organization: whose the product must be; None for any.
        variant: id of the variant that it shows; None for all of them.
        alt: what it shows, in words.
        is_primary: whether it takes the first place.
        is_private: whether it needs signed addresses.
        id: its own; made when None.
    """

    product: UUID
    organization: UUID | None = None
    variant: UUID | None = None
    alt: str = ""
    is_primary: bool = False
    is_private: bool = False
    id: UUID | None = None


def add(source: Path, details: Details) -> Image:
    """Keep the picture in a file, and give it to a product; call it outside a transaction.

    Raises:
        UnsupportedMedia, InvalidInput: it is no picture, damaged or too large; no product.
        Conflict: the product has as many pictures as it may, or is somebody else's.
        Unavailable: the storage does not answer, or too many others come at once.
    """
    with _anew(source) as picture:
        keep(picture)
        with transaction():
            return place(picture, details)


@contextmanager
def _anew(source: Path) -> Iterator[Picture]:
    target = incoming()
    try:
        yield written_anew(source, target)
    finally:
        target.unlink(missing_ok=True)


def keep(picture: Picture) -> None:
    """Put a picture into the storage, unless it is there; no row tells of it yet.

    From now on the sweeper leaves it alone for an hour, in which a row must follow.
    """
    with transaction():
        touch(picture)
    name, where = original(picture.key, picture.media), storage()
    if not where.exists(name):
        with picture.path.open("rb") as file:
            where.put(name, file, picture.media)


def touch(picture: Picture) -> None:
    """Say that somebody needs a stored file."""
    moment = now()
    Stored.insert(
        key=picture.key, media=picture.media, bytes=picture.bytes, touched_at=moment
    ).on_conflict(conflict_target=[Stored.key], update={Stored.touched_at: moment}).execute()


def place(picture: Picture, details: Details) -> Image:
    """Give a stored picture to a product, behind the others; call it in a transaction."""
    arranging.hold(details.product)
    product = _still_there(details)
    there = Image.select().where(Image.product == details.product).count()
    _refuse_more(there)
    row = Image.create(
        **_own(details), organization=product.organization, stored=picture.key,
        media=picture.media, bytes=picture.bytes, width=picture.width, height=picture.height,
        colour=picture.colour, position=there,
    )  # fmt: skip
    if details.is_primary and not details.is_private:
        arranging.make_primary(row)
    arranging.arrange(details.product)
    found: Image = Image.get_by_id(row.id)
    events.publish(events.image_added, found)
    return found


def _still_there(details: Details) -> ProductFacts:
    """Return the product: writing a picture anew takes so long that much may have happened."""
    found = products_of([details.product]).get(details.product)
    if found is None:
        raise invalid("product", "There is no product with this id.", str(details.product))
    if details.organization not in (None, found.organization):
        message = "This product is somebody else's by now."
        raise Conflict(message, [FieldError("product", message, str(details.product))])
    return found


def _own(details: Details) -> dict[str, Any]:
    names = ("product", "variant", "alt", "is_private")
    return {name: getattr(details, name) for name in names} | {"id": details.id or uuid7()}


def _refuse_more(there: int) -> None:
    most = setting("media.pictures_per_product")
    if there >= most:
        message = f"The product has {there} pictures, and may have {most}; remove one first."
        raise Conflict(message, [FieldError("product", message)])


def take_away(row: Image) -> None:
    """Take a picture from its product; its file goes when nobody needs it. In a transaction."""
    arranging.hold(row.product)
    if Image.delete().where(Image.id == row.id).execute():
        arranging.arrange(row.product)
        events.publish(events.image_removed, row)
