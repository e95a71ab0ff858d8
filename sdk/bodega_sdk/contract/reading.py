"""The contract as it stands in the source, read without importing it.

So it can be read from any checkout, and says what was written: annotations look the same
under every version of Python.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from bodega_sdk.contract.signatures import (
    Function,
    annotation,
    attribute,
    constant,
    fields,
    given,
    is_public,
    mark,
    method,
    parameters,
    targets,
    text,
)
from bodega_sdk.contract.symbols import Symbol
from bodega_sdk.deprecations import DEPRECATED

HOUSE = Path(__file__).parents[1]
#: The public modules; with names where only those are public.
MODULES: dict[str, tuple[str, ...] | None] = {
    "bodega_sdk": None,
    "bodega_sdk.bulk": (
        "among",
        "fetch_rows",
        "insert_models",
        "insert_or_update",
        "insert_rows",
        "portions",
        "refresh_statistics",
        "staged",
        "update_rows",
    ),
    "bodega_sdk.console": None,
    "bodega_sdk.deprecations": ("DeprecatedInBodega",),
    "bodega_sdk.errors": None,
    "bodega_sdk.hookspecs": None,
    "bodega_sdk.money": ("by_decimals", "decimal_text", "exponent"),
    "bodega_sdk.pagination": ("Ordering", "count_rows", "paginate", "parameters"),
    "bodega_sdk.reading": ("rows_of",),
    "bodega_sdk.realtime": ("Follower", "Gap", "Place", "Received", "Refused"),
    "bodega_sdk.schemas": None,
    "bodega_sdk.snapshots": ("Snapshot", "quoted", "snapshot"),
    "bodega_sdk.testing.client": ("Answer", "Client"),
    "bodega_sdk.testing.clock": ("Clock",),
    "bodega_sdk.testing.plugin": None,
    "bodega_sdk.testing.queries": ("query_counter",),
    "bodega_sdk.testing.recorder": ("Events", "Published"),
    "bodega_sdk.testing.shop": ("BodegaShop",),
    "bodega_sdk.testing.working": ("Jobs",),
}


@dataclass(frozen=True)
class Definition:
    """Where a public name is defined: a module of the SDK and a statement, or elsewhere."""

    module: str
    name: str
    node: ast.stmt | None

    @property
    def own(self) -> bool:
        """Whether the SDK should define it."""
        return self.module.partition(".")[0] == "bodega_sdk"

    @property
    def foreign(self) -> str:
        """What it is when it is none of the SDK's."""
        return f"{self.module}.{self.name}"


@dataclass
class Source:
    """The SDK's source.

    Args:
        folder: of the package ``bodega_sdk``.
    """

    folder: Path = HOUSE

    def symbols(self) -> dict[str, Symbol]:
        """Return every public symbol, without the version it came with."""
        found: dict[str, Symbol] = {}
        for name, definition in self.public.items():
            first = self._first[(definition.module, definition.name)]
            if first == name:
                found |= dict(self._described(name, definition))
            else:
                found[name] = Symbol("alias", of=first)
        return {name: _with_deprecation(name, item) for name, item in found.items()}

    @cached_property
    def public(self) -> dict[str, Definition]:
        """Every public name, and where it is defined."""
        named = {
            f"{module}.{name}": self.definition(module, name)
            for module, names in MODULES.items()
            for name in (self._names(module) if names is None else names)
        }
        # What the SDK names but does not define cannot be imported.
        return {name: item for name, item in named.items() if item.node or not item.own}

    @cached_property
    def _first(self) -> dict[tuple[str, str], str]:
        """The name under which each definition is described."""
        found: dict[tuple[str, str], str] = {}
        for name, item in self.public.items():
            found.setdefault((item.module, item.name), name)
        return found

    @cached_property
    def _trees(self) -> dict[str, ast.Module]:
        return {}

    def tree(self, module: str) -> ast.Module | None:
        """Return a module's syntax tree; None when it is none of the SDK's."""
        if module not in self._trees:
            path = self.folder.joinpath(*module.split(".")[1:])
            path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            if module.partition(".")[0] != "bodega_sdk" or not path.is_file():
                return None
            self._trees[module] = ast.parse(path.read_text("utf-8"), str(path))
        return self._trees[module]

    def _names(self, module: str) -> Iterable[str]:
        tree = self.tree(module) or ast.Module([], [])
        for node in tree.body:
            if isinstance(node, ast.Assign) and targets(node) == ["__all__"]:
                listed: list[str] = ast.literal_eval(node.value)
                return listed
        made = (item for item in tree.body if isinstance(item, ast.ClassDef | Function))
        if module.rpartition(".")[2] in ("hookspecs", "plugin"):
            made = (item for item in made if mark(item))
        return [item.name for item in made if not item.name.startswith("_")]

    def definition(self, module: str, name: str) -> Definition:
        """Follow a name to where it is defined."""
        tree = self.tree(module)
        for node in reversed(tree.body) if tree else ():
            if isinstance(node, ast.ClassDef | Function) and node.name == name:
                return Definition(module, name, node)
            if isinstance(node, ast.Assign | ast.AnnAssign) and name in targets(node):
                return Definition(module, name, node)
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return self._imported(str(node.module), alias.name)
        return Definition(module, name, None)

    def _imported(self, module: str, name: str) -> Definition:
        if self.tree(module) is None:
            return Definition(module, name, None)
        return self.definition(module, name)

    # What is said of a definition.

    def _described(self, name: str, found: Definition) -> Iterator[tuple[str, Symbol]]:
        node = found.node
        if isinstance(node, ast.ClassDef):
            yield name, Symbol("class", bases=self._bases(found.module, node))
            # What the test kit makes, nobody else constructs.
            hidden = f"{name}(" if ".testing." in name else " "
            members = self._members(name, found.module, node)
            yield from (pair for pair in members if not pair[0].startswith(hidden))
        elif isinstance(node, Function):
            kind = mark(node) or "function"
            yield name, Symbol(kind, type=annotation(node.returns))
            yield from parameters(name, node.args) if kind != "fixture" else ()
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield name, constant(found.name, node)
        else:
            other = "alias" if found.name[:1].isupper() else "module"
            yield name, Symbol(other, of=found.foreign)

    def _bases(self, module: str, node: ast.ClassDef) -> tuple[str, ...]:
        found: list[str] = []
        for base in map(text, node.bases):
            root = base.partition(".")[0]
            where = self.definition(module, root)
            public = self._first.get((where.module, where.name))
            if public is None and isinstance(where.node, ast.ClassDef):
                found += self._bases(where.module, where.node)
            else:
                found.append(public or base)
        return tuple(found)

    def _members(self, name: str, module: str, node: ast.ClassDef) -> Iterator[tuple[str, Symbol]]:
        # What a private base brings is as good as its own.
        for base in map(text, node.bases):
            where = self.definition(module, base)
            private = (where.module, where.name) not in self._first
            if private and isinstance(where.node, ast.ClassDef):
                yield from self._members(name, where.module, where.node)
        if any("dataclass" in text(item) for item in node.decorator_list):
            yield from fields(name, node)
        for item in node.body:
            if isinstance(item, Function):
                yield from method(name, item)
            elif isinstance(item, ast.Assign | ast.AnnAssign):
                for target, value in filter(lambda pair: is_public(pair[0]), given(item)):
                    yield f"{name}.{target}", attribute(item, target, value)


def _with_deprecation(name: str, symbol: Symbol) -> Symbol:
    said = DEPRECATED.get(name)
    if said is None:
        return symbol
    return replace(symbol, deprecated=said.since, use=said.use, removed=said.removed)
