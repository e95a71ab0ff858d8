"""Whether a text says anything."""

import re
from typing import Any

_PLACEHOLDER = re.compile(
    r"\b(todo|fixme|xxx|tbd|lorem ipsum)\b|^(describe|fill in)\b|^\.\.\.$", re.I
)
_WORD = re.compile(r"\w+")


def is_sentence(text: Any, longest: int = 10_000, words: int = 2) -> bool:
    """Whether a text is one line of at least some words, and no placeholder."""
    return says_something(text, words) and "\n" not in text.strip() and len(text) <= longest


def says_something(text: Any, words: int = 1) -> bool:
    """Whether a text has at least some words and is no placeholder."""
    if not isinstance(text, str) or _PLACEHOLDER.search(text.strip()):
        return False
    return len(_WORD.findall(text)) >= words
