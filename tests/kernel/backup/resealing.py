"""Backups that say something else than was written, under a seal that is right."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bodega.bundles import INDEX, seal


def resealed(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Return a bundle with other content, under a seal that is right."""
    with zipfile.ZipFile(path) as bundle:
        members = {name: bundle.read(name) for name in bundle.namelist()}
        comment = bundle.comment
    change(members)
    target = path.with_name("resealed.zip")
    with target.open("w+b") as file:
        with zipfile.ZipFile(file, "w") as bundle:
            for name, content in members.items():
                bundle.writestr(name, content)
            bundle.comment = comment
        seal(file)
    return target


def index(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    """Return a change of what a bundle says about itself."""

    def edit(members: dict[str, bytes]) -> None:
        told = json.loads(members[INDEX])
        change(told)
        members[INDEX] = json.dumps(told).encode()

    return edit
