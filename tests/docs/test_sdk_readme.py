"""The first addon of sdk/README.md works as it stands there: its tests, its checks, its routes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "sdk" / "README.md").read_text()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """The addon of the page, in a folder, described as if it were installed from there."""
    pieces = re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", README, re.DOTALL)
    assert len(pieces) == 6
    (tmp_path / "bodega_notes").mkdir()
    (tmp_path / "bodega_notes" / "__init__.py").touch()
    for name, text in pieces:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    info = tmp_path / "bodega_notes-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bodega-notes\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text("[bodega.addons]\nnotes = bodega_notes.manifest\n")
    return tmp_path


def run(folder: Path, *command: str) -> str:
    """Run a command beside the addon; return what it printed."""
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environ | {"PYTHONPATH": path},
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_tests_pass(notes: Path) -> None:
    assert "2 passed" in run(notes, "pytest", "-q", "-p", "no:cacheprovider")


def test_a_shop_serves_it(notes: Path) -> None:
    home = str(notes / "shop")
    run(notes, "bodega", "--home", home, "migrate")
    told = run(notes, "bodega", "--home", home, "addons", "enable", "notes", "--timeout", "0")
    assert "notes" in told
    assert "/notes" in run(notes, "bodega", "--home", home, "openapi")
