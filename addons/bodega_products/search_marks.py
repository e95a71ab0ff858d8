"""Marking what was found: texts with ``<mark>`` around it and everything else escaped."""

import re
from collections.abc import Iterable, Iterator
from html import escape

from bodega_products.search_query import Form, Term
from bodega_products.search_words import is_cjk, plain

# Characters of a text that are looked through, and of what is shown of it.
_LOOKED, _SHOWN, _BEFORE = 5000, 240, 60


def marked(text: str, terms: Iterable[Term]) -> str:
    """Return a text as HTML with what was found in it marked."""
    return _html(text, _spans(text, terms), 0, len(text))


def excerpt(text: str, terms: Iterable[Term]) -> str:
    """Return as HTML where in a long text something was found; empty if nothing was."""
    looked = text[:_LOOKED]
    spans = _spans(looked, terms)
    if not spans:
        return ""
    begin = max(0, spans[0][0] - _BEFORE)
    begin = 0 if begin == 0 else looked.find(" ", begin, spans[0][0]) + 1 or begin
    end = min(len(looked), max(begin + _SHOWN, spans[0][1]))
    before, behind = "… " if begin else "", " …" if end < len(text) else ""
    return f"{before}{_html(looked, spans, begin, end)}{behind}"


def _html(text: str, spans: Iterable[tuple[int, int]], begin: int, end: int) -> str:
    parts, place = [], begin
    for first, last in spans:
        if first >= place and last <= end:
            parts += [escape(text[place:first]), f"<mark>{escape(text[first:last])}</mark>"]
            place = last
    return "".join([*parts, escape(text[place:end])])


def _spans(text: str, terms: Iterable[Term]) -> list[tuple[int, int]]:
    """Return from where to where something was found, in order and apart."""
    pattern = _pattern(terms)
    if not pattern:
        return []
    folded, places = _folded(text)
    found = re.finditer(pattern, folded)
    return list(_apart((places[item.start()], places[item.end()]) for item in found))


def _apart(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    last = 0
    for begin, end in spans:
        if begin >= last and end > begin:
            yield begin, end
            last = end


def _folded(text: str) -> tuple[str, list[int]]:
    """Return plain text and, for each place in it, the place in the text; the end too."""
    if text.isascii():
        return text.lower(), list(range(len(text) + 1))
    parts, places = [], []
    for place, char in enumerate(text):
        folded = plain(char)
        # What only changes the character before it goes with that one.
        parts.append(folded)
        places += [place] * len(folded)
    return "".join(parts), [*places, len(text)]


def _pattern(terms: Iterable[Term]) -> str:
    found = {_expression(form) for term in terms for form in term.forms}
    return "|".join(sorted(found, key=lambda item: (-len(item), item)))


def _expression(form: Form) -> str:
    if is_cjk(form.words[0]):
        return re.escape(form.words[0] + "".join(word[-1] for word in form.words[1:]))
    words = r"[\W_]+".join(map(re.escape, form.words))
    return rf"(?<![^\W_]){words}" + (r"[^\W_]*" if form.prefix else r"(?![^\W_])")
