"""What somebody who has typed half of it may be looking for."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import peewee

from bodega_products.models import Product
from bodega_products.search_find import Found
from bodega_products.search_marks import marked
from bodega_products.search_query import Term
from bodega_products.search_words import is_cjk, pieces, plain

# Products whose names tell which words are popular.
_LOOKED = 200


def suggestions(found: Found, visible: peewee.ModelSelect, most: int) -> dict[str, Any]:
    """Return words and products that go on where somebody stopped typing.

    Args:
        visible: the products that they may see.
        most: of each.
    """
    if not found.terms:
        return {"words": [], "products": [], "corrected": {}}
    query = found.joined(visible.select(Product.id, Product.name, Product.slug))
    best = (found.hits.c.score.desc(), Product.popularity.desc(), Product.id.desc())
    rows = list(query.order_by(*best).limit(_LOOKED).tuples())
    return {
        "words": _words(found.terms, [name for _, name, _ in rows], most),
        "products": [
            {"id": key, "name": name, "slug": slug, "marked": marked(name, found.terms)}
            for key, name, slug in rows[:most]
        ],
        "corrected": dict(found.corrected),
    }


def _words(terms: Sequence[Term], names: Sequence[str], most: int) -> list[str]:
    """Return the text with its last word made whole, by the words that most names have."""
    last = terms[-1]
    if last.quoted or is_cjk(last.forms[0].words[0]):
        return []
    beginnings = tuple(form.words[-1] for form in last.forms)
    counted = Counter(
        word for name in names for word in set(pieces(plain(name))) if word.startswith(beginnings)
    )
    before = " ".join(word for term in terms[:-1] for word in term.forms[0].words)
    popular = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:most]
    return [f"{before} {word}".strip() for word, _ in popular]
