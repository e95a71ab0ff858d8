"""Slugs: made, unique, and remembered when they change, so that old links go on working."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from bodega_products.models import Category, FormerSlug, Product, Translation
from bodega_products.text import slugify
from bodega_sdk import hold_words
from bodega_sdk.errors import Conflict, FieldError, invalid

#: Segments of addresses beside ``/products/{id}`` and ``/categories/{id}``.
RESERVED = frozenset(
    ("bulk", "facets", "featured", "popular", "search", "suggest", "suggestions", "tree")
)
#: Slugs that are tried by one statement.
_TRIED = 5000
_KINDS: dict[type[Any], str] = {Product: "product", Category: "category"}


def kind_of(model: type[Any]) -> str:
    """Return what former slugs and translations call a table: ``product`` or ``category``."""
    return _KINDS[model]


def free_slug(model: Any, name: str) -> str:
    """Return a slug made of a name that nothing has."""
    base = slugify(name)
    hold_many(model, [base])
    slugs, number = [base], 1
    # Always more at once: of thousands of the same name it is found by a few statements.
    while not (free := _free(model, slugs)):
        slugs = [f"{base}-{place}" for place in range(number + 1, 11 * number + 1)][:_TRIED]
        number += len(slugs)
    return free[0]


def hold_many(model: type[Any], wanted: Iterable[str]) -> None:
    """Hold slugs until the commit: whoever wants the same waits, and sees who has it.

    Products and translations have a unique index each, but none has both.

    Args:
        wanted: all that are needed, made or sent.
    """
    hold_words(*(f"products {kind_of(model)} {slug}" for slug in wanted))


def _free(model: Any, wanted: list[str]) -> list[str]:
    same = (Translation.kind == kind_of(model)) & Translation.slug.in_(wanted)
    own = model.select(model.slug).where(model.slug.in_(wanted)).tuples()
    translated = Translation.select(Translation.slug).where(same).tuples()
    taken = RESERVED | {slug for (slug,) in own} | {slug for (slug,) in translated}
    return [slug for slug in wanted if slug not in taken]


def check_slug(model: Any, key: UUID | None, slug: str) -> None:
    """Refuse a slug that something else of the kind has, in any language.

    Raises:
        Conflict: something else has it.
        InvalidInput: it is a word of the API's own addresses.
    """
    if slug in RESERVED:
        raise invalid("slug", "This word is part of an address of the API; choose another.", slug)
    hold_many(model, [slug])
    noun = kind_of(model)
    others = model.select(model.id).where(model.slug == slug)
    of_others = Translation.select(Translation.id).where(
        Translation.kind == noun, Translation.slug == slug
    )
    if key is not None:
        others = others.where(model.id != key)
        of_others = of_others.where(Translation.target != key)
    if others.exists() or of_others.exists():
        message = f"Another {noun} has this slug already."
        raise Conflict(f"'slug': {message}", [FieldError("slug", message, slug)])


def use(model: type[Any], slug: str) -> None:
    """Take a slug into use: whoever asks for it is sent on no more."""
    FormerSlug.delete().where(
        FormerSlug.kind == kind_of(model), FormerSlug.slug == slug
    ).execute()  # fmt: skip


def remember(model: type[Any], target: UUID, old: str, new: str) -> None:
    """Write down that something had another slug before."""
    use(model, new)
    use(model, old)
    FormerSlug.create(kind=kind_of(model), slug=old, target=target)


def forget_many(model: type[Any], targets: list[UUID]) -> None:
    """Drop the former slugs of what goes."""
    FormerSlug.delete().where(
        FormerSlug.kind == kind_of(model), FormerSlug.target.in_(targets)
    ).execute()


def target_of(model: type[Any], slug: str) -> UUID | None:
    """Return the id of what had a slug before, None if nothing had."""
    found: FormerSlug | None = FormerSlug.get_or_none(
        FormerSlug.kind == kind_of(model), FormerSlug.slug == slug
    )
    return None if found is None else found.target
