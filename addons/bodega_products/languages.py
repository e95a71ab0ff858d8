"""Texts in further languages."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from bodega_products import events, search_index, slugs
from bodega_products.asking import asked, canonical
from bodega_products.models import Translation
from bodega_products.schemas import TranslationSchema, TranslationsSchema
from bodega_sdk import Reply, Request, Route, now, setting, transaction
from bodega_sdk.bulk import among
from bodega_sdk.errors import Conflict, FieldError, NotFound, invalid
from bodega_sdk.reading import rows_of

_TEXTS = ("name", "description", "slug")


def translate(kind: str, ids: Iterable[UUID], shown: list[dict[str, Any]]) -> None:
    """Put texts in the best language there is into rendered rows: one query, if any."""
    wanted, own = asked(), setting("products.language")
    if not wanted.languages or not shown:
        wanted.used.add(own)
        return
    rank = {language: place for place, language in enumerate(wanted.languages)}
    best: dict[UUID, Translation] = {}
    keys = list(ids)
    query = Translation.select().where(
        Translation.kind == kind, among(Translation.target, keys),
        Translation.language.in_(list(rank)),
    )  # fmt: skip
    for row in rows_of(query):
        there = best.get(row.target)
        if there is None or rank[row.language] < rank[there.language]:
            best[row.target] = row
    for key, item in zip(keys, shown, strict=True):
        found = best.get(key)
        wanted.used.add(found.language if found else own)
        for name in _TEXTS if found else ():
            item[name] = getattr(found, name) or item[name]


def targets(kind: str, slug: str) -> Any:
    """Return a query of the ids of what has a slug in some language."""
    return Translation.select(Translation.target).where(
        Translation.kind == kind, Translation.slug == slug
    )


class Translations:
    """The routes of the translations of a collection's rows.

    Args:
        collection: of products or of categories.
    """

    def __init__(self, collection: Any) -> None:
        self._collection = collection
        self._kind = slugs.kind_of(collection.model)

    def routes(self, path: str) -> tuple[Route, ...]:
        """Return them."""
        several, noun = f"{path}/{{id}}/translations", self._collection.noun
        one, collection = f"{several}/{{language}}", self._collection
        more: dict[str, Any] = {"path_types": {**collection.path_types, "language": str}}
        whose = {"objects": collection.objects, "beyond": collection.beyond, **more}
        return (
            Route("GET", several, self._list, collection.read, f"List translations of a {noun}",
                  returns=TranslationsSchema, **more),
            Route("GET", one, self._read, collection.read, f"Read a translation of a {noun}",
                  returns=TranslationSchema, **more),
            Route("PUT", one, self._put, collection.write, f"Translate a {noun}",
                  body=TranslationSchema, returns=TranslationSchema, **whose),
            Route("DELETE", one, self._delete, collection.write,
                  f"Delete a translation of a {noun}", status=204, **whose),
        )  # fmt: skip

    def _list(self, request: Request) -> dict[str, Any]:
        row = self._collection.get(request)
        query = Translation.select().where(*self._of(row)).order_by(Translation.language)
        return {"translations": _schema.dump(query, many=True)}

    def _read(self, request: Request) -> Any:
        return _schema.dump(self._found(self._collection.get(request), request))

    def _put(self, request: Request) -> Any:
        if not any(request.body.get(name) for name in _TEXTS):
            message = "Send a name, a description or a slug."
            raise invalid("name", message)
        with transaction():
            row = self._collection.hold(request)
            language = _language(request.params["language"])
            return _schema.dump(self._write(row, language, request.body))

    def _write(self, row: Any, language: str, data: dict[str, Any]) -> Translation:
        if data.get("slug"):
            slugs.check_slug(self._collection.model, row.id, data["slug"])
            slugs.use(self._collection.model, data["slug"])
        found = Translation.get_or_none(*self._of(row), Translation.language == language)
        made = found or Translation(kind=self._kind, target=row.id, language=language)
        for name in _TEXTS:
            setattr(made, name, data[name] or None if name == "slug" else data[name])
        made.updated_at = now()
        made.save(force_insert=found is None)
        self._changed(row)
        return made

    def _delete(self, request: Request) -> Reply:
        with transaction():
            row = self._collection.hold(request)
            self._found(row, request).delete_instance()
            self._changed(row)
        return Reply(status=204)

    def _found(self, row: Any, request: Request) -> Translation:
        sent = request.params["language"]
        try:
            language = canonical(sent)
        except ValueError:
            language = sent
        found: Translation | None = Translation.get_or_none(
            *self._of(row), Translation.language == language
        )
        if found is None:
            message = "It has no translation into this language."
            raise NotFound(message, [FieldError("language", message, sent)])
        return found

    def _changed(self, row: Any) -> None:
        if self._kind == "product":
            search_index.keep([row.id])
            events.publish(events.product_updated, row)
        else:
            events.publish_category(events.category_updated, row)

    def _of(self, row: Any) -> tuple[Any, Any]:
        return Translation.kind == self._kind, Translation.target == row.id


_schema = TranslationSchema()


def _language(sent: str) -> str:
    try:
        language = canonical(sent)
    except ValueError as error:
        raise invalid("language", f"{error}.", sent) from None
    if language == setting("products.language"):
        message = "This is the shop's own language: change the texts themselves."
        raise Conflict(f"'language': {message}", [FieldError("language", message, sent)])
    return language
