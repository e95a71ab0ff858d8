"""Finding templates: the operator's before an addon's before ours, in the best language.

A template is a file ``TYPE.LANGUAGE.toml`` with ``title``, ``text`` and, if it likes,
``html`` and ``link``. The operator's lie in ``files/notifications/templates`` below
BODEGA_HOME, those of an addon in the folder ``notifications`` of its package.
"""

import importlib.util
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bodega_notifications.kinds import NotificationType
from bodega_sdk import folder, setting

_OURS = Path(__file__).parent / "templates"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_NAME = re.compile(r"[a-z0-9_.]+")
_PARTS = ("title", "text", "html", "link")
#: In which every template of the house is there.
LAST_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Template:
    """The wording of something in one language.

    Args:
        origin: operator, addon, house or type (when it stands in the type itself).
        title, text, html, link: sources; html and link may be empty.
    """

    name: str
    language: str
    origin: str
    title: str
    text: str
    html: str = ""
    link: str = ""


class UnreadableTemplate(ValueError):
    """A file is no template."""


def is_language(text: object) -> bool:
    """Whether a text is a language's tag, such as ``de`` or ``pt-BR``."""
    return isinstance(text, str) and bool(_LANGUAGE.fullmatch(text))


def languages_for(wanted: object) -> list[str]:
    """Return the languages to look for, best first: de-AT, de, the shop's, English."""
    found: list[str] = []
    for item in (wanted, setting("notifications.language"), LAST_LANGUAGE):
        if isinstance(item, str) and is_language(item):
            parts = item.split("-")
            found += ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return list(dict.fromkeys(found))


def candidates(kind: NotificationType, wanted: object) -> Iterator[Template | UnreadableTemplate]:
    """Yield the templates of a type, best first; what cannot be read as the error it is."""
    yield from files(kind.name, wanted, kind.package)
    yield inline(kind)


def files(name: str, wanted: object, package: str = "") -> Iterator[Template | UnreadableTemplate]:
    """Yield the templates of a name that lie in files, best first."""
    if not _NAME.fullmatch(name):
        return
    for language in languages_for(wanted):
        for origin, place in _places(package):
            path = place / f"{name}.{language}.toml"
            if path.is_file():
                try:
                    yield _read(path, path.stat().st_mtime_ns, origin)
                except UnreadableTemplate as error:
                    yield error


def inline(kind: NotificationType) -> Template:
    """Return the template that stands in a type itself, which is there in any case."""
    heading = kind.heading or kind.title
    text = kind.text or heading
    return Template(kind.name, LAST_LANGUAGE, "type", heading, text, kind.html, kind.link)


def languages_of(name: str, package: str = "") -> dict[str, str]:
    """Return the languages in which a name has files, each with the origin of the best."""
    found: dict[str, str] = {}
    for origin, place in reversed(list(_places(package))):
        for path in sorted(place.glob(f"{name}.*.toml")):
            language = path.name[len(name) + 1 : -len(".toml")]
            if is_language(language):
                found[language] = origin
    return dict(sorted(found.items()))


def _places(package: str) -> Iterator[tuple[str, Path]]:
    yield "operator", folder("notifications") / "templates"
    if package and (spec := importlib.util.find_spec(package)) and spec.origin:
        yield "addon", Path(spec.origin).parent / "notifications"
    yield "house", _OURS


@lru_cache(maxsize=512)
def _read(path: Path, changed: int, origin: str) -> Template:
    """Return the template of a file; it is read anew when the file has changed."""
    name, _, language = path.name.removesuffix(".toml").rpartition(".")
    try:
        parts = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableTemplate(f"{path.name} of the {origin}: {error}") from None
    wrong = [key for key, value in parts.items() if key not in _PARTS or not isinstance(value, str)]
    if wrong or not {"title", "text"} <= parts.keys():
        told = f"expected title and text, and perhaps html and link, found {', '.join(parts)}"
        raise UnreadableTemplate(f"{path.name} of the {origin}: {told}")
    return Template(name, language, origin, **parts)
