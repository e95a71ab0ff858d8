"""``bodega verify`` finds what tired colleagues did to an addon, and nothing in the clean one.

The defects were written from docs/verify.md by somebody who had not read the checker.
"""

import importlib.util
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
FOLDER = Path(__file__).parents[1] / "seeded_defects"


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


DEFECTS = _load("defects").DEFECTS
lay_out = _load("layout").lay_out


def verify(folder: Path, *options: str) -> dict[str, Any]:
    """Verify the addon that is laid out in a folder; return the report."""
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    command = [sys.executable, "-m", "bodega", "verify", "lending", "--json", *options]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": path},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert bool(report["findings"]) == bool(done.returncode)
    return report


def test_the_clean_addon_keeps_every_rule_on_both_engines(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "clean")
    assert verify(folder, "--engine", "all")["findings"] == []


@pytest.fixture(scope="module")
def missed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was found instead, of each defect of which none of its rules was found."""
    folder = tmp_path_factory.mktemp("defects")

    def look_for(defect: Any) -> tuple[str, set[str]]:
        place = lay_out(folder / defect.id, defect)
        rules = [option for rule in defect.rule for option in ("--rule", rule)]
        report = verify(place, "--engine", defect.engine or "sqlite", *rules)
        return defect.id, {finding["rule"] for finding in report["findings"]}

    # As many at a time as the machine has processors: each is a process of its own.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(pool.map(look_for, DEFECTS))
    return {
        defect.id: found[defect.id] for defect in DEFECTS if not found[defect.id] & {*defect.rule}
    }


def test_every_seeded_defect_is_found(missed: dict[str, Any]) -> None:
    assert len(DEFECTS) >= 30
    assert missed == {}
