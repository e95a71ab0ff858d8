"""The tree of categories. Call what writes in a transaction."""

from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

import peewee
from peewee import fn

from bodega_products import events, facts, search_index, slugs
from bodega_products.models import Category, Product, Translation
from bodega_products.text import read_id
from bodega_products.visibility import sold
from bodega_sdk import locked, now
from bodega_sdk.errors import invalid

#: Levels of the tree; each takes 33 characters of a path.
DEEPEST = 12
#: Subtrees that one statement counts one by one; of more it counts all.
_COUNTED = 50


def save_category(category: Category, data: dict[str, Any], *, new: bool) -> Category:
    """Make or change a category by loaded data; a new parent takes the whole subtree along.

    Raises:
        Conflict: the slug is taken.
        InvalidInput: there is no such parent, it is below the category, or too deep.
    """
    data, old = dict(data), category.slug
    parent = data.pop("parent", category.parent_id)
    if "slug" in data:
        slugs.check_slug(Category, None if new else category.id, data["slug"])
    for name, value in data.items():
        setattr(category, name, value)
    if not category.slug:
        category.slug = slugs.free_slug(Category, category.name)
    _place(category, parent, new=new)
    if not new and category.slug != old:
        slugs.remember(Category, category.id, old, category.slug)
    elif new:
        slugs.use(Category, category.slug)
    category.updated_at = now()
    category.save(force_insert=new)
    if not new:
        search_index.category_renamed(category)
    event = events.category_created if new else events.category_updated
    events.publish_category(event, category)
    return category


def _place(category: Category, wanted: Any, *, new: bool) -> None:
    """Put a category below its parent; nothing else moves in the tree meanwhile."""
    if category.path and wanted == category.parent_id:
        return
    if wanted is not None or not new:
        hold_tree()
    parent = _parent(wanted)
    if not new:
        # Where it is may have changed while we waited for the lock.
        category.path = Category.select(Category.path).where(Category.id == category.id).scalar()
    _refuse_cycle(category, parent, wanted)
    before = parent.path if parent else ""
    depth = parent.depth + 1 if parent else 1
    _refuse_depth(category, depth, wanted)
    path = f"{before}{category.id.hex}/"
    if not new and category.path:
        _move(category.path, path, depth - _depth_of(category.path))
    category.parent, category.path, category.depth = parent, path, depth


def hold_tree() -> None:
    """Lock all categories, in the order of their ids; before any of them is locked alone."""
    # Products may be put into them meanwhile: whoever does holds the product, and would
    # wait for us while we wait for them.
    list(locked(Category.select(Category.id).order_by(Category.id)).tuples())


def _parent(wanted: Any) -> Category | None:
    if wanted is None:
        return None
    found = find(wanted) if isinstance(wanted, str) else Category.find(wanted)
    if found is None:
        raise invalid("parent", "There is no category with this id or slug.", str(wanted))
    return found


def find(named: str) -> Category | None:
    """Return the category of an id or a slug, None if there is none."""
    found: Category | None = Category.get_or_none(is_named(Category, named))
    return found


def is_named(table: Any, named: str) -> Any:
    """Return the condition that a category of a table, or its alias, has this id or slug."""
    key = read_id(named)
    return table.slug == named if key is None else table.id == key


def _refuse_cycle(category: Category, parent: Category | None, wanted: Any) -> None:
    if parent is None:
        return
    if parent.id == category.id or category.id.hex in parent.path.split("/"):
        message = "A category cannot be below itself or below what is below it."
        raise invalid("parent", message, str(wanted))


def _refuse_depth(category: Category, depth: int, wanted: Any) -> None:
    deepest = depth
    if category.path:
        own = _depth_of(category.path)
        below = Category.select(fn.MAX(Category.depth)).where(below_path(category.path)).scalar()
        deepest += max((below or own) - own, 0)
    if deepest > DEEPEST:
        message = f"The tree would be {deepest} levels deep; at most {DEEPEST} are allowed."
        raise invalid("parent", message, None if wanted is None else str(wanted))


