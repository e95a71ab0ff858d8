"""What is related to a product: of the same category, or with the same tags."""

from typing import Any
from uuid import UUID

from peewee import fn

from bodega_products.models import Product, ProductTag

#: Candidates of either kind; the most alike of them are shown.
_MOST = 200
_CATEGORY = 2


def related(product: Product, visible: Any, most: int) -> list[UUID]:
    """Return the ids of what is most like a product, the most alike first: two queries.

    A tag that both have counts one, and the same category two; what is more popular
    comes first among equals.

    Args:
        visible: the condition that the caller sees a product.
        most: how many at most.
    """
    alike: dict[UUID, tuple[int, int, str]] = {}
    for key, popularity, common in _by_tags(product, visible):
        alike[key] = (common, popularity, str(key))
    for key, popularity in _by_category(product, visible):
        common = alike[key][0] if key in alike else 0
        alike[key] = (common + _CATEGORY, popularity, str(key))
    return sorted(alike, key=lambda key: alike[key], reverse=True)[:most]


def _by_tags(product: Product, visible: Any) -> Any:
    own = ProductTag.alias()
    tags = own.select(own.tag).where(own.product == product.id)
    common = fn.COUNT(ProductTag.id)
    query = Product.select(Product.id, Product.popularity, common).join(ProductTag)
    query = query.where(ProductTag.tag.in_(tags), Product.id != product.id, visible)
    return query.group_by(Product.id).order_by(common.desc()).limit(_MOST).tuples()


def _by_category(product: Product, visible: Any) -> Any:
    if product.category_id is None:
        return ()
    same = (Product.category == product.category_id) & (Product.id != product.id) & visible
    query = Product.select(Product.id, Product.popularity).where(same)
    return query.order_by(Product.popularity.desc(), Product.id.desc()).limit(_MOST).tuples()
