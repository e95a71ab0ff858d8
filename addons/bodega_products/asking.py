"""In which language and currency somebody asks: read once, known while the request is served."""

import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from bodega_sdk import Parameter, Reply, Request, Route, setting

_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_QUALITY = re.compile(r"q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?)", re.IGNORECASE)
_CURRENCY = re.compile(r"[A-Z]{3}")
#: Ranges of one header that are read.
_MOST = 30

LANGUAGE = Parameter(
    "language", str, "Show texts in this language, e.g. 'de-CH'; instead of Accept-Language."
)
CURRENCY = Parameter(
    "currency", str, "Show prices in this currency, e.g. 'EUR'; null where there is none."
)


@dataclass(slots=True)
class Asked:
    """What one request asks for.

    Args:
        languages: those to show texts in, the best first; the shop's own comes behind.
        currency: ISO 4217; None for each product's own.
        used: the languages of the texts that were shown.
    """

    languages: tuple[str, ...] = ()
    currency: str | None = None
    used: set[str] = field(default_factory=set)


_asked: ContextVar[Asked | None] = ContextVar("bodega_products_asked", default=None)


def asked() -> Asked:
    """Return what the request that is being served asks for."""
    return _asked.get() or Asked()


def canonical(tag: str) -> str:
    """Return a language tag as it is written and compared: ``de-CH``, ``zh-Hant-TW``.

    Raises:
        ValueError: it is none (RFC 5646).
    """
    if not _TAG.fullmatch(tag):
        raise ValueError(f"{tag!r} is no language tag such as 'de' or 'de-CH'")
    first, *rest = tag.lower().split("-")
    return "-".join([first, *(_subtag(item) for item in rest)])


def _subtag(item: str) -> str:
    if len(item) == 2:
        return item.upper()
    return item.capitalize() if len(item) == 4 and item.isalpha() else item


@lru_cache(512)
def preferred(header: str | None, own: str) -> tuple[str, ...]:
    """Return the languages of an Accept-Language header that come before the shop's own.

    By RFC 9110 §12.5.4 and the lookup of RFC 4647 §3.4: the best quality first, each
    range and then what is left of it without its last part. What cannot be read is skipped.

    Args:
        own: the shop's language, in which there is a text for everything.
    """
    ranges = sorted(_ranges(header or ""), key=lambda item: -item[1])
    refused = {tag for tag, quality in ranges if quality == 0}
    found: dict[str, None] = {}
    for tag, quality in ranges:
        if quality == 0:
            break
        if tag == "*":
            break
        for candidate in _prefixes(tag):
            if candidate == own:
                return tuple(found)
            if candidate not in refused:
                found[candidate] = None
    return tuple(found)


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    for item in header.split(",")[:_MOST]:
        tag, *parameters = (part.strip() for part in item.split(";"))
        quality = 1.0
        if parameters:
            read = _QUALITY.fullmatch(parameters[0].replace(" ", ""))
            if read is None:
                continue
            quality = float(read[1])
        if tag == "*":
            yield tag, quality
        elif _TAG.fullmatch(tag):
            yield canonical(tag), quality


def _prefixes(tag: str) -> Iterator[str]:
    parts = tag.split("-")
    while parts:
        yield "-".join(parts)
        parts.pop()
        # A single letter begins what follows it (RFC 4647 §3.4).
        while parts and len(parts[-1]) == 1:
            parts.pop()


def _read(request: Request) -> Asked:
    own = setting("products.language")
    sent = request.query.get("language")
    if sent is not None:
        try:
            languages = preferred(canonical(sent), own)
        except ValueError as error:
            raise LANGUAGE.wrong(f"{error}.", sent) from None
    else:
        languages = preferred(request.raw.get_header("Accept-Language"), own)
    currency = request.query.get("currency")
    if currency is not None and not _CURRENCY.fullmatch(currency):
        raise CURRENCY.wrong("Expected an ISO 4217 code such as EUR.", currency)
    return Asked(languages, currency)


def in_context(route: Route) -> Route:
    """Return a route whose handler knows what is asked, and whose answer says what it got."""
    return replace(route, handler=_Speaking(route.handler, route.status))


@dataclass(frozen=True, slots=True)
class _Speaking:
    """Calls a handler, and says in which languages its answer is."""

    handler: Callable[[Request], Any]
    status: int

    def __call__(self, request: Request) -> Any:
        found = _read(request)
        token = _asked.set(found)
        try:
            reply = self.handler(request)
        finally:
            _asked.reset(token)
        return self._told(reply, found)

    def _told(self, reply: Any, found: Asked) -> Any:
        body = reply.body if isinstance(reply, Reply) else reply
        told = {"Vary": "Accept-Language"}
        if body is not None:
            used = ", ".join(sorted(found.used))
            told["Content-Language"] = used or setting("products.language")
        if not isinstance(reply, Reply):
            return Reply(body, self.status, told)
        return replace(reply, headers={**told, **reply.headers})
