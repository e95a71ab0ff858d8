"""Imports of real size by real processes, and what happens when a worker dies."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bodega.database.connection import open_databases
from bodega.settings import read_settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
DATA = Path(__file__).parent.parent / "data"


def generate(folder: Path, rows: int, seed: int = 7) -> tuple[Path, dict[str, int]]:
    """Write a CSV file of products; return it and what importing it should give."""
    path = folder / f"products-{rows}-{seed}.csv"
    with path.open("wb") as file:
        done = subprocess.run(
            [sys.executable, str(DATA / "make_products_csv.py"), str(rows), "--seed", str(seed)],
            stdout=file, stderr=subprocess.PIPE, check=True,
        )  # fmt: skip
    return path, json.loads(done.stderr)


def content(deployment: Any) -> tuple[int, str]:
    """Return the number of products and a digest of all that an import sets."""
    databases = open_databases(read_settings(deployment.environ))
    digest, count = hashlib.sha256(), 0
    rows = databases.shop.execute_sql(
        "SELECT sku, sku_key, name, slug, description, price_minor, is_active "
        "FROM products_product ORDER BY sku_key"
    )
    for row in sorted(rows.fetchall(), key=lambda row: row[1]):
        digest.update(repr((*row[:-1], bool(row[-1]))).encode())
        count += 1
    databases.close()
    return count, digest.hexdigest()


def empty_the_catalogue(deployment: Any) -> None:
    """Delete all products, so that the next import is an undisturbed first one."""
    databases = open_databases(read_settings(deployment.environ))
    databases.shop.execute_sql("DELETE FROM products_product")
    databases.close()


def follow(deployment: Any, import_id: str, token: str) -> dict[str, Any]:
    """Wait until an import has ended; return it."""
    seen: dict[str, Any] = {}

    def ended() -> bool:
        status, body = deployment.get(f"/api/v1/imports/{import_id}", token)
        assert status == 200, body
        seen.update(body)
        return body["status"] in ("completed", "failed")

    deployment.wait_until(ended, timeout=600)
    return seen


def children(pid: int) -> dict[str, int]:
    """Return the processes that ``bodega up`` started: name of the command → pid."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_text().split("\0")
                name = command[3] if "bodega" in command else command[2]
            except (OSError, IndexError):
                continue  # It has ended, or has just begun.
            if parent == pid:
                found[name] = int(entry.name)
    return found


