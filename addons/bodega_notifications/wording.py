"""Rendering templates: in a sandbox, with every value escaped in HTML."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template
from jinja2.exceptions import SecurityError
from jinja2.filters import do_forceescape, do_mark_safe
from jinja2.sandbox import ImmutableSandboxedEnvironment

_LONGEST_TITLE, _LONGEST_TEXT = 200, 20_000


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody is told.

    Args:
        html: empty when there is none.
    """

    title: str
    text: str
    html: str = ""


class _Sandbox(ImmutableSandboxedEnvironment):
    """No attributes of Python, no functions, no other files, and no texts of a gigabyte."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not all(isinstance(item, int | float) for item in (left, right)):
            raise SecurityError(f"{operator} is for two numbers, and no powers")
        return super().call_binop(context, operator, left, right)


def _environment(*, html: bool) -> _Sandbox:
    made = _Sandbox(
        autoescape=html, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    made.globals.clear()
    # They make long texts of short ones.
    for name in ("center", "indent", "pprint", "xmlattr", "attr", "format", "map", "random"):
        made.filters.pop(name, None)
    return made


_TEXT, _HTML = _environment(html=False), _environment(html=True)


@lru_cache(maxsize=512)
def _compiled(source: str, html: bool) -> Template:
    found: Template = (_HTML if html else _TEXT).from_string(source)
    return found


def fill(source: str, values: Mapping[str, Any]) -> str:
    """Return what a template for text makes of values.

    Raises:
        TemplateError: it cannot be read, or reaches for what it must not.
    """
    return clean(_compiled(source, False).render(values))[:_LONGEST_TEXT]


def fill_html(source: str, values: Mapping[str, Any]) -> str:
    """Return what a template for HTML makes of values, each of which is escaped."""
    return ready(clean(_compiled(source, True).render(values)))


def ready(html: str) -> str:
    """Return HTML as a text that other templates for HTML take as it is."""
    return do_mark_safe(html)


def one_line(text: str) -> str:
    """Return a text fit for a subject: one line of bounded length, without controls."""
    line = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(line.split())[:_LONGEST_TITLE]


def clean(text: str) -> str:
    """Return a text without the control characters that no mail and no database takes."""
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in _UNFIT)


_UNFIT = ("Cc", "Cs")


def paragraphs(text: str) -> str:
    """Return a text as HTML: empty lines divide paragraphs."""
    parts = (str(do_forceescape(part.strip())) for part in text.strip().split("\n\n"))
    return ready("".join(f"<p>{part.replace(chr(10), '<br>' + chr(10))}</p>\n" for part in parts))
