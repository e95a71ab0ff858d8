"""Fixtures: addons that a test makes up."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bodega.addons import lifecycle

MANIFEST = """
from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest():
    return Manifest(name={name!r}, version="1.0.0", package="bodega_test_{name}",
                    summary="Made by a test", depends={depends!r})
"""


@pytest.fixture
def addon(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Write an addon, its plugin and what it depends on given, and enable it on the shop."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))

    def enable(name: str, plugin: str, depends: tuple[str, ...] = ("products",)) -> None:
        package = tmp_path / f"bodega_test_{name}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "manifest.py").write_text(MANIFEST.format(name=name, depends=depends))
        (package / "plugin.py").write_text(f"from bodega_sdk import Money, hookimpl\n{plugin}")
        described = tmp_path / f"bodega_test_{name}-1.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Name: bodega-test-{name}\nVersion: 1.0\n")
        entry = f"[bodega.addons]\n{name} = bodega_test_{name}.manifest\n"
        (described / "entry_points.txt").write_text(entry)
        importlib.invalidate_caches()
        lifecycle.enable(shop, name)
        shop.refresh()

    yield enable
    for module in [item for item in sys.modules if item.startswith("bodega_test_")]:
        del sys.modules[module]
