"""A stranger's addon against Bodega's wheel: installed, tested, type-checked and verified there.

It installs from a package index, as a stranger does.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
EXAMPLE = Path(__file__).parents[2] / "examples" / "bodega-gift-cards"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the addon, so that nothing is left in the checkout."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*_cache", "build")
    copied: Path = shutil.copytree(EXAMPLE, tmp_path / EXAMPLE.name, ignore=ignored)
    return copied


def test_gift_cards_are_typed_tested_and_verified_against_the_wheel(
    author: Any, project: Path, postgres_server: str
) -> None:
    author.environ["BODEGA_TEST_DATABASE_URL"] = postgres_server
    author.run("pip", "install", "-q", ".[test]", folder=project)
    where = "import bodega, bodega_gift_cards as g; print(bodega.__path__, g.__file__)"
    found = author.run("python", "-c", where, folder=project.parent)
    assert found.count("site-packages") == 2
    mypy = (sys.executable, "-m", "mypy", "--python-executable", author.programs / "python")
    author.run(*mypy, folder=project)
    # The package that was installed is tested, not the copy beside the tests.
    shutil.move(project / "bodega_gift_cards", project.parent / "kept")
    assert " passed" in author.run("pytest", "-q", folder=project)
    assert "clean" in author.run("bodega", "verify", "gift_cards", folder=project)
