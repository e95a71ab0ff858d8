"""Every public name of the SDK is documented, with an example that runs.

Examples know what an addon would have imported: the names of the SDK. Those of a made-up
addon ``loyalty`` are there too, and a shop is bound, as in a request.
"""

import ast
import contextlib
import datetime
import doctest
import importlib
import io
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import takewhile
from typing import Any

import click
import falcon.testing
import peewee
import pytest
import structlog

import bodega_sdk
from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.shop import Shop
from bodega_sdk import (
    ANONYMOUS,
    Collection,
    Companion,
    Entity,
    Event,
    Job,
    Model,
    Request,
    database,
    extends,
)
from bodega_sdk.contract.reading import Definition, Source
from bodega_sdk.runtime import bound
from bodega_sdk.schemas import Integer, Schema, Uuid
from bodega_sdk.testing.shop import settings_for

SOURCE = Source()
SYMBOLS = SOURCE.symbols()
#: The test kit is for the page docs/testing.md.
PUBLIC = {
    name: found
    for name, found in SOURCE.public.items()
    if ".testing." not in name and SYMBOLS[name].of not in SYMBOLS
}
DEFINED = {
    name: found.node
    for name, found in PUBLIC.items()
    if isinstance(found.node, ast.ClassDef | ast.FunctionDef)
}
ASSIGNED = {
    name: found
    for name, found in PUBLIC.items()
    if isinstance(found.node, ast.Assign | ast.AnnAssign)
}
SPACES = ("", ".schemas", ".errors", ".console", ".pagination", ".money", ".bulk", ".snapshots")


def docstring(name: str) -> str:
    return ast.get_docstring(DEFINED[name]) or ""


def methods(name: str) -> Iterator[ast.FunctionDef]:
    """Yield a function, or the public methods of a class."""
    node = DEFINED[name]
    for item in [node] if isinstance(node, ast.FunctionDef) else node.body:
        if isinstance(item, ast.FunctionDef) and not item.name.startswith("_"):
            yield item


def raised(function: ast.FunctionDef) -> set[str]:
    """Return the names of the errors that a function raises itself."""
    inner = {
        item
        for nested in ast.walk(function)
        if isinstance(nested, ast.FunctionDef) and nested is not function
        for item in ast.walk(nested)
    }
    called = (
        ast.unparse(item.exc.func)
        for item in ast.walk(function)
        if isinstance(item, ast.Raise) and isinstance(item.exc, ast.Call) and item not in inner
    )
    errors = (name for name in called if name.isidentifier() and name[:1].isupper())
    return set(errors) - {"AssertionError"}


def section(text: str, title: str) -> str:
    """Return a section of a docstring, empty when there is none."""
    found = re.search(rf"^{title}::?\n((?: .*\n|\n)+)", f"{text}\n", re.MULTILINE)
    return found[1] if found else ""


@pytest.mark.parametrize("name", DEFINED)
def test_a_public_name_tells_what_it_is_what_it_takes_and_how_it_is_used(name: str) -> None:
    text = docstring(name)
    assert text.partition("\n")[0].strip(), f"{name} has no docstring"
    if any(one.startswith(f"{name}(") and "(*" not in one for one in SYMBOLS):
        assert section(text, "Args"), f"{name} takes arguments and has no section 'Args:'"
    assert ">>>" in section(text, "Example"), f"{name} has no section 'Example::' with '>>>'"


@pytest.mark.parametrize("name", DEFINED)
def test_what_a_public_name_raises_is_told(name: str) -> None:
    for function in methods(name):
        text = ast.get_docstring(function) or ""
        missing = {error for error in raised(function) if error not in section(text, "Raises")}
        assert not missing, f"{name}, {function.name}: 'Raises:' does not name {missing}"