def peak_memory(pid: int) -> float:
    """Return the most memory a process has had, in MB."""
    status = (Path("/proc") / str(pid) / "status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def assert_counts(run: dict[str, Any], expected: dict[str, int]) -> None:
    assert run["status"] == "completed", run
    assert run["total_rows"] == expected["rows"]
    assert run["errors"] == expected["invalid"]
    assert run["superseded"] == expected["repeated"]
    assert run["created"] == expected["products"]
    parts = ("created", "updated", "unchanged", "superseded", "errors")
    assert sum(run[name] for name in parts) == run["total_rows"]


# Minutes on each; whenever a worker is killed, both deployments are tried.
@pytest.mark.parametrize("deployment", ["distributed"], indirect=True)
def test_half_a_million_rows_through_the_api(deployment: Any, tmp_path: Path) -> None:
    file, expected = generate(tmp_path, 500_000)
    process = deployment.up()
    token = deployment.log_in()
    deployment.wait_until(lambda: "worker" in children(process.pid))
    worker = children(process.pid)["worker"]
    deployment.wait_until(lambda: peak_memory(worker) > 50)
    before = peak_memory(worker)
    run = follow(deployment, deployment.upload(file, token), token)
    assert_counts(run, expected)
    assert deployment.get("/api/v1/products", token)[1]["count"] == expected["products"]
    bad = deployment.get(f"/api/v1/imports/{run['id']}/errors?page_size=5", token)[1]
    assert bad["count"] >= expected["invalid"]
    assert all(item["line"] and item["reason"] for item in bad["results"])
    assert peak_memory(worker) - before < 100


def test_a_killed_worker_is_replaced_and_the_table_is_as_if_undisturbed(
    deployment: Any, tmp_path: Path
) -> None:
    file, expected = generate(tmp_path, 60_000)
    process = deployment.up()
    token = deployment.log_in()
    first = deployment.start("worker")
    import_id = deployment.upload(file, token)
    path = f"/api/v1/imports/{import_id}"
    deployment.wait_until(lambda: deployment.get(path, token)[1]["created"] > 0)
    for pid in (children(process.pid)["worker"], first.pid):
        os.kill(pid, signal.SIGKILL)
    state = deployment.get(path, token)[1]
    assert state["status"] == "running", "the import must be killed in its middle"
    assert 0 < state["created"] < expected["products"]
    assert_counts(follow(deployment, import_id, token), expected)
    disturbed = content(deployment)
    again = follow(deployment, deployment.upload(file, token), token)
    assert again["unchanged"] == expected["products"]
    assert content(deployment) == disturbed
    assert disturbed[0] == expected["products"]
    empty_the_catalogue(deployment)
    assert_counts(follow(deployment, deployment.upload(file, token), token), expected)
    assert content(deployment) == disturbed


#: When workers are killed, in each of three imports: ten points in all.
KILLS = (4, 3, 3)


def test_whenever_a_worker_is_killed_the_table_is_as_if_undisturbed(
    deployment: Any, tmp_path: Path
) -> None:
    file, expected = generate(tmp_path, 40_000)
    process = deployment.up()
    token = deployment.log_in()
    assert_counts(follow(deployment, deployment.upload(file, token), token), expected)
    undisturbed = content(deployment)
    dice = random.Random(7)
    for kills in KILLS:
        empty_the_catalogue(deployment)
        import_id = deployment.upload(file, token)
        seen = _killed(deployment, process, f"/api/v1/imports/{import_id}", token, kills, dice)
        run = follow(deployment, import_id, token)
        assert_counts(run, expected)
        assert content(deployment) == undisturbed
        places = [(item["read_rows"], item["processed_rows"]) for item in [*seen, run]]
        for before, after in pairwise(places):
            assert before[0] <= after[0], "reading went back"
            assert before[1] <= after[1], "writing went back"


def _killed(
    deployment: Any, process: Any, path: str, token: str, kills: int, dice: random.Random
) -> list[dict[str, Any]]:
    """Kill the worker again and again while it imports; return what was seen meanwhile."""
    seen: list[dict[str, Any]] = []

    def running() -> bool:
        seen.append(deployment.get(path, token)[1])
        worker = children(process.pid).get("worker")
        return worker not in (None, *dead) and seen[-1]["status"] == "running"

    dead: list[int] = []
    for _ in range(kills):
        deployment.wait_until(running, timeout=60)
        until = time.monotonic() + dice.uniform(0, 1.5)
        while time.monotonic() < until:
            seen.append(deployment.get(path, token)[1])
        if seen[-1]["status"] == "completed":
            break
        dead.append(children(process.pid)["worker"])
        os.kill(dead[-1], signal.SIGKILL)
    assert dead, "the import must be killed before it is done"
    return seen


def test_a_worker_paused_beyond_its_lease_writes_nothing_when_it_goes_on(
    deployment: Any, tmp_path: Path
) -> None:
    file, expected = generate(tmp_path, 60_000)
    process = deployment.up()
    token = deployment.log_in()
    import_id = deployment.upload(file, token)
    path = f"/api/v1/imports/{import_id}"
    deployment.wait_until(lambda: deployment.get(path, token)[1]["created"] > 0)
    paused = children(process.pid)["worker"]
    os.kill(paused, signal.SIGSTOP)
    deployment.start("worker")
    try:
        if "DATABASE_URL" not in deployment.environ:
            # One writer at a time: a worker stopped inside its transaction holds the file.
            time.sleep(4)
            os.kill(paused, signal.SIGCONT)
        assert_counts(follow(deployment, import_id, token), expected)
    finally:
        os.kill(paused, signal.SIGCONT)
    before = content(deployment)
    time.sleep(3)
    assert content(deployment) == before
    run = deployment.get(path, token)[1]
    assert_counts(run, expected)


def test_the_command_imports_a_real_stores_export(deployment: Any) -> None:
    deployment.up()
    done = deployment.command("import", str(DATA / "shopify-apparel.csv"), "--wait", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["total_rows"], told["created"], told["superseded"], told["errors"]) == (
        22,
        20,
        2,
        0,
    )
    page = deployment.get("/api/v1/products?page_size=50")[1]
    assert page["count"] == 20
    top = next(item for item in page["results"] if item["slug"] == "classic-varsity-top")
    assert [variant["options"]["Size"] for variant in top["variants"]] == [
        "Small", "Medium", "Large",
    ]  # fmt: skip
