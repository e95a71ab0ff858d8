"""The directions in which the house may import, read from the source and its manifests."""

import ast
import configparser
import importlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from bodega_sdk import Manifest

HOUSE = Path(__file__).parents[2]
ROOTS = ("sdk", "platform", "addons", "manifests")


@dataclass(frozen=True)
class Import:
    """One import statement: where it stands and what it names."""

    file: Path
    line: int
    module: str
    relative: bool = False


@dataclass(frozen=True)
class Rules:
    """Who may import what.

    Args:
        manifests: the manifests of all addons, by name.
    """

    manifests: Mapping[str, Manifest]

    def objection(self, importer: str, found: Import) -> str | None:
        """Return why a module must not import another; None when it may."""
        if found.relative:
            return "imports are absolute"
        if within(found.module, "tests") or within(found.module, "conftest"):
            return "nothing imports tests"
        if not found.module.startswith("bodega") or self._allowed(importer, found.module):
            return None
        return self._why(importer)

    def _allowed(self, importer: str, module: str) -> bool:
        return any(within(module, allowed) for allowed in self._open_to(importer)) and not (
            within(module, "bodega_sdk.testing") and not within(importer, "bodega_sdk.testing")
        )

    def _open_to(self, importer: str) -> tuple[str, ...]:
        package = importer.partition(".")[0]
        if within(importer, "bodega_sdk.testing"):
            return ("bodega_sdk", "bodega")
        if package == "bodega_sdk":
            return ("bodega_sdk",)
        if package == "bodega_manifests":
            return ("bodega_sdk",)
        if package == "bodega":
            return ("bodega_sdk", "bodega")
        if package == "bodega_realtime":
            return ("bodega_sdk", "bodega", "bodega_realtime")
        return ("bodega_sdk", package, *self._apis(package))

    def _apis(self, package: str) -> Iterator[str]:
        """Yield the public faces of the addons that a package's manifest depends on."""
        for manifest in self.manifests.values():
            if manifest.package == package:
                for needed in manifest.dependencies:
                    if needed.name in self.manifests:
                        yield f"{self.manifests[needed.name].package}.api"

    def _why(self, importer: str) -> str:
        return f"{importer.partition('.')[0]} may import {', '.join(self._open_to(importer))} only"


def within(module: str, package: str) -> bool:
    """Whether a module is a package or lies in it."""
    return module == package or module.startswith(f"{package}.")


