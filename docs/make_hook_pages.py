"""Writes docs/hooks/: a page for each hook, from its specification and who implements it.

    .venv/bin/python docs/make_hook_pages.py

A test fails when the pages are not what this would write.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bodega.addons.discovery import discover
from bodega_sdk import hookspecs
from bodega_sdk.hooks import Hook

FOLDER = Path(__file__).parent / "hooks"
HOUSE = (
    "accounts", "imports", "inventory", "media", "notifications", "products", "reviews",
    "webhooks", "wishlists", "orders", "coupons", "payments", "pulses", "analytics",
)  # fmt: skip
_ROLE = re.compile(r":\w+:`~?(?:bodega_sdk\.)?([^`]+)`|``([^`]+)``")
_PATH = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Z])")
FAILURE = {
    True: "closed: the operation fails with a 503 that names the addon, and is rolled back",
    False: "open: it is logged and counted, what it wrote is taken back, the next one is called",
}


def pages() -> dict[str, str]:
    """Return file name → text."""
    kernel = [getattr(hookspecs, name) for name in ("addon_manifest", *hookspecs.hook_names())]
    made = {f"{item.__name__}.md": _kernel_page(item) for item in kernel}
    published = list(_published())
    made |= {f"{addon}.{item.name}.md": _published_page(addon, item) for addon, item in published}
    return {"README.md": _index(kernel, published)} | made


def _published() -> Iterator[tuple[str, Hook[..., Any]]]:
    for name in HOUSE:
        for item in vars(_module(name, "hookspecs") or object).values():
            if isinstance(item, Hook):
                yield name, item


def _module(addon: str, name: str) -> Any:
    package = discover().manifests[addon].package
    if importlib.util.find_spec(f"{package}.{name}") is None:
        return None
    return importlib.import_module(f"{package}.{name}")


def _kernel_page(item: Any) -> str:
    if item.__name__ == "addon_manifest":
        when = "Called when packages are looked for, without importing the rest of the addon."
    elif item.__name__.startswith("register_"):
        when = "Called once for each Assembly that the addon is part of; it only declares."
    else:
        when = "Called as it says; it acts."
    return _page(item.__name__, item, "", f"{when} A failure quarantines the addon.")


def _published_page(addon: str, item: Hook[..., Any]) -> str:
    policy = (
        f"Published by `{addon}` ([{addon}/hookspecs.py]"
        f"(../../addons/bodega_{addon}/hookspecs.py)).\n\n"
        f"| | |\n|---|---|\n| kind | `{item.kind}`, see [hooks](../hooks.md) |\n"
        f"| budget | {item.budget:g} s for each implementation |\n"
        f"| failure | {FAILURE[item.closed]} |"
    )
    return _page(f"{addon}.{item.name}", item.function, "", policy)


def _page(title: str, function: Any, lead: str, policy: str) -> str:
    name = function.__name__
    parts = [
        f"# {title}",
        f"```python\ndef {name}{_PATH.sub('', str(inspect.signature(function)))}\n```",
        _markdown(inspect.getdoc(function) or ""),
        policy,
        *_examples(name),
    ]
    return "\n\n".join(filter(None, [lead, *parts])) + "\n"


def _markdown(text: str) -> str:
    """Return a docstring as Markdown: its code marked, its example fenced."""
    text = _ROLE.sub(lambda found: f"`{found[1] or found[2]}`", text)
    head, mark, example = text.partition("Example::\n")
    if not mark:
        return text
    return f"{head.rstrip()}\n\n```python\n{inspect.cleandoc(example)}\n```"


def _examples(name: str) -> Iterator[str]:
    for addon in HOUSE:
        module = _module(addon, "manifest" if name == "addon_manifest" else "plugin")
        found = getattr(module, name, None)
        if inspect.isfunction(found):
            source = inspect.getsource(found).rstrip()
            yield f"In `{addon}`:\n\n```python\n{source}\n```"
            return


def _index(kernel: list[Any], published: list[tuple[str, Hook[..., Any]]]) -> str:
    rows = [f"| [{item.__name__}]({item.__name__}.md) | {_first(item)} |" for item in kernel]
    more = [
        f"| [{addon}.{item.name}]({addon}.{item.name}.md) | {item.kind} | {_first(item.function)} |"
        for addon, item in published
    ]
    return "\n".join(
        [
            "# Hooks",
            "",
            "Made from the specifications by `docs/make_hook_pages.py`. How hooks behave: "
            "[hooks](../hooks.md).",
            "",
            "## Of the kernel",
            "",
            "| | |",
            "|---|---|",
            *rows,
            "",
            "## Of addons",
            "",
            "| | kind | |",
            "|---|---|---|",
            *more,
            "",
        ]
    )


def _first(item: Any) -> str:
    return _markdown((inspect.getdoc(item) or "").partition("\n")[0])


def main() -> None:
    """Write the pages, and remove those of hooks that are gone."""
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
