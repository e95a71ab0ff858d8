"""What somebody looks for: a text parsed into terms, and these in the words of each engine.

Words must all be found, the last one by its beginning; ``"words in quotes"`` must stand
side by side, and what a hyphen stands before must not be found. Anything else is neither
an operator nor an error.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bodega_products.search_words import is_cjk, pairs, pieces, plain, squeezed

#: Characters of a text and terms in it that count.
LONGEST_TEXT, MOST_TERMS = 1000, 12
_PART = re.compile(r'(-?)"([^"]*)"|(\S+)')
_HYPHENATED = re.compile(r"[-'’._/&+]")


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which a term may be written.

    Args:
        words: more than one stand side by side.
        prefix: whether the last one may go on.
        percent: what it is worth; less than 100 for what was not sent so.
    """

    words: tuple[str, ...]
    prefix: bool = False
    percent: int = 100

    @property
    def needle(self) -> str:
        """What must stand in an indexed field."""
        return f" {' '.join(self.words)}{'' if self.prefix else ' '}"

    @property
    def exact(self) -> str:
        """The same, and it must not go on."""
        return f" {' '.join(self.words)} "


@dataclass(frozen=True, slots=True)
class Term:
    """What must be found in one of its forms, or must not.

    Args:
        quoted: whether it is to be taken as it is.
    """

    forms: tuple[Form, ...]
    excluded: bool = False
    quoted: bool = False

    @property
    def loose(self) -> str:
        """The one word that may be a slip of the pen; empty if there is none."""
        form = self.forms[0]
        fixed = self.quoted or self.excluded or len(form.words) > 1 or is_cjk(form.words[0])
        return "" if fixed else form.words[0]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed text.

    Args:
        whole: the text as a SKU is compared.
    """

    terms: tuple[Term, ...]
    whole: str = ""

    @property
    def wanted(self) -> tuple[Term, ...]:
        """What must be found."""
        return tuple(term for term in self.terms if not term.excluded)

    @property
    def unwanted(self) -> tuple[Term, ...]:
        """What must not be found."""
        return tuple(term for term in self.terms if term.excluded)


def parse(text: str) -> Query:
    """Parse what somebody typed; any text is one."""
    folded = plain(text[:LONGEST_TEXT])
    terms = list(_terms(folded))[:MOST_TERMS]
    for place in reversed(range(len(terms))):
        if not terms[place].excluded:
            terms[place] = _open(terms[place])
            break
    return Query(tuple(terms), squeezed(folded))


def _terms(folded: str) -> Iterator[Term]:
    for minus, phrase, chunk in _PART.findall(folded):
        if chunk:
            excluded = chunk.startswith("-")
            yield from (Term(forms, excluded) for forms in _forms(chunk))
        elif found := _phrase(phrase):
            yield Term((Form(found),), bool(minus), quoted=True)


def _phrase(text: str) -> tuple[str, ...]:
    return tuple(
        word
        for piece in pieces(text)
        for word in (pairs(piece) or [piece] if is_cjk(piece) else [piece])
    )


def _forms(chunk: str) -> Iterator[tuple[Form, ...]]:
    """Yield the terms of what has no space in it."""
    found = pieces(chunk)
    if len(found) > 1 and not any(map(is_cjk, found)) and _HYPHENATED.search(chunk):
        for part in _PIECES_APART.split(chunk):
            yield from _hyphenated(part)
        return
    for piece in found:
        if is_cjk(piece):
            yield (Form(tuple(pairs(piece))),) if len(piece) > 1 else (Form((piece,), True),)
        else:
            yield (Form((piece,)),)


# What parts words even without a space: everything but what joins them.
_PIECES_APART = re.compile(r"[^\w\-'’.&/+]+")


def _hyphenated(part: str) -> Iterator[tuple[Form, ...]]:
    found = pieces(part)
    if len(found) > 1:
        yield Form(tuple(found)), Form((squeezed(part),), True, 90)
    elif found:
        yield (Form((found[0],)),)


def _open(term: Term) -> Term:
    """Return the last term: what was typed of it may be its beginning."""
    if term.quoted or is_cjk(term.forms[0].words[0]):
        return term
    forms = tuple(Form(form.words, True, form.percent) for form in term.forms)
    return Term(forms)


def for_sqlite(terms: Iterable[Term]) -> str:
    """Return terms as FTS5 reads them; side by side is not told."""
    return " AND ".join(_grouped(term, '"{}"', "*", "AND", "OR") for term in terms)


def for_postgres(terms: Iterable[Term]) -> str:
    """Return terms as a tsquery; side by side is not told."""
    return " & ".join(_grouped(term, "'{}'", ":*", "&", "|") for term in terms)


def _grouped(term: Term, quotes: str, star: str, both: str, either: str) -> str:
    """Words have nothing but letters and digits: nothing of them is an operator in quotes."""
    forms = []
    for form in term.forms:
        marked = [quotes.format(word) for word in form.words]
        marked[-1] += star if form.prefix else ""
        forms.append(f"({f' {both} '.join(marked)})")
    return f"({f' {either} '.join(forms)})"
