"""Every hook has a page, which says what its specification says."""

import importlib.util
from pathlib import Path

from bodega_sdk import hookspecs

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pages_are_what_the_specifications_make_of_them() -> None:
    spec = importlib.util.spec_from_file_location("make_hook_pages", DOCS / "make_hook_pages.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    found = {path.name: path.read_text() for path in (DOCS / "hooks").glob("*.md")}
    assert found == maker.pages(), "run 'python docs/make_hook_pages.py'"
    assert {f"{name}.md" for name in hookspecs.hook_names()} < found.keys()
    assert "products.quote_price.md" in found
