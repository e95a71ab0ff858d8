"""Uses of the SDK in one file, read from its syntax.

They are imports, attributes, keywords and places of arguments, overridden members and
hooks. A variable is taken for what its annotation, or the call that made it, says.
"""

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bodega_sdk.contract.symbols import Snapshot

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Use(NamedTuple):
    """One use of a symbol."""

    symbol: str
    file: str
    line: int


class Reader(ast.NodeVisitor):
    """Reads one file.

    Args:
        known: the snapshots, oldest first.
        file: how the file is named in what is found.
    """

    def __init__(self, known: list[Snapshot], file: str) -> None:
        self._known, self._file = known, file
        self._scopes: list[dict[str, str]] = [{}]
        self.uses: list[Use] = []
        self.outside: list[Use] = []

    # What names mean.

    def _symbol(self, name: str) -> str | None:
        """Return the symbol that a name meant in the newest version that knew it."""
        found = (item.look_up(name) for item in reversed(self._known))
        return next((item for item in found if item), None)

    def _use(self, name: str, node: ast.AST) -> bool:
        symbol = self._symbol(name)
        if symbol:
            self.uses.append(Use(symbol, self._file, getattr(node, "lineno", 0)))
        return symbol is not None

    def _meaning(self, node: ast.AST | None) -> str:
        """Return the dotted name of the SDK that an expression stands for, or none."""
        if isinstance(node, ast.Name):
            found = (scope[node.id] for scope in reversed(self._scopes) if node.id in scope)
            return next(found, "")
        if isinstance(node, ast.Attribute):
            owner = self._meaning(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._quoted(node.value)
        if isinstance(node, ast.BinOp):
            return self._meaning(node.left) or self._meaning(node.right)
        return ""

    def _quoted(self, text: str) -> str:
        try:
            return self._meaning(ast.parse(text, mode="eval").body)
        except SyntaxError:
            return ""

    # Statements.

    def visit_Import(self, node: ast.Import) -> None:
        """Note what is imported as a module."""
        for alias in node.names:
            if alias.name.partition(".")[0] == "bodega_sdk":
                bound = alias.asname or "bodega_sdk"
                self._scopes[-1][bound] = alias.name if alias.asname else "bodega_sdk"

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Note what is imported from the SDK."""
        module = node.module or ""
        if node.level or module.partition(".")[0] != "bodega_sdk":
            return
        for alias in node.names:
            name = f"{module}.{alias.name}"
            self._scopes[-1][alias.asname or alias.name] = name
            if not self._use(name, node) and not self._is_module(name):
                self.outside.append(Use(name, self._file, node.lineno))

    def _is_module(self, name: str) -> bool:
        return any(one.startswith(f"{name}.") for item in self._known for one in item.symbols)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Note what a subclass overrides; it has what its base has."""
        bases = [name for base in node.bases if (name := self._meaning(base))]
        self.generic_visit_parts(node)
        if bases:
            self._scopes[-1][node.name] = bases[0]
        self._scopes.append({"self": bases[0], "cls": bases[0]} if bases else {})
        for item in node.body:
            for name in _named(item) if bases else ():
                self._use(f"{bases[0]}.{name}", item)
            self.visit(item)
        self._scopes.pop()

    def generic_visit_parts(self, node: ast.ClassDef) -> None:
        """Visit what stands before a class's body."""
        for item in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(item)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Note hooks, and what a function's arguments are."""
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Note hooks, and what a function's arguments are."""
        self._function(node)

    def _function(self, node: Function) -> None:
        for name in _hook(node, self._meaning):
            self._use(name, node)
        own = {"self", "cls"}
        taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        scope = {arg.arg: self._meaning(arg.annotation) for arg in taken if arg.arg not in own}
        self._scopes.append(scope)
        self.generic_visit(node)
        self._scopes.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        """Note what a variable is, where a call makes it."""
        self.generic_visit(node)
        made = self._made(node.value)
        for name in _named(node):
            self._scopes[-1][name] = made

    def _made(self, node: ast.expr) -> str:
        """Return the class that a call of the SDK returns an instance of, or none."""
        called = self._meaning(node.func) if isinstance(node, ast.Call) else ""
        symbol = self._symbol(called) if called else None
        if symbol is None or symbol.rpartition(".")[2][:1].isupper():
            return called if symbol else ""
        newest = next(item for item in reversed(self._known) if symbol in item.symbols)
        returned = newest.symbols[symbol].type.removesuffix(" | None")
        return f"bodega_sdk.{returned}" if returned.isidentifier() else ""

    # Expressions.

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note an attribute of something of the SDK."""
        name = self._meaning(node)
        if name:
            self._use(name, node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Note the arguments of a call."""
        name = self._meaning(node.func)
        if name:
            for word in node.keywords:
                self._use(f"{name}({word.arg})", word.value)
            for place, argument in enumerate(node.args):
                if parameter := self._at(name, place):
                    self._use(parameter, argument)
        self.generic_visit(node)

    def _at(self, name: str, place: int) -> str | None:
        called = self._symbol(name)
        for snapshot in reversed(self._known) if called else ():
            for one, item in snapshot.symbols.items():
                if item.place == place and one.startswith(f"{called}("):
                    return one
        return None


def _named(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement gives something."""
    if isinstance(node, ast.ClassDef | Function):
        yield node.name
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    for item in targets if isinstance(node, ast.Assign | ast.AnnAssign) else ():
        for one in item.elts if isinstance(item, ast.Tuple) else [item]:
            if isinstance(one, ast.Name):
                yield one.id


def _hook(node: Function, meaning: Callable[[ast.AST], str]) -> Iterator[str]:
    """Yield the hook that a function implements, and its parameters."""
    for mark in node.decorator_list:
        found = mark.func if isinstance(mark, ast.Call) else mark
        if meaning(found) not in _MARKERS:
            continue
        words = {word.arg: word.value for word in getattr(mark, "keywords", ())}
        given = words.get("specname")
        name = str(given.value) if isinstance(given, ast.Constant) else node.name
        yield f"bodega_sdk.hookspecs.{name}"
        yield from (f"bodega_sdk.hookspecs.{name}({arg.arg})" for arg in node.args.args)


_MARKERS = ("bodega_sdk.hookimpl", "bodega_sdk.manifest_hook")
