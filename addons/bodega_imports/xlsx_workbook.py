"""What a workbook tells of its sheets: which there are, and how their cells show numbers."""

from pathlib import Path

from bodega_imports.records import UnreadableFile
from bodega_imports.xlsx_parts import Parts, broken_workbook, local
from bodega_imports.xlsx_strings import Strings
from bodega_imports.xlsx_values import Show, styles


class Workbook:
    """What the parts beside the sheets tell."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        kinds = parts.related("").values()
        path = next((path for kind, path in kinds if kind == "officeDocument"), "xl/workbook.xml")
        self._related = parts.related(path)
        self._sheets: list[tuple[str, str, bool]] = []
        self._since_1904 = False
        parts.walk(path, self._element)

    def _element(self, name: str, given: dict[str, str]) -> None:
        if name == "workbookPr":
            self._since_1904 = given.get("date1904", "") in ("1", "true")
        elif name == "sheet" and len(self._sheets) < 10_000:
            key = next((value for key, value in given.items() if local(key) == "id"), "")
            kind, path = self._related.get(key, ("", ""))
            if kind == "worksheet":
                shown = given.get("state", "visible") == "visible"
                self._sheets.append((given.get("name", ""), path, shown))

    def path_of(self, wanted: str) -> str:
        """Return the path of a sheet."""
        if not self._sheets:
            raise broken_workbook("it has no sheet")
        if not wanted:
            return next((path for _, path, shown in self._sheets if shown), self._sheets[0][1])
        for name, path, _ in self._sheets:
            if name.strip().casefold() == wanted.strip().casefold():
                return path
        if wanted.isdecimal() and 0 < int(wanted[:9]) <= len(self._sheets):
            return self._sheets[int(wanted[:9]) - 1][1]
        names = ", ".join(repr(name[:50]) for name, _, _ in self._sheets[:20])
        raise UnreadableFile(f"The workbook has no sheet {wanted[:50]!r}: it has {names}.")

    def strings(self, folder: Path) -> Strings | None:
        """Return the shared strings, where there are any."""
        path = self._path("sharedStrings")
        return Strings(self._parts.open(path), folder) if path in self._parts else None

    def shows(self) -> list[Show]:
        """Return how cells of each style show numbers."""
        formats: dict[int, str] = {}
        used: list[int] = []
        inside = [False]

        def element(name: str, given: dict[str, str]) -> None:
            if name == "numFmt" and len(formats) < 10_000:
                formats[small(given.get("numFmtId", ""))] = given.get("formatCode", "")[:255]
            elif name in ("cellXfs", "cellStyleXfs", "dxfs", "cellStyles"):
                inside[0] = name == "cellXfs"
            elif name == "xf" and inside[0] and len(used) < 100_000:
                used.append(small(given.get("numFmtId", "0")))

        if (path := self._path("styles")) in self._parts:
            self._parts.walk(path, element)
        return styles(formats, used, self._since_1904)

    def _path(self, kind: str) -> str:
        return next((path for known, path in self._related.values() if known == kind), "-")


def small(text: str) -> int:
    """Return the number that an attribute tells; 0 when it tells none, or a huge one."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0
