"""What switching addons costs those who use the others, and how long it takes.

    .venv/bin/python benchmarks/toggling.py [--rounds 5] [--seconds 15]

A shop on PostgreSQL and Redis with four web workers, a worker and a real-time server is
read by four paced clients, about 65 requests a second, on routes that the switched addon
does not own. Each round has four phases, one after the other: quiet; a command that changes
nothing (`bodega addons list`), started as often as those of the next phase; `imports`
disabled and enabled by commands; the same by the API. A request's time counts from when it
was due. The second table is the time from a command's start until it says that all
processes follow: disabling and enabling `products`, then purging and installing it anew.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from served_shop import served_shop

from bodega_sdk.testing.deployment import Deployment

LOAD = Path(__file__).parent.parent / "tests" / "journeys" / "load.py"
BELOW = ("/api/v1/products", "/api/v1/categories", "/api/v1/users", "/api/v1/auth")
CLIENTS = 4


def command(shop: Deployment, *arguments: str) -> float:
    began = time.perf_counter()
    done = shop.command("addons", *arguments)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - began


def quiet(shop: Deployment, number: int) -> None:
    time.sleep(1)


def listing(shop: Deployment, number: int) -> None:
    command(shop, "list")


def by_command(shop: Deployment, number: int) -> None:
    command(shop, ("disable", "enable")[number % 2], "imports")


def by_api(shop: Deployment, number: int) -> None:
    verb = ("disable", "enable")[number % 2]
    status, told, _ = shop.call("POST", f"/api/v1/addons/imports/{verb}", {}, shop.log_in())
    assert status == 200, told


PHASES: dict[str, Callable[[Deployment, int], None]] = {
    "quiet": quiet,
    "a command that changes nothing": listing,
    "toggling by commands": by_command,
    "toggling by the API": by_api,
}
#: Seconds from one switch to the next.
PAUSE = 2.0


def loaded(
    shop: Deployment,
    seconds: float,
    act: Callable[[Deployment, int], None],
    done: Callable[[], bool] = lambda: True,
) -> list[float]:
    """Return the milliseconds of every request during a phase, which goes on until it is done."""
    told = {"port": shop.port, "token": shop.log_in(), "roles": {"read": CLIENTS}, "below": BELOW}
    process = subprocess.Popen(
        [sys.executable, str(LOAD), json.dumps(told)], env=shop.environ, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    began, number = time.monotonic(), 0
    while number % 2 or time.monotonic() < began + seconds or not done():
        act(shop, number)
        number += 1
        time.sleep(max(0.0, began + number * PAUSE - time.monotonic()))
    answers = json.loads(process.communicate("")[0])["answers"]
    if odd := [answer for answer in answers if answer["status"] != answer["expected"]]:
        raise SystemExit(f"answers that were not expected: {odd[:3]}")
    return sorted((a["seconds"] + a["late"]) * 1000 for a in answers)


def measure(shop: Deployment, rounds: int, seconds: float) -> None:
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for name, act in PHASES.items():
            times = loaded(shop, seconds, act)
            found[name].append((statistics.median(times), times[int(len(times) * 0.99)]))
    least = statistics.median(p99 for _, p99 in found["quiet"])
    for name, phases in found.items():
        middle = statistics.median(p50 for p50, _ in phases)
        worst = statistics.median(p99 for _, p99 in phases)
        print(f"{name:32} p50 {middle:6.1f} ms  p99 {worst:6.1f} ms  {worst / least:5.2f} x quiet")


def switches(shop: Deployment, rounds: int) -> None:
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        taken["disable products"].append(command(shop, "disable", "products", "--cascade"))
        taken["enable products"].append(command(shop, "enable", "products"))
        taken["purge products"].append(command(shop, "purge", "products", "--cascade"))
        taken["install and enable products"].append(command(shop, "enable", "products"))
        taken["install and enable imports"].append(command(shop, "enable", "imports"))
    for name, times in taken.items():
        print(f"{name:32} {statistics.median(times):6.2f} s  (most {max(times):.2f} s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--workers", type=int, default=4)
    args = parser.parse_args()
    with served_shop(args.workers) as (shop, _):
        measure(shop, args.rounds, args.seconds)
        switches(shop, args.rounds)


if __name__ == "__main__":
    main()
