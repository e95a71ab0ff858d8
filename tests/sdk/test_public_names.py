"""The public names of the SDK: sorted, importable, documented, and free of the kernel."""

import inspect
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pluggy
import pytest

import bodega_sdk
from bodega_sdk import errors, hookspecs, schemas

MARKERS = (pluggy.HookimplMarker, pluggy.HookspecMarker)
PUBLIC = [(bodega_sdk, name) for name in bodega_sdk.__all__] + [
    (schemas, name) for name in schemas.__all__
]


def constants_classes_functions(name: str) -> tuple[int, str]:
    """Return the key that names are sorted by, as ruff and isort do it."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name


@pytest.mark.parametrize("module", [bodega_sdk, schemas])
def test_the_list_of_public_names_is_sorted_and_has_each_once(module: Any) -> None:
    names = list(module.__all__)
    assert names == sorted(set(names), key=constants_classes_functions)


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=[name for _, name in PUBLIC])
def test_a_public_name_is_there_and_documented(module: Any, name: str) -> None:
    found = getattr(module, name)
    if inspect.isclass(found) or inspect.isroutine(found):
        check_docstring(name, found.__doc__)
    elif not isinstance(found, MARKERS) and not inspect.ismodule(found):
        assert explained_above(name), f"{name} has no '#:' comment above it"


def check_docstring(name: str, docstring: str | None) -> None:
    assert docstring, name
    # A dataclass without a docstring gets its signature for one.
    assert not docstring.startswith(f"{name}("), name


def explained_above(name: str) -> bool:
    """Whether a module of the SDK assigns the name below a ``#:`` comment."""
    for path in Path(bodega_sdk.__file__).parent.glob("*.py"):
        lines = path.read_text().splitlines()
        for above, line in pairwise(lines):
            if line.startswith((f"{name} =", f"{name}:")) and above.startswith("#:"):
                return True
    return False


def test_every_public_method_is_documented() -> None:
    for module, name in PUBLIC:
        found = getattr(module, name)
        if not inspect.isclass(found) or not found.__module__.startswith("bodega_sdk"):
            continue
        for method_name, method in vars(found).items():
            function = getattr(method, "fget", None) or getattr(method, "__func__", method)
            if inspect.isfunction(function) and not method_name.startswith("_"):
                assert function.__doc__, f"{name}.{method_name}"


def test_every_error_is_documented_and_drawn_in_the_tree() -> None:
    tree = errors.__doc__ or ""
    for name, found in vars(errors).items():
        if inspect.isclass(found) and issubclass(found, Exception):
            check_docstring(name, found.__doc__)
            assert name in tree


def test_every_hook_is_documented_and_typed() -> None:
    names = hookspecs.hook_names()
    assert "register_routes" in names
    assert len(names) == len(set(names))
    for name in names:
        hook = getattr(hookspecs, name)
        assert hook.__doc__
        assert hook.__doc__.splitlines()[0].endswith(".")
        assert "return" in hook.__annotations__, name


def test_the_sdk_is_marked_as_typed() -> None:
    assert (Path(bodega_sdk.__file__).parent / "py.typed").exists()


def test_importing_the_sdk_imports_nothing_of_the_kernel() -> None:
    code = (
        "import sys\n"
        f"sys.path[:0] = {[str(Path(bodega_sdk.__file__).parents[1])]!r}\n"
        "from bodega_sdk import *\n"
        "import bodega_sdk.schemas, bodega_sdk.errors\n"
        "ours = [name for name in sys.modules if name.partition('.')[0].startswith('bodega')]\n"
        "assert all(name.partition('.')[0] == 'bodega_sdk' for name in ours), ours\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
