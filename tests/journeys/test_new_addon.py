"""An author's first hour: from nothing but Bodega's wheel to an addon on a running shop.

It installs from a package index, as an author does.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bodega_sdk.testing.deployment import ADMIN, Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
AWARDS = "/api/v1/loyalty/awards"


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
def shop(request: pytest.FixtureRequest, author: Any, tmp_path: Path) -> Iterator[Elsewhere]:
    """A shop that was started before the addon existed."""
    environ = author.environ | {
        "BODEGA_HOME": str(tmp_path / "shop"),
        "BODEGA_ADMIN_EMAIL": ADMIN[0],
        "BODEGA_ADMIN_PASSWORD": ADMIN[1],
    }
    if request.param == "postgres":
        environ["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    made = Elsewhere(environ, 2, tmp_path, programs=author.programs)
    made.up()
    yield made
    made.stop()


def test_a_new_addon_is_tested_verified_and_served_by_a_shop_that_ran_before_it_existed(
    shop: Any, author: Any, tmp_path: Path
) -> None:
    token, alive = shop.log_in(), shop.alive()
    assert len(alive) >= 4  # Two web workers at least, a worker, and who watches over them.
    told = author.run("bodega", "new-addon", "loyalty", folder=tmp_path)
    assert "cd loyalty" in told
    project = tmp_path / "loyalty"
    author.run("pip", "install", "-q", "-e", ".[dev]", folder=project)
    assert " passed" in author.run("pytest", "-q", folder=project)
    author.run("ruff", "check", ".", folder=project)
    author.run("ruff", "format", "--check", ".", folder=project)
    author.run("mypy", folder=project)
    author.run("bodega", "verify", "loyalty", folder=project)

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
