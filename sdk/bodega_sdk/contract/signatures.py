"""What a statement promises, as symbols: signatures, fields, members, constants."""

import ast
from collections.abc import Iterator

from bodega_sdk.contract.symbols import Symbol

Function = ast.FunctionDef | ast.AsyncFunctionDef

_HIDDEN = {"__init__", "__post_init__", "__repr__", "__hash__", "__getattr__", "__init_subclass__"}
_MARKS = {"hookspec": "hook", "manifest_spec": "hook", "fixture": "fixture"}


def is_public(name: str) -> bool:
    """Whether a name is for others."""
    return not name.startswith("_")


def mark(node: ast.stmt) -> str:
    """Return what a decorator makes of a function: a hook or a fixture."""
    decorators = getattr(node, "decorator_list", ())
    names = (text(item).partition("(")[0].rpartition(".")[2] for item in decorators)
    return next((_MARKS[name] for name in names if name in _MARKS), "")


def targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    """Return the names that a statement gives a value."""
    return [name for name, _ in given(node)]


def given(node: ast.Assign | ast.AnnAssign) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the names that a statement gives a value, each with that."""
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        pairs: list[tuple[ast.expr, ast.expr | None]]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = [*zip(target.elts, node.value.elts, strict=True)]
        else:
            pairs = [(target, node.value)]
        yield from ((item.id, value) for item, value in pairs if isinstance(item, ast.Name))


def constant(name: str, node: ast.Assign | ast.AnnAssign) -> Symbol:
    """Return what a module's assignment promises."""
    value = node.value
    if isinstance(node, ast.AnnAssign):
        return Symbol("constant", type=annotation(node.annotation))
    if isinstance(value, ast.Attribute):
        return Symbol("alias", of=text(value))
    if isinstance(value, ast.BinOp):
        return Symbol("constant", type=text(value))
    if isinstance(value, ast.Call):
        return Symbol("constant", type=text(value.func))
    return Symbol("constant", value="" if name == "SDK_VERSION" else text(value))


def attribute(node: ast.Assign | ast.AnnAssign, name: str, value: ast.expr | None) -> Symbol:
    """Return what a class's assignment promises."""
    kind = annotation(node.annotation) if isinstance(node, ast.AnnAssign) else ""
    fixed = not kind or kind.startswith("ClassVar[")
    if kind.startswith("ClassVar["):
        kind = kind.removeprefix("ClassVar[").removesuffix("]")
    # Clients of the API go by these two.
    told = fixed and name in ("status", "code")
    return Symbol("attribute", type=kind, value=text(value) if told else "")


def fields(name: str, node: ast.ClassDef) -> Iterator[tuple[str, Symbol]]:
    """Yield the parameters of a dataclass's constructor."""
    made = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    made = [item for item in made if not annotation(item.annotation).startswith("ClassVar")]
    for place, item in enumerate(made):
        default = item.value
        optional = default is not None
        if isinstance(default, ast.Call) and text(default.func) == "field":
            optional = any("default" in str(word.arg) for word in default.keywords)
        target = targets(item)[0]
        if is_public(target):
            kind = Symbol("parameter", "", annotation(item.annotation), place, optional)
            yield f"{name}({target})", kind


def method(name: str, node: Function) -> Iterator[tuple[str, Symbol]]:
    """Yield a method of a class; of its constructor the parameters and what it keeps."""
    decorators = [text(item) for item in node.decorator_list]
    if node.name == "__init__":
        yield from parameters(name, node.args, skipped=1)
        yield from _kept(name, node)
    dunder = node.name.startswith("__") and node.name not in _HIDDEN
    if not (is_public(node.name) or dunder):
        return
    own = f"{name}.{node.name}"
    kinds = [item for item in ("property", "classmethod", "staticmethod") if item in decorators]
    kind = kinds[0] if kinds else "method"
    yield own, Symbol(kind, type=annotation(node.returns))
    if kind != "property":
        yield from parameters(own, node.args, skipped=int(kind != "staticmethod"))


def _kept(name: str, node: Function) -> Iterator[tuple[str, Symbol]]:
    """Yield the public attributes that a constructor sets."""
    stored = (item for item in ast.walk(node) if isinstance(item, ast.Attribute))
    for item in stored:
        own = isinstance(item.value, ast.Name) and item.value.id == "self"
        if own and isinstance(item.ctx, ast.Store) and is_public(item.attr):
            yield f"{name}.{item.attr}", Symbol("attribute")


def parameters(name: str, args: ast.arguments, *, skipped: int = 0) -> Iterator[tuple[str, Symbol]]:
    """Yield the parameters of what is called.

    Args:
        name: of what is called.
        skipped: how many at the beginning nobody gives: ``self``.
    """
    ordered = [*args.posonlyargs, *args.args][skipped:]
    needed = len(ordered) - len(args.defaults)
    for place, item in enumerate(ordered):
        made = Symbol("parameter", "", annotation(item.annotation), place, place >= needed)
        yield f"{name}({item.arg})", made
    for item, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        kind = Symbol("parameter", type=annotation(item.annotation), optional=default is not None)
        yield f"{name}({item.arg})", kind
    for stars, rest in (("*", args.vararg), ("**", args.kwarg)):
        if rest is not None:
            kind = Symbol("parameter", type=annotation(rest.annotation), optional=True)
            yield f"{name}({stars}{rest.arg})", kind


class _Unquoted(ast.NodeTransformer):
    """Turns annotations that are written as text into what they say."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if text(node.value).endswith("Literal"):
            return node
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            return ast.parse(node.value, mode="eval").body
        return node


def annotation(node: ast.expr | None) -> str:
    """Return an annotation as it is meant, without quotes."""
    return text(_Unquoted().visit(node)) if node is not None else ""


def text(node: ast.AST | None) -> str:
    """Return an expression as it is written."""
    return ast.unparse(node) if node is not None else ""
