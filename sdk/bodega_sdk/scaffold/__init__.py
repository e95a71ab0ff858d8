"""What ``bodega new-addon`` renders: a complete addon, from the files in ``template/``.

A file ``NAME.j2`` becomes ``NAME``; ``dot_`` at the beginning of a name becomes ``.``,
and the folder ``package`` the addon's own.
"""

import keyword
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import jinja2

__all__ = ["LONGEST_NAME", "NewAddon", "render"]

#: Characters of a name: a database takes 63 for that of an index.
LONGEST_NAME = 30
_LONGEST_TITLE = 60
_TEMPLATE = Path(__file__).parent / "template"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class NewAddon:
    """An addon that is to be made.

    Args:
        name: lower_snake_case.
        title: as it is shown to people; made of the name when empty.

    Raises:
        ValueError: the name or the title cannot be an addon's; the message says why.
    """

    name: str
    title: str = ""

    def __post_init__(self) -> None:
        _check_name(self.name)
        words = self.name.replace("_", " ")
        object.__setattr__(self, "title", self.title.strip() or words.capitalize())
        _check_title(self.title)

    @property
    def package(self) -> str:
        """The import name of its code."""
        return f"bodega_{self.name}"

    @property
    def root(self) -> str:
        """The first segment of its routes."""
        return self.name.replace("_", "-")

    @property
    def camel(self) -> str:
        """What the names of its schemas begin with: one for the whole shop."""
        return self.name.title().replace("_", "")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"expected lower_snake_case such as 'gift_cards', found {name!r}")
    if keyword.iskeyword(name):
        raise ValueError(f"{name!r} is a word of Python's own; choose another")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"expected at most {LONGEST_NAME} characters, found {len(name)}")


def _check_title(title: str) -> None:
    # It stands in Python, in TOML and in Markdown.
    if not title.isprintable() or set(title) & set('"\\`<>') or len(title) > _LONGEST_TITLE:
        raise ValueError(
            f"the title: expected at most {_LONGEST_TITLE} characters on one line, "
            f"without quotes, backslashes, backticks and angles, found {title[:100]!r}"
        )


def render(addon: NewAddon, bodega_version: str) -> dict[str, str]:
    """Return the files of a new addon: path below its folder → content.

    Args:
        bodega_version: the oldest Bodega that it shall work with.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATE),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        # Nothing that is rendered is HTML.
        autoescape=False,  # noqa: S701
    )
    told = {"addon": addon, "name": addon.name, "package": addon.package,
            "bodega_version": bodega_version}  # fmt: skip
    names = sorted(environment.list_templates(["j2"]))
    return {_place(name, addon): environment.get_template(name).render(told) for name in names}


def _place(template: str, addon: NewAddon) -> str:
    first, *rest = PurePosixPath(template.removesuffix(".j2")).parts
    parts = [addon.package if first == "package" and rest else first, *rest]
    return "/".join(re.sub(r"^dot_", ".", part) for part in parts)
