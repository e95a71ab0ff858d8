"""``bodega new-addon``: what it writes, what it says, and what it refuses."""

import ast
import importlib.metadata
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bodega_sdk.scaffold import LONGEST_NAME, NewAddon, render

Bodega = Callable[..., "subprocess.CompletedProcess[str]"]
NAMES = ("a", "loyalty", "gift_cards", "x" * (LONGEST_NAME - 3) + "_42")


@pytest.fixture
def bodega(tmp_path: Path) -> Bodega:
    """Runs ``bodega …`` in an empty folder."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "bodega", *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip

    return run


def refused(done: Any, code: int = 2) -> str:
    """Return what a command that was refused says."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def files(folder: Path) -> dict[str, str]:
    """Return every file below a folder, with its content."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_everything_that_an_addon_has_is_written(bodega: Bodega, tmp_path: Path) -> None:
    done = bodega("new-addon", "loyalty")
    assert done.returncode == 0, done.stderr
    made = files(tmp_path / "loyalty")
    code = ("__init__.py", "api.py", "awarding.py", "discounting.py", "events.py", "extensions.py",
            "jobs.py", "manifest.py", "migrations/0001_create_awards.py", "models.py", "plugin.py",
            "py.typed", "resources.py", "schemas.py")  # fmt: skip
    tests = ("conftest.py", "test_awards.py", "test_lifecycle.py", "test_products.py")
    assert made.keys() == {
        ".github/workflows/tests.yml", ".gitignore", "README.md", "pyproject.toml",
        *(f"bodega_loyalty/{name}" for name in code), *(f"tests/{name}" for name in tests),
    }  # fmt: skip
    version = importlib.metadata.version("bodega")
    assert f'dependencies = ["bodega>={version}"]' in made["pyproject.toml"]


def test_it_says_what_to_do_next(bodega: Bodega) -> None:
    told = bodega("new-addon", "loyalty", "--title", "Loyalty points", "--in", "our/addons").stdout
    lines = [line.partition("#")[0].strip() for line in told.splitlines()]
    assert lines[0].startswith("Made Loyalty points in our/addons/loyalty: ")
    assert lines[2:] == [
        "cd our/addons/loyalty",
        "pip install -e '.[test]'",
        "pytest",
        "bodega verify loyalty",
        "bodega addons install loyalty --plan",
        "bodega addons enable loyalty",
    ]


def test_the_help_says_what_is_made_and_how_a_name_looks(bodega: Bodega) -> None:
    told = " ".join(bodega("new-addon", "--help").stdout.split())
    for words in ("lower_snake_case", "--title", "--in", "Nothing that exists is overwritten",
                  "bodega new-addon loyalty"):  # fmt: skip
        assert words in told


@pytest.mark.parametrize("name", ["GiftCards", "gift-cards", "1up", "gift__cards", "_x", "x_", "ä"])
def test_a_name_that_is_not_lower_snake_is_refused(
    bodega: Bodega, tmp_path: Path, name: str
) -> None:
    told = refused(bodega("new-addon", "--", name))
    assert f"expected lower_snake_case such as 'gift_cards', found '{name}'" in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("class", "'class' is a word of Python's own"),
        ("products", "an addon 'products' is installed here already"),
        ("categories", "the addon 'products' owns the routes below '/categories'"),
        ("bodega", "'bodega' is the kernel's"),
        ("jobs", "'jobs' is the kernel's"),
        ("sdk", "a package 'bodega_sdk' is installed here already"),
        ("x" * (LONGEST_NAME + 1), f"at most {LONGEST_NAME} characters, found {LONGEST_NAME + 1}"),
    ],
)
def test_a_name_that_is_taken_is_refused_saying_by_whom(
    bodega: Bodega, tmp_path: Path, name: str, reason: str
) -> None:
    assert reason in refused(bodega("new-addon", name))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("title", ['Say "hello"', "Two\nlines", "back\\slash", "x" * 61])
def test_a_title_that_cannot_stand_in_a_file_is_refused(
    bodega: Bodega, tmp_path: Path, title: str
) -> None:
    assert "the title: expected" in refused(bodega("new-addon", "loyalty", "--title", title))
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(bodega: Bodega, tmp_path: Path) -> None:
    kept = tmp_path / "loyalty" / "notes.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    told = refused(bodega("new-addon", "loyalty"), code=1)
    assert "loyalty exists and is not an empty folder; nothing is overwritten" in told
    assert files(tmp_path) == {"loyalty/notes.txt": "mine"}


def test_a_file_of_that_name_is_not_overwritten_either(bodega: Bodega, tmp_path: Path) -> None:
    (tmp_path / "loyalty").write_text("mine")
    assert "nothing is overwritten" in refused(bodega("new-addon", "loyalty"), code=1)
    assert (tmp_path / "loyalty").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_named_and_nothing_is_left(
    bodega: Bodega, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    told = refused(bodega("new-addon", "loyalty", "--in", "file/below"), code=1)
    assert "cannot write file/below/loyalty: Not a directory" in told
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_empty_folder_is_filled(bodega: Bodega, tmp_path: Path) -> None:
    (tmp_path / "loyalty").mkdir()
    assert bodega("new-addon", "loyalty").returncode == 0
    assert (tmp_path / "loyalty" / "pyproject.toml").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["loyalty"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_rendered_is_sound_python_and_toml_whatever_the_name(name: str) -> None:
    made = render(NewAddon(name), "0.1.0")
    project = tomllib.loads(made["pyproject.toml"])
    entries = project["project"]["entry-points"]["bodega.addons"]
    assert entries == {name: f"bodega_{name}.manifest"}
    for path, content in made.items():
        assert "{{" not in content.replace("${{", ""), path
        if path.endswith(".py"):
            ast.parse(content, path)
            assert content.startswith('"""'), path
            assert max(map(len, content.splitlines())) <= 100, path


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_is_sound_and_says_what_pyproject_says(name: str) -> None:
    made = render(NewAddon(name), "0.1.0")
    module: dict[str, Any] = {}
    exec(made[f"bodega_{name}/manifest.py"], module)
    manifest = module["addon_manifest"]()
    project = tomllib.loads(made["pyproject.toml"])["project"]
    assert (manifest.name, manifest.package) == (name, f"bodega_{name}")
    assert (manifest.version, manifest.depends) == (project["version"], ("products",))
    assert {item.name for item in manifest.settings} == {"welcome_points", "discount_percent"}


