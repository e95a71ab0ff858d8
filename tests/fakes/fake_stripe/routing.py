"""Which function answers which path, and how lists and expansions look."""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from fake_stripe.books import Books, Object
from fake_stripe.refusals import Refusal, invalid

Handler = Callable[..., Object]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Answer requests to a path with a function of the books, the parameters and its ids."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def register(handler: Handler) -> Handler:
        ROUTES.append((method, pattern, handler))
        return handler

    return register


def find(method: str, path: str) -> tuple[Handler, dict[str, str]]:
    for wanted, pattern, handler in ROUTES:
        match = pattern.fullmatch(path)
        if wanted == method and match:
            return handler, match.groupdict()
    raise Refusal(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")


def listed(items: list[Object], params: dict[str, Any], url: str) -> Object:
    """Return one page of a list, newest first."""
    rows = [item for item in reversed(items) if _in_time(item, params.get("created"))]
    ids = [item["id"] for item in rows]
    if after := params.get("starting_after"):
        if after not in ids:
            raise invalid(f"No such object: '{after}'", "resource_missing", "starting_after")
        rows = rows[ids.index(after) + 1 :]
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= 100:
        raise invalid("limit must be between 1 and 100", param="limit")
    return {
        "object": "list", "url": url, "data": rows[:limit], "has_more": len(rows) > limit,
    }  # fmt: skip


def _in_time(item: Object, wanted: Any) -> bool:
    if wanted is None:
        return True
    bounds = wanted if isinstance(wanted, dict) else {"gte": wanted, "lte": wanted}
    at = item["created"]
    return (
        at >= int(bounds.get("gte", 0))
        and at > int(bounds.get("gt", -1))
        and at <= int(bounds.get("lte", 10**12))
        and at < int(bounds.get("lt", 10**12))
    )


def expanded(books: Books, found: Object, paths: Any) -> Object:
    """Return a copy with what was asked for whole in the place of its id."""
    made = deepcopy(found)
    for path in paths or ():
        _expand(books, made, path.split("."))
    return made


def _expand(books: Books, item: Any, path: list[str]) -> None:
    head, *rest = path
    if isinstance(item, list):
        for one in item:
            _expand(books, one, path)
        return
    if item.get("object") == "charge" and head == "refunds":
        refunds = books.all("refund", charge=item["id"])
        # No more than ten come with a charge.
        item["refunds"] = deepcopy(listed(refunds, {}, f"/v1/charges/{item['id']}/refunds"))
    elif isinstance(item.get(head), str):
        item[head] = deepcopy(books.objects[item[head]])
    if rest and item.get(head):
        _expand(books, item[head], rest)