def above(found: Definition) -> str:
    """Return the ``#:`` comment above an assignment."""
    assert found.node is not None
    path = SOURCE.folder.joinpath(*found.module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    lines = file.read_text().splitlines()[: found.node.lineno - 1]
    comment = takewhile(lambda line: line.startswith("#:"), reversed(lines))
    return " ".join(line.removeprefix("#:").strip() for line in [*comment][::-1])


@pytest.mark.parametrize("name", ASSIGNED)
def test_a_constant_has_an_example_that_can_be_evaluated(
    name: str, namespace: dict[str, Any]
) -> None:
    found = re.search(r"e\.g\. ``(.+?)``", above(ASSIGNED[name]))
    assert found, f"{name} has no '#:' comment with 'e.g. ``…``' above it"
    module = importlib.import_module(ASSIGNED[name].module)
    eval(found[1], namespace | vars(module))


def test_what_is_others_is_told_with_an_example(namespace: dict[str, Any]) -> None:
    for name, found in PUBLIC.items():
        if found.node is None:
            module = importlib.import_module(name.rpartition(".")[0])
            (example,) = re.findall(r"e\.g\. ``(.+?)``", module.__doc__ or "")
            assert f"``{found.name}``" in (module.__doc__ or "")
            eval(example, namespace)


# The examples run.


class Award(Entity):
    """The table of a made-up addon."""

    points: Any = peewee.IntegerField(default=0)

    class Meta:
        table_name = "loyalty_award"


class Rate(Model):
    """Another one."""

    currency: Any = peewee.CharField(primary_key=True, max_length=3)
    rate: Any = peewee.IntegerField()

    class Meta:
        table_name = "loyalty_rate"


AWARDED = Event("loyalty.awarded", "Points were given.", {"points": "how many"})
AWARD = Job("loyalty.award", lambda run, order_id: None)


class AwardSchema(Schema):
    """What it looks like outside."""

    id = Uuid(dump_only=True)
    points = Integer(required=True, minimum=1)


class Awards(Collection):
    """Its collection."""

    model, schema, noun = Award, AwardSchema, "award"
    read, write = "loyalty.read", "loyalty.award"


class ProductPoints(Companion):
    """What it adds to products."""

    id: Any = extends("products.product")
    points: Any = peewee.IntegerField(default=0)

    class Meta:
        table_name = "loyalty_product_points"


class ProductPointsSchema(Schema):
    """What that looks like."""

    points = Integer(minimum=0)


class Points(BaseHTTPRequestHandler):
    """A server that knows one rate."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = b'{"rate": 2}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of another server."""
    found = HTTPServer(("127.0.0.1", 0), Points)
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture(scope="module")
def loyal_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with products, and what the made-up addon has; one engine is enough to see it."""
    shop = Shop(settings_for(tmp_path_factory.mktemp("examples")), build_app, connections=10)
    lifecycle.prepare(shop, Edition("test", ("accounts", "products")))
    shop.refresh()
    assembly = shop.current.assembly
    events, jobs = assembly.events | {AWARDED.name: AWARDED}, assembly.jobs | {AWARD.name: AWARD}
    shop.adopt(replace(assembly, events=events, jobs=jobs))
    with bound(shop.current):
        database.create_tables([Award, Rate])
        yield shop
    shop.databases.close()


@pytest.fixture
def _quiet() -> Iterator[None]:
    """Keep the log of what an example began out of what it printed, and of the next one."""
    with structlog.testing.capture_logs():
        yield
        for thread in threading.enumerate():
            if thread.name == "work-here":
                thread.join(20)


@pytest.fixture
def namespace(loyal_shop: Shop, server: str, _quiet: None) -> dict[str, Any]:
    """What examples know."""
    found: dict[str, Any] = {}
    for space in SPACES:
        module = importlib.import_module(f"bodega_sdk{space}")
        found |= {name: item for name, item in vars(module).items() if not name.startswith("__")}
    found |= {name: item for name, item in vars(datetime).items() if not name.startswith("_")}
    raw = falcon.Request(falcon.testing.create_environ("/notes", query_string="page=2"))
    return found | {
        "Any": Any, "Award": Award, "AwardSchema": AwardSchema, "Awards": Awards,
        "ProductPoints": ProductPoints, "ProductPointsSchema": ProductPointsSchema,
        "about": None, "add_up": lambda run: None, "bodega_sdk": bodega_sdk, "click": click,
        "Rate": Rate, "award": AWARD, "awarded": AWARDED,
        "order_id": bodega_sdk.uuid7(), "peewee": peewee, "server": server,
        "request": Request({}, {"page": 2, "page_size": 20}, None, ANONYMOUS, raw),
    }  # fmt: skip


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", DEFINED)
def test_the_example_of_a_public_name_runs_as_it_is_written(
    name: str, namespace: dict[str, Any]
) -> None:
    text = section(docstring(name), "Example")
    test = doctest.DocTestParser().get_doctest(text, namespace, name, None, None)
    assert test.examples, name
    told = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    with contextlib.redirect_stdout(told):
        failed = runner.run(test, out=told.write).failed
    assert not failed, told.getvalue()