def imports_of(file: Path) -> Iterator[Import]:
    """Yield every import of a file, also those in functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                # "from a import b" may import the module a.b.
                yield Import(file, node.lineno, f"{node.module}.{alias.name}", node.level > 0)
        elif isinstance(node, ast.Call) and is_import_call(node):
            yield Import(file, node.lineno, node.args[0].value)  # type: ignore[attr-defined]


def is_import_call(node: ast.Call) -> bool:
    """Whether a call is ``import_module("…")`` or ``__import__("…")``."""
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    first = node.args[0] if node.args else None
    return (
        name in ("import_module", "__import__")
        and isinstance(first, ast.Constant)
        and isinstance(first.value, str)
    )


def violations(house: Path, manifests: Mapping[str, Manifest]) -> list[str]:
    """Return ``file:line: …`` for every import that goes in a direction it must not."""
    rules, found = Rules(manifests), []
    for root in ROOTS:
        for file in sorted((house / root).rglob("*.py")):
            importer = ".".join(file.relative_to(house / root).with_suffix("").parts)
            for item in imports_of(file):
                why = rules.objection(importer.removesuffix(".__init__"), item)
                if why:
                    where = f"{file.relative_to(house)}:{item.line}"
                    found.append(f"{where}: imports {item.module}: {why}")
    return found


def manifests_of_the_house() -> dict[str, Manifest]:
    """Read the manifests as the kernel does: one module for each, without its addon."""
    folder = HOUSE / "manifests" / "bodega_manifests"
    found = {}
    for file in folder.glob("*.py"):
        if file.stem != "__init__":
            manifest = importlib.import_module(f"bodega_manifests.{file.stem}").addon_manifest()
            found[manifest.name] = manifest
    return found


def test_every_import_goes_in_a_direction_that_is_allowed() -> None:
    assert violations(HOUSE, manifests_of_the_house()) == []


def test_every_addon_has_a_manifest_and_every_manifest_an_addon_and_an_entry_point() -> None:
    manifests = manifests_of_the_house()
    packages = {path.parent.name for path in (HOUSE / "addons").glob("*/__init__.py")}
    assert {manifest.package for manifest in manifests.values()} == packages
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    entries = project["entry-points"]["bodega.addons"]
    assert entries == {name: f"bodega_manifests.{name}" for name in manifests}


MANIFESTS = {
    "orders": Manifest("orders", "1.0", "bodega_orders", "x", depends=("products",)),
    "products": Manifest("products", "1.0", "bodega_products", "x"),
}
SOUND = {
    "sdk/bodega_sdk/models.py": "import os\nfrom bodega_sdk.ids import uuid7",
    "sdk/bodega_sdk/testing/shops.py": "from bodega.shop import Shop",
    "manifests/bodega_manifests/orders.py": "from bodega_sdk import Manifest",
    "platform/bodega/shop.py": "import falcon\nfrom bodega import state\nimport bodega_sdk.models",
    "platform/bodega_realtime/server.py": "from bodega.shop import Shop",
    "addons/bodega_products/api.py": "from bodega_products.models import Product",
    "addons/bodega_orders/checkout.py": """
        from bodega_products import api
        from bodega_products.api import upsert
        import bodega_products.api
        from bodega_sdk import Money
    """,
}


def house(tmp_path: Path, files: Mapping[str, str]) -> Path:
    """Write a made-up house."""
    for name, source in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))
    return tmp_path


def test_a_sound_house_has_no_violations(tmp_path: Path) -> None:
    assert violations(house(tmp_path, SOUND), MANIFESTS) == []


@pytest.mark.parametrize(
    ("file", "statement", "module"),
    [
        ("sdk/bodega_sdk/x.py", "import bodega", "bodega"),
        ("sdk/bodega_sdk/x.py", "from bodega.shop import Shop", "bodega.shop.Shop"),
        ("sdk/bodega_sdk/x.py", "import bodega_products.api", "bodega_products.api"),
        ("sdk/bodega_sdk/x.py", "import bodega_manifests", "bodega_manifests"),
        ("sdk/bodega_sdk/x.py", "import bodega_sdk.testing.shops", "bodega_sdk.testing.shops"),
        ("sdk/bodega_sdk/testing/x.py", "import bodega_products", "bodega_products"),
        ("manifests/bodega_manifests/x.py", "import bodega_orders", "bodega_orders"),
        ("manifests/bodega_manifests/x.py", "from bodega import shop", "bodega.shop"),
        ("platform/bodega/x.py", "import bodega_products", "bodega_products"),
        ("platform/bodega/x.py", "from bodega_products import api", "bodega_products.api"),
        ("platform/bodega/x.py", "from bodega_realtime import y", "bodega_realtime.y"),
        ("platform/bodega/x.py", "import bodega_manifests.orders", "bodega_manifests.orders"),
        ("platform/bodega/x.py", "from bodega_sdk.testing import y", "bodega_sdk.testing.y"),
        ("platform/bodega_realtime/x.py", "import bodega_products.api", "bodega_products.api"),
        ("addons/bodega_orders/x.py", "import bodega.shop", "bodega.shop"),
        ("addons/bodega_orders/x.py", "import bodega_products", "bodega_products"),
        ("addons/bodega_orders/x.py", "import bodega_products.models", "bodega_products.models"),
        (
            "addons/bodega_orders/x.py",
            "from bodega_products.bulk import y",
            "bodega_products.bulk.y",
        ),
        ("addons/bodega_orders/x.py", "import bodega_gift_cards.api", "bodega_gift_cards.api"),
        ("addons/bodega_products/x.py", "import bodega_orders.api", "bodega_orders.api"),
        ("addons/bodega_orders/x.py", "import bodega_realtime", "bodega_realtime"),
        ("addons/bodega_orders/x.py", "import bodega_sdk.testing", "bodega_sdk.testing"),
        ("addons/bodega_orders/x.py", "import tests.kernel", "tests.kernel"),
        ("platform/bodega/x.py", "import conftest", "conftest"),
        ("addons/bodega_orders/x.py", "from . import models", "None.models"),
        ("platform/bodega/http/x.py", "from ..shop import Shop", "shop.Shop"),
        ("platform/bodega/x.py", "import_module('bodega_orders.plugin')", "bodega_orders.plugin"),
        ("platform/bodega/x.py", "__import__('bodega_orders')", "bodega_orders"),
    ],
)
def test_every_kind_of_violation_is_found_with_its_file_and_line(
    tmp_path: Path, file: str, statement: str, module: str
) -> None:
    sources = {
        "at the top": f'"""Docs."""\n\n{statement}\n',
        "in a function": f"\n\ndef f():\n    {statement}\n",
        "for types only": f"import typing\nif typing.TYPE_CHECKING:\n    {statement}\n",
    }
    for line, source in zip((3, 4, 3), sources.values(), strict=True):
        (found,) = violations(house(tmp_path, {**SOUND, file: source}), MANIFESTS)
        assert found.startswith(f"{file}:{line}: imports {module}: ")


def test_the_message_says_what_would_be_allowed(tmp_path: Path) -> None:
    made_up = house(tmp_path, {"addons/bodega_orders/x.py": "import bodega_gift_cards"})
    assert violations(made_up, MANIFESTS) == [
        "addons/bodega_orders/x.py:1: imports bodega_gift_cards: "
        "bodega_orders may import bodega_sdk, bodega_orders, bodega_products.api only"
    ]


def listed(section: str, option: str) -> set[str]:
    """Return the lines of an option of a contract in setup.cfg."""
    contracts = configparser.ConfigParser()
    contracts.read(HOUSE / "setup.cfg")
    return set(contracts[section][option].split("\n")) - {""}


def test_the_contracts_in_setup_cfg_name_every_package() -> None:
    packages = {
        path.parent.name for root in ROOTS for path in (HOUSE / root).glob("bodega*/__init__.py")
    }
    assert listed("importlinter", "root_packages") == packages
    addons = {manifest.package for manifest in manifests_of_the_house().values()}
    for layer in ("sdk", "manifests", "kernel", "realtime"):
        assert addons <= listed(f"importlinter:contract:{layer}", "forbidden_modules")
    assert listed("importlinter:contract:addons", "source_modules") == addons
    assert listed("importlinter:contract:apart", "modules") == addons


def test_the_contracts_in_setup_cfg_allow_what_the_manifests_do() -> None:
    manifests = manifests_of_the_house()
    allowed = {
        f"{manifest.package}.** -> {manifests[needed.name].package}.api"
        for manifest in manifests.values()
        for needed in manifest.dependencies
    }
    assert listed("importlinter:contract:apart", "ignore_imports") == allowed
