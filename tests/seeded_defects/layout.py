"""Lays the addon ``lending`` out as an installed distribution, with a defect or without."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

CLEAN = Path(__file__).parent / "clean"
PACKAGE = "bodega_lending"


class DoesNotApply(Exception):
    """An edit's old text is not there exactly once, or its file is there or missing."""


def lay_out(folder: Path, defect: Any = None) -> Path:
    """Copy the addon into a folder that is to stand on ``sys.path``; return that folder.

    It then holds the package, README.md, pyproject.toml and the metadata that pip writes.

    Args:
        folder: it must not exist yet.
        defect: what to put into the addon, see ``defects.py``; None leaves it clean.

    Raises:
        DoesNotApply: the defect does not fit the addon, naming file and text.
    """
    shutil.copytree(CLEAN, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in defect.removed if defect else ():
        (folder / file).unlink()
    for edit in defect.edits if defect else ():
        _apply(folder, *edit)
    (folder / PACKAGE / "__init__.py").touch()
    _describe(folder)
    return folder


def _apply(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    if not old:
        if path.exists():
            raise DoesNotApply(f"{file} is there already")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(new)
        return
    text = path.read_text()
    if text.count(old) != 1:
        raise DoesNotApply(f"{file} holds {old!r} {text.count(old)} times")
    path.write_text(text.replace(old, new))


def _describe(folder: Path) -> None:
    """Write the metadata of the distribution, from its pyproject.toml."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    metadata = folder / f"{PACKAGE}-{project['version']}.dist-info"
    metadata.mkdir()
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        *(f"Requires-Dist: {item}" for item in project["dependencies"]),
    ]
    (metadata / "METADATA").write_text("\n".join(lines) + "\n")
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())])
        for group, entries in project.get("entry-points", {}).items()
    ]
    (metadata / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
