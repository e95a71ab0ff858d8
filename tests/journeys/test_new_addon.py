"""An author's first hour: from nothing but Bodega's wheel to an addon on a running shop.

It installs from a package index, as an author does.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bodega_sdk.testing.deployment import ADMIN, Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
HOUSE = Path(__file__).parents[2]
PARTS = ("platform", "sdk", "addons", "manifests", "pyproject.toml", "README.md", "LICENSE")
AWARDS = "/api/v1/loyalty/awards"


def clean() -> dict[str, str]:
    """Return an environment that knows nothing of this checkout, nor of a shop."""
    ours = ("BODEGA_", "PYTHON", "VIRTUAL_ENV", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    for name in ("DATABASE_URL", "REDIS_URL"):
        kept.pop(name, None)
    return kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run(*command: str | Path, folder: Path, environ: dict[str, str]) -> str:
    """Run a command to its good end; return what it printed."""
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environ,
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bodega's wheel, built from a copy, so that nothing is left in the checkout."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for part in PARTS:
        if (HOUSE / part).is_dir():
            shutil.copytree(HOUSE / part, source / part, ignore=ignored)
        else:
            shutil.copy(HOUSE / part, source)
    build = (sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", built, source)
    run(*build, folder=source, environ=clean())
    (found,) = built.glob("bodega-*.whl")
    return found


@pytest.fixture
def programs(wheel: Path, tmp_path: Path) -> Path:
    """The folder of programs of a new environment that holds Bodega's wheel and nothing else."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    run(home / "bin" / "pip", "install", "-q", wheel, folder=tmp_path, environ=clean())
    return home / "bin"


@dataclass
class Elsewhere(Deployment):
    """A shop that another environment's Bodega runs."""

    programs: Path = Path()

    def command(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run ``bodega …`` to its end."""
        return subprocess.run(
            [str(self.programs / "bodega"), *arguments], env=self.environ, cwd=self.folder,
            input=stdin, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start ``bodega …`` and leave it running."""
        with (self.folder / f"{arguments[0]}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(self.programs / "bodega"), *arguments], env=self.environ, cwd=self.folder,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def alive(self) -> set[int]:
        """Return the ids of all its processes."""
        return {found for process in self.processes for found in descendants(process.pid)}


def descendants(pid: int) -> set[int]:
    """Return a process and all below it, as Linux lists them."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    children = {int(word) for path in lists for word in path.read_text().split()}
    return {pid}.union(*map(descendants, children))


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, programs: Path, tmp_path: Path) -> Iterator[Elsewhere]:
    """A shop that was started before the addon existed."""
    environ = clean() | {
        "BODEGA_HOME": str(tmp_path / "shop"),
        "BODEGA_ADMIN_EMAIL": ADMIN[0],
        "BODEGA_ADMIN_PASSWORD": ADMIN[1],
    }
    if request.param == "postgres":
        environ["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    made = Elsewhere(environ, 2, tmp_path, programs=programs)
    made.up()
    yield made
    made.stop()


def test_a_new_addon_is_tested_verified_and_served_by_a_shop_that_ran_before_it_existed(
    shop: Any, programs: Path, tmp_path: Path
) -> None:
    token, alive = shop.log_in(), shop.alive()
    assert len(alive) >= 4  # Two web workers at least, a worker, and who watches over them.
    environ = clean() | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    told = run("bodega", "new-addon", "loyalty", folder=tmp_path, environ=environ)
    assert "cd loyalty" in told
    project = tmp_path / "loyalty"
    run("pip", "install", "-q", "-e", ".[dev]", folder=project, environ=environ)
    assert " passed" in run("pytest", "-q", folder=project, environ=environ)
    run("ruff", "check", ".", folder=project, environ=environ)
    run("ruff", "format", "--check", ".", folder=project, environ=environ)
    run("mypy", folder=project, environ=environ)
    run("bodega", "verify", "loyalty", folder=project, environ=environ)

    assert shop.get(AWARDS, token)[0] == 404
    for verb in ("install", "enable"):
        done = shop.command("addons", verb, "loyalty")
        assert done.returncode == 0, done.stdout + done.stderr
    for _ in range(20):
        assert shop.get(AWARDS, token)[0] == 200
    sell_and_award(shop, token)
    assert shop.alive() == alive


def sell_and_award(shop: Any, token: str) -> None:
    """Use what is new on the shop: routes, subscription, job and extension."""
    data = {"name": "Lamp", "sku": "L-1", "price": "20.00"}
    _, lamp, _ = shop.call("POST", "/api/v1/products", data, token)
    given = {"product_id": lamp["id"], "points": 5, "reason": "Well lit"}
    assert shop.call("POST", AWARDS, given, token)[0] == 201

    def points() -> int:
        found: int = shop.get(f"/api/v1/products/{lamp['id']}", token)[1]["loyalty"]["points"]
        return found

    shop.wait_until(lambda: points() == 15, "the worker does not add the points up")
