"""What an addon that replaces the search is asked, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What somebody looks for.

    Args:
        text: as it was sent, at most 1000 characters.
        words: folded: without case and accents; the last one may be a beginning.
        most: ids that the answer may have; more are left out.
    """

    text: str
    words: tuple[str, ...]
    most: int


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What was found.

    Args:
        hits: (id of a product, score) each, more is better. Ids that are not there, that the
            caller may not see or that filters leave out are dropped by the catalogue.
        facets: name → whatever is shown under it, in the place of the catalogue's own of that
            name (``category``, ``price``, ``tags``, ``stock``), or beside them.
    """

    hits: Sequence[tuple[UUID, float]]
    facets: Mapping[str, Any] | None = None
