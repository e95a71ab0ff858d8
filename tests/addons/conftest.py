"""Fixtures that folders of addons share: people, hands at once, and addons that a test makes up."""

import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.addons.people import Person, account_of

from bodega.addons import lifecycle
from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.operator_settings import change
from bodega.shop import Shop
from bodega_sdk import uuid7
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.clock import Clock, moved_by_tests
from bodega_sdk.testing.working import Jobs

HERE = Path(__file__).parent
MANIFEST = """
from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest():
    return Manifest(name={name!r}, version="1.0.0", package="bodega_test_{name}",
                    summary="Made by a test", depends={depends!r})
"""


@pytest.fixture
def addon(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Write an addon, its plugin and what it depends on given, and enable it on the shop."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))

    def enable(name: str, plugin: str, depends: tuple[str, ...] = ("products",)) -> None:
        package = tmp_path / f"bodega_test_{name}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "manifest.py").write_text(MANIFEST.format(name=name, depends=depends))
        (package / "plugin.py").write_text(f"from bodega_sdk import Money, hookimpl\n{plugin}")
        described = tmp_path / f"bodega_test_{name}-1.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Name: bodega-test-{name}\nVersion: 1.0\n")
        entry = f"[bodega.addons]\n{name} = bodega_test_{name}.manifest\n"
        (described / "entry_points.txt").write_text(entry)
        importlib.invalidate_caches()
        lifecycle.enable(shop, name)
        shop.refresh()

    yield enable
    for module in [item for item in sys.modules if item.startswith("bodega_test_")]:
        del sys.modules[module]


# What is done in the shop.


@pytest.fixture
def jobs(shop: Shop) -> Jobs:
    """What a worker would do."""
    return Jobs(shop)


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The time, which can be moved."""
    with moved_by_tests() as made:
        yield made


@pytest.fixture
def set_to(shop: Shop, request: pytest.FixtureRequest) -> Iterator[Callable[[str, Any], None]]:
    """Give settings of the addon that the folder is named for a value: ``set_to("days", 3)``."""
    addon = request.path.relative_to(HERE).parts[0]
    with ExitStack() as stack:

        def set_it(name: str, value: Any) -> None:
            change(shop, f"{addon}.{name}", value)
            shop.refresh()
            # The test goes on in the shop as it is now.
            stack.enter_context(bound(shop.current))

        yield set_it


@pytest.fixture
def run(shop: Shop) -> Callable[..., str]:
    """Run ``bodega …``; return what it printed."""

    def invoke(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(bodega, [*arguments], obj=Context(_shop=shop))
        assert done.exit_code == code, done.output
        return str(done.output)

    return invoke


@pytest.fixture
def at_once(shop: Shop) -> Callable[..., list[Any]]:
    """Run functions in threads of the shop at once; return their results, or what they raised.

    With ``raising``, what one of them raised is raised.
    """

    def run_all(
        *functions: Callable[[], Any], wait: float = 90, raising: bool = False
    ) -> list[Any]:
        outcomes: list[Any] = [None] * len(functions)
        gate = threading.Barrier(len(functions))

        def work(place: int) -> None:
            try:
                with bound(shop.current):
                    gate.wait(wait)
                    outcomes[place] = functions[place]()
            except BaseException as error:
                outcomes[place] = error
            finally:
                shop.databases.close()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(functions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(wait)
            assert not thread.is_alive(), "a thread does not end"
        for found in outcomes if raising else ():
            if isinstance(found, BaseException):
                raise found
        return outcomes

    return run_all


# People and things.


@pytest.fixture
def person_class() -> type[Person]:
    """What people of a folder can do."""
    return Person


@pytest.fixture
def person(client: Client, person_class: type[Person]) -> Callable[..., Person]:
    """Make somebody: ``person("vera", first_name="Vera")``."""

    def make(name: str, role: str = "user", **members: Any) -> Person:
        account = account_of(name, role, **members)
        return person_class(account, client.as_user(role, subject=str(account.id)))

    return make


@pytest.fixture
def vera(person: Callable[..., Person]) -> Person:
    """A user."""
    return person("vera", first_name="Vera", last_name="Berg")


@pytest.fixture
def otto(person: Callable[..., Person]) -> Person:
    """Another user."""
    return person("otto", first_name="Otto")


@pytest.fixture
def staff(person: Callable[..., Person]) -> Person:
    """Somebody of the staff."""
    return person("mona", role="staff")


@pytest.fixture
def make_product(admin: Client) -> Callable[..., str]:
    """Make a product; return its id."""

    def make(name: str = "Lamp", **members: Any) -> str:
        body = {"name": name, "sku": uuid7().hex, "price": "9.99"} | members
        return str(admin.post("/api/v1/products", body).expect(201)["id"])

    return make


@pytest.fixture
def lamp(make_product: Callable[..., str]) -> str:
    """A product's id."""
    return make_product()
