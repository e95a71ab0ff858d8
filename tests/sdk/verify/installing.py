"""Installs made-up addons, as pip would."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

MANIFEST = """
from bodega_sdk import Manifest, Setting, manifest_hook

@manifest_hook
def addon_manifest():
    return Manifest(**({{"name": {name!r}, "version": "1.0.0", "package": "bodega_{name}",
                        "summary": "Points on every order"}} | dict({fields})))
"""


def install(folder: Path, name: str, files: Mapping[str, str], fields: str = "") -> None:
    """Write an addon as pip would install it; a file that is None is left out."""
    package = folder / f"bodega_{name}"
    sound: dict[str, Any] = {
        "__init__.py": "",
        "manifest.py": MANIFEST.format(name=name, fields=fields),
        "plugin.py": "",
        "py.typed": "",
        "README.md": "It counts points.",
    }
    for file, text in (sound | dict(files)).items():
        if text is not None:
            path = package / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
    metadata = folder / f"bodega_{name}-1.0.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: bodega-{name}\nVersion: 1.0.0\n"
    )
    (metadata / "entry_points.txt").write_text(
        f"[bodega.addons]\n{name} = bodega_{name}.manifest\n"
    )
