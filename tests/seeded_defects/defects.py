"""The seeded defects: what tired colleagues did to the addon ``lending``, one at a time.

Each breaks at least one rule of docs/verify.md, which lists them by number. They are written
down in the folder ``themes``; README.md says how one is added.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

THEMES = Path(__file__).parent / "themes"


class Edit(NamedTuple):
    """A change of one file of the distribution.

    ``old`` stands in it exactly once and becomes ``new``; when ``old`` is empty, ``new`` is
    the text of a new file.
    """

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect.

    Args:
        id: for the tests' names.
        title: what the colleague did, one sentence.
        rule: the rules that it breaks; a checker must find one of them at least.
        edits: what is changed.
        removed: files that are missing.
        engine: the one that it can be found on, ``sqlite`` or ``postgres``; empty for either.
    """

    id: str
    title: str
    rule: tuple[str, ...]
    edits: tuple[Edit, ...] = ()
    removed: tuple[str, ...] = ()
    engine: str = ""


def _read(theme: Path) -> Iterator[Defect]:
    for item in tomllib.loads(theme.read_text())["defect"]:
        edits = tuple(Edit(**edit) for edit in item.pop("edits", ()))
        rule, removed = tuple(item.pop("rule")), tuple(item.pop("removed", ()))
        yield Defect(**item, rule=rule, edits=edits, removed=removed)


#: All of them, theme by theme.
DEFECTS = tuple(defect for theme in sorted(THEMES.glob("*.toml")) for defect in _read(theme))
