"""Includes: what an addon can show below another addon's rows, when it is asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from bodega_sdk.http import Request
from bodega_sdk.schemas import Schema

Fetch = Callable[[Sequence[UUID], Request], Mapping[UUID, Sequence[Mapping[str, Any]]]]


@dataclass(frozen=True)
class Include:
    """A member that rows have when a request says ``?include=images``.

    Args:
        resource: whose rows: the addon's name, a dot and the noun, ``"products.product"``.
        name: of the member, and in ``?include=``; no other member may have it.
        schema: what each item of the member looks like outside, for the documentation.
        fetch: takes the ids of all rows of a page and the request, and returns what each
            row has, as it is shown; rows that are left out have nothing. One query is
            enough for all of them.
        help: one sentence.
        permission: what the caller must hold; whoever may read the rows, when empty.

    Example::

        >>> def fetch(ids: Sequence[UUID], request: Request) -> dict[UUID, list[dict[str, Any]]]:
        ...     return {key: [{"points": 3}] for key in ids}
        >>> found = Include("products.product", "awards", AwardSchema, fetch, "What it earned.")
        >>> found.name
        'awards'
    """

    resource: str
    name: str
    schema: type[Schema]
    fetch: Fetch
    help: str = ""
    permission: str = ""
    addon: str = field(default="")

    def owned_by(self, addon: str) -> "Include":
        """Return the include with its owner written in."""
        return replace(self, addon=addon)
