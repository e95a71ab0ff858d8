"""The routes of pictures."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from bodega_media import adding, addresses, arranging, receiving
from bodega_media.adding import Details
from bodega_media.models import Image, Wanted
from bodega_media.schemas import (
    ImageSchema,
    LinkSchema,
    MadeLinkSchema,
    OrderedSchema,
    OrderSchema,
    WantedSchema,
)
from bodega_media.showing import ALL, shown
from bodega_media.sizes import Size
from bodega_products.api import ProductFacts, products_of, variants_of
from bodega_sdk import (
    Collection,
    Filter,
    Parameter,
    Reply,
    Request,
    Route,
    now,
    setting,
    transaction,
)
from bodega_sdk.errors import PermissionDenied, invalid

_WRITE = "media.write"
_UPLOAD = (
    Parameter("product", UUID, "The product that it shows."),
    Parameter("variant", UUID, "The variant that it shows."),
    Parameter("alt", str, "What it shows, in words."),
    Parameter("is_primary", bool, "Whether it takes the first place.", False),
    Parameter("is_private", bool, "Whether it is shown by signed links only.", False),
)


class WantedPictures(Collection):
    """Pictures that files name by their addresses, and what became of them."""

    model, schema, noun = Wanted, WantedSchema, "wanted picture"
    read, write = "media.read", _WRITE
    objects, beyond, owner = "organization", ALL, Wanted.organization
    verbs = ("list", "read")
    filters = (
        Filter(Parameter("product", UUID, "Only of this product."),
               lambda value: Wanted.product == value),
        Filter(Parameter("status", str, "Only these.", choices=("waiting", "fetched", "failed")),
               lambda value: Wanted.status == value),
    )  # fmt: skip


class Images(Collection):
    """Pictures of products: for those who look after them; visitors see them at products."""

    model, schema, noun = Image, ImageSchema, "picture"
    read, write = "media.read", _WRITE
    objects, beyond, owner = "organization", ALL, Image.organization
    verbs = ("list", "read", "change", "delete")
    filters = (
        Filter(Parameter("product", UUID, "Only of this product."),
               lambda value: Image.product == value),
        Filter(Parameter("variant", UUID, "Only of this variant."),
               lambda value: Image.variant == value),
        Filter(Parameter("is_primary", bool, "Only these."),
               lambda value: Image.is_primary == value),
        Filter(Parameter("is_private", bool, "Only these."),
               lambda value: Image.is_private == value),
    )  # fmt: skip
    orderings: ClassVar = {"position": Image.position, "bytes": Image.bytes}

    def hold(self, request: Request) -> Image:
        """Take the lock of all pictures of the product first, as everybody does."""
        product = self.get(request).product
        arranging.hold(product)
        self._refuse_others(request, product)
        held: Image = super().hold(request)
        return held

    def _refuse_others(self, request: Request, product: UUID) -> None:
        """Refuse who the product belongs to no more: pictures hear of it a moment later."""
        mine, found = self.whose(request), products_of([product]).get(product)
        if mine is not None and found is not None and found.organization != mine:
            raise PermissionDenied("This product is not yours to change.")

    def change(self, request: Request, row: Image, data: dict[str, Any]) -> Image:
        """Change what is said of a picture."""
        _check(row, data)
        wanted = data.pop("is_primary", row.is_primary)
        for name, value in (data | {"updated_at": now()}).items():
            setattr(row, name, value)
        row.save()
        if wanted and not row.is_private:
            arranging.make_primary(row)
        arranging.arrange(row.product)
        found: Image = Image.get_by_id(row.id)
        return found

    def remove(self, request: Request, row: Image) -> None:
        """Take a picture away."""
        adding.take_away(row)

    def render(self, rows: Iterable[Image]) -> list[dict[str, Any]]:
        """Show pictures with their addresses."""
        return shown(rows)

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return the collection's own routes, and what else one does with pictures."""
        whose: dict[str, Any] = {"objects": self.objects, "beyond": self.beyond}
        return (
            Route("POST", path, self._upload, _WRITE, "Add a picture to a product",
                  description="Send the file in the part `file` of a form, or as the body; a form "
                  "may say the parameters in parts of their own. It is "
                  "known by its content: JPEG, PNG, WebP, GIF (its first frame) or AVIF. It is "
                  "written anew, upright, in sRGB, without any metadata.",
                  parameters=_UPLOAD, media="multipart/form-data", largest=101_000_000,
                  returns=ImageSchema, status=201, **whose),
            Route("POST", f"{path}/reorder", self._reorder, _WRITE, "Put pictures into an order",
                  body=OrderSchema, returns=OrderedSchema, **whose),
            *super().routes(path),
            Route("POST", f"{path}/{{id}}/links", self._link, "media.read",
                  "Make an address that ends", body=LinkSchema, returns=MadeLinkSchema, status=201,
                  description="Of a private picture, or in a size that is not declared.", **whose),
        )  # fmt: skip

    def _upload(self, request: Request) -> Reply:
        if "product" in request.query:
            # Before anything is read.
            self._product(request, request.query["product"])
        with receiving.received(request, _UPLOAD) as (path, told):
            said = {**request.query, **told}
            row = adding.add(path, _details(self._product(request, said.get("product")), said))
        location = f"{request.raw.path.rstrip('/')}/{row.id}"
        return Reply(self.show(row), 201, {"Location": location})

    def _product(self, request: Request, key: UUID | None) -> ProductFacts:
        """Return a product whose pictures the caller may change."""
        if key is None:
            raise invalid("product", "Name the product that it shows.")
        found = products_of([key]).get(key)
        if found is None:
            raise invalid("product", "There is no product with this id.", str(key))
        self._refuse_others(request, key)
        return found

    def _reorder(self, request: Request) -> dict[str, Any]:
        product = self._product(request, request.body["product"])
        with transaction():
            arranging.reorder(product.id, request.body["images"])
            return {"results": self.show_all(arranging.pictures(product.id))}

    def _link(self, request: Request) -> Reply:
        row, wanted = self.get(request), dict(request.body)
        minutes = wanted.pop("minutes") or setting("media.link_minutes")
        expires = now().replace(microsecond=0) + timedelta(minutes=minutes)
        url = addresses.signed(row.key, row.media, Size.asked(wanted), expires)
        return Reply(MadeLinkSchema().dump({"url": url, "expires_at": expires}), 201)


def _details(product: ProductFacts, query: Any) -> Details:
    variant, alt = query.get("variant"), query.get("alt", "").strip()
    _check_variant(product.id, variant)
    if len(alt) > 500:
        raise invalid("alt", "Must be at most 500 characters long.", alt)
    if query["is_primary"] and query["is_private"]:
        raise _not_both()
    return Details(
        product.id, product.organization, variant, alt, query["is_primary"], query["is_private"]
    )


def _check(row: Image, data: dict[str, Any]) -> None:
    if "variant" in data:
        _check_variant(row.product, data["variant"])
    if data.get("is_primary") and data.get("is_private", row.is_private):
        raise _not_both()
    if row.is_primary and data.get("is_primary") is False:
        raise invalid("is_primary", "Make another picture the primary instead.", False)


def _check_variant(product: UUID, variant: UUID | None) -> None:
    if variant is not None:
        found = variants_of([variant]).get(variant)
        if found is None or found.product != product:
            raise invalid("variant", "The product has no variant with this id.", str(variant))


def _not_both() -> Exception:
    return invalid("is_primary", "A private picture cannot be the primary.", True)