def test_the_title_is_made_of_the_name() -> None:
    assert NewAddon("gift_cards").title == "Gift cards"
    assert NewAddon("gift_cards", "Cartes cadeaux").title == "Cartes cadeaux"
    readme = render(NewAddon("gift_cards", "Cartes cadeaux"), "0.1.0")["README.md"]
    assert readme.startswith("# Cartes cadeaux\n")


def test_the_readme_tells_of_every_permission_setting_and_module() -> None:
    made = render(NewAddon("gift_cards"), "0.1.0")
    readme = made["README.md"]
    for word in ("gift_cards.read", "gift_cards.award", "gift_cards.welcome_points",
                 "gift_cards.discount_percent", "gift_cards.add_up", "gift_cards.awarded",
                 "no licence yet"):  # fmt: skip
        assert word in readme, word
    modules = {Path(path).name for path in made if path.startswith("bodega_gift_cards/")}
    for name in modules - {"__init__.py", "py.typed", "0001_create_awards.py"}:
        assert name in readme, name


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_rendered_tests_pass_on_both_engines(
    bodega: Bodega, tmp_path: Path, postgres_server: str
) -> None:
    assert bodega("new-addon", "gift_cards").returncode == 0
    project = tmp_path / "gift_cards"
    metadata = tmp_path / "site" / "bodega_gift_cards-0.1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: bodega-gift-cards\nVersion: 0.1.0\n"
    )
    entries = tomllib.loads((project / "pyproject.toml").read_text())["project"]["entry-points"]
    lines = [f"{name} = {value}" for name, value in entries["bodega.addons"].items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[bodega.addons]", *lines, ""]))
    paths = (str(project), str(tmp_path / "site"), *filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:valkey", "-p", "no:cacheprovider",
         "-o", "bodega_engines=sqlite postgres"],
        cwd=project, capture_output=True, text=True, timeout=280, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths),
                          "BODEGA_TEST_DATABASE_URL": postgres_server},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "34 passed" in done.stdout
