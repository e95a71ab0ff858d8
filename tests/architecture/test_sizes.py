"""Sizes and places: nothing too long, and no file where it would be in the way."""

import ast
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest

HOUSE = Path(__file__).parents[2]
ROOTS = ("sdk", "platform", "addons", "manifests")
LONGEST_BODY, LONGEST_MODULE = 60, 500
FORBIDDEN = {"utils.py", "util.py", "helpers.py", "helper.py", "misc.py", "common.py"}


def sources(house: Path) -> Iterator[Path]:
    for root in ROOTS:
        yield from sorted((house / root).rglob("*.py"))


def long_functions(file: Path) -> Iterator[str]:
    """Yield ``file:line: …`` for each function whose body is too long."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.body[-1].end_lineno or 0) - node.body[0].lineno + 1
            if lines > LONGEST_BODY:
                yield f"{file}:{node.lineno}: {node.name} has {lines} lines"


def test_no_function_is_too_long() -> None:
    # A migration is a frozen list of tables, not code that somebody goes on with.
    files = [file for file in sources(HOUSE) if file.parent.name != "migrations"]
    assert [line for file in files for line in long_functions(file)] == []


def test_no_module_is_too_long() -> None:
    sizes = {file: len(file.read_text().splitlines()) for file in sources(HOUSE)}
    assert {str(file): size for file, size in sizes.items() if size > LONGEST_MODULE} == {}


def test_no_module_is_named_after_nothing() -> None:
    assert [str(file) for file in sources(HOUSE) if file.name in FORBIDDEN] == []


def test_tests_are_no_packages() -> None:
    assert list((HOUSE / "tests").rglob("__init__.py")) == []


def test_platform_is_no_package_and_holds_no_tests() -> None:
    # A package of this name would shadow the module of the standard library.
    assert not (HOUSE / "platform" / "__init__.py").exists()
    assert not (HOUSE / "tests" / "platform").exists()
    for root in ROOTS:
        assert list((HOUSE / root).rglob("test_*.py")) == []


@pytest.mark.parametrize(("lines", "found"), [(60, 0), (61, 1)])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_function_that_is_too_long_is_found(
    tmp_path: Path, kind: str, lines: int, found: int
) -> None:
    function = f"{kind} endless():\n" + "    x = 1\n" * lines
    file = tmp_path / "long.py"
    file.write_text(f"class Inside:\n{indent(function, '    ')}")
    told = list(long_functions(file))
    assert len(told) == found
    for line in told:
        assert line == f"{file}:2: endless has 61 lines"
