"""Every seeded defect fits the addon it is made for, and leaves Python that can be parsed."""

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    """Import a module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"seeded_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look for their module while they are made.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


layout: Any = load("layout")
defects: Any = load("defects")
RULES = set(re.findall(r"^\*\*(V\d{3}) ", (HERE.parents[1] / "docs/verify.md").read_text(), re.M))


@pytest.mark.parametrize("defect", defects.DEFECTS, ids=lambda defect: defect.id)
def test_a_defect_applies_and_can_be_parsed(defect: Any, tmp_path: Path) -> None:
    folder = layout.lay_out(tmp_path / "site", defect)
    for file in folder.rglob("*.py"):
        ast.parse(file.read_text(), str(file))
    assert defect.edits or defect.removed


@pytest.mark.parametrize("defect", defects.DEFECTS, ids=lambda defect: defect.id)
def test_a_defect_breaks_rules_that_there_are(defect: Any) -> None:
    assert defect.rule
    assert set(defect.rule) <= RULES
    assert defect.engine in ("", "sqlite", "postgres")


def test_every_defect_has_an_id_of_its_own() -> None:
    ids = [defect.id for defect in defects.DEFECTS]
    assert len(set(ids)) == len(ids) >= 30


def test_an_edit_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    edit = defects.Edit("bodega_lending/plugin.py", "no such text", "")
    defect = defects.Defect("wrong", "It does not fit.", ("V101",), (edit,))
    with pytest.raises(layout.DoesNotApply, match=r"plugin\.py holds 'no such text' 0 times"):
        layout.lay_out(tmp_path / "site", defect)


def test_the_clean_addon_is_laid_out_as_an_installed_distribution(tmp_path: Path) -> None:
    folder = layout.lay_out(tmp_path / "site")
    assert (folder / "bodega_lending" / "__init__.py").read_text() == ""
    entries = (folder / "bodega_lending-1.2.0.dist-info" / "entry_points.txt").read_text()
    assert entries == "[bodega.addons]\nlending = bodega_lending.manifest\n"