def _depth_of(path: str) -> int:
    return path.count("/")


def _move(old: str, new: str, deeper: int) -> None:
    """Give a subtree its new path."""
    rest = fn.SUBSTR(Category.path, len(old) + 1)
    Category.update(
        path=peewee.Value(new).concat(rest), depth=Category.depth + deeper
    ).where(below_path(old)).execute()  # fmt: skip


def below_path(path: str, table: Any = Category) -> Any:
    """Return the condition that a category has this path, or one that begins with it."""
    # A range, not LIKE: the index serves it. Ids are of 0-9 and a-f only.
    return (table.path >= path) & (table.path < f"{path}g") if path else table.id.is_null()


def delete_category(category: Category) -> None:
    """Delete a category: those below it move up, and its products have none."""
    hold_tree()
    row = Category.find(category.id) or category
    # As everybody who writes products: first these, and then what the search knows of them.
    mine = Product.select(Product.id).where(Product.category == row.id)
    facts.hold(key for (key,) in mine.tuples())
    children = list(Category.select().where(Category.parent == row.id))
    above = row.path.removesuffix(f"{row.id.hex}/")
    for child in children:
        if child.path:
            _move(child.path, f"{above}{child.id.hex}/", -1)
    Category.update(parent=row.parent_id).where(Category.parent == row.id).execute()
    slugs.forget_many(Category, [row.id])
    texts = (Translation.kind == "category") & (Translation.target == row.id)
    Translation.delete().where(texts).execute()
    search_index.category_deleted(row)
    events.publish_category(events.category_deleted, row)
    row.delete_instance()


def in_tree(named: str) -> Any:
    """Return the condition that a product is in a category, or in one below it."""
    top, below = Category.alias(), Category.alias()
    inside = (below.path >= top.path) & (below.path < top.path.concat("g")) & (top.path != "")
    query = below.select(below.id).join(top, on=(below.id == top.id) | inside)
    return Product.category.in_(query.where(is_named(top, named)))


def counts(paths: Iterable[str]) -> dict[str, int]:
    """Return how many products that are sold are in each category itself, by its path.

    Args:
        paths: of the subtrees that are counted.
    """
    query = Product.select(Category.path, fn.COUNT(Product.id)).join(Category).where(sold())
    tops = _tops(paths)
    if len(tops) <= _COUNTED:
        query = query.where(reduce(or_, map(below_path, tops), peewee.SQL("1 = 0")))
    return dict(query.group_by(Category.path).tuples())


def _tops(paths: Iterable[str]) -> list[str]:
    """Return the paths that do not lie below others of them."""
    tops: list[str] = []
    for path in sorted(path for path in paths if path):
        if not tops or not path.startswith(tops[-1]):
            tops.append(path)
    return tops


def with_descendants(paths: Iterable[str], counted: dict[str, int]) -> dict[str, int]:
    """Return how many products are in each of the categories of these paths, or below it."""
    total: dict[str, int] = defaultdict(int)
    for path, number in counted.items():
        steps = path.split("/")[:-1]
        for end in range(1, len(steps) + 1):
            total["/".join(steps[:end]) + "/"] += number
    return {path: total.get(path, 0) for path in paths}


def tree(rows: Iterable[Category], shown: dict[UUID, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rendered categories as trees, each with its ``children``.

    Args:
        rows: in the order in which those of one parent stand. Those whose parent is not
            among them are left out with all that is below them, but for roots.
        shown: each as it is shown, by id.
    """
    roots: list[dict[str, Any]] = []
    listed = list(rows)
    for item in shown.values():
        item["children"] = []
    for row in listed:
        if row.parent_id is None:
            roots.append(shown[row.id])
        elif row.parent_id in shown:
            shown[row.parent_id]["children"].append(shown[row.id])
    return roots
