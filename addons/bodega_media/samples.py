"""Pictures of sample products, drawn from their names."""

from uuid import UUID

from bodega_media.adding import Details, add, take_away
from bodega_media.drawing import drawn
from bodega_media.models import Image
from bodega_media.storage import incoming
from bodega_products.api import ProductFacts, products_of
from bodega_sdk import SampleRun, sample_id, sample_ids

_KIND = "media.image"


def make(run: SampleRun) -> None:
    """Draw a picture of each sample product that has none of ours."""
    wanted = [sample_id("products.product", number) for number in range(run.count)]
    products, there = products_of(wanted), _there()
    for number, key in enumerate(wanted):
        own = sample_id(_KIND, number)
        if key in products and own in there:
            run.found("pictures")
        elif key in products:
            _draw(products[key], own)
            run.made("pictures")
        run.progress(number + 1, len(wanted))


def _there() -> set[UUID]:
    return {row.id for row in Image.select(Image.id).where(Image.id.in_(sample_ids(_KIND)))}


def _draw(product: ProductFacts, own: UUID) -> None:
    path = incoming()
    try:
        drawn(product.name).save(path, "JPEG", quality=95)
        add(path, Details(product.id, product.organization, alt=product.name[:500], id=own))
    finally:
        path.unlink(missing_ok=True)


def remove(run: SampleRun) -> None:
    """Take the pictures away again; their files are swept later."""
    for row in Image.select().where(Image.id.in_(sample_ids(_KIND))):
        take_away(row)
        run.made("pictures")
