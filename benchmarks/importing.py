"""What an import costs those who use the shop meanwhile, how often it tells, how soon it stops.

    .venv/bin/python benchmarks/importing.py [--rows 500000] [--rounds 3] [--seconds 15]

A shop on PostgreSQL and Redis with web workers, a worker and a real-time server is read by four
paced clients, about 65 requests a second, on the routes of products and accounts. Each round has
two phases, one after the other: quiet, and while a file of new products is imported by the worker.
A request's time counts from when it was due. Meanwhile a client of the real-time server counts
messages of progress. At last an import is cancelled in its middle; the time is from the request
until the import says so.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from served_shop import served_shop
from toggling import loaded, quiet
from websockets.asyncio.client import connect

from bodega_sdk.testing.deployment import Deployment

GENERATOR = Path(__file__).parent.parent / "tests" / "data" / "make_products_csv.py"
ENDED = ("completed", "failed", "cancelled")


def make_file(folder: Path, rows: int, number: int) -> Path:
    """Write a file whose products no other file has."""
    path = folder / f"products-{number}.csv"
    made = subprocess.run(
        [sys.executable, str(GENERATOR), str(rows)], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, check=True,
    ).stdout  # fmt: skip
    path.write_bytes(made.replace(b"SKU-", b"R%d-" % number))
    return path


def state(shop: Deployment, key: str, token: str) -> dict[str, object]:
    """Read an import."""
    told: dict[str, object] = shop.get(f"/api/v1/imports/{key}", token)[1]
    return told


def wait_until_ended(shop: Deployment, key: str, token: str) -> dict[str, object]:
    """Return an import that has ended."""
    while (told := state(shop, key, token))["status"] not in ENDED:
        time.sleep(0.05)
    return told


class Listener:
    """Counts the messages of one import in a thread of its own."""

    def __init__(self, shop: Deployment, key: str, token: str) -> None:
        self.times: list[float] = []
        self._where = f"ws://127.0.0.1:{shop.realtime_port}/ws"
        self._key, self._token = key, token
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)
        self._thread.start()

    async def _listen(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with connect(self._where, additional_headers=headers) as socket:
            await socket.send(json.dumps({"type": "subscribe", "channel": f"imports.{self._key}"}))
            async for text in socket:
                told = json.loads(text)
                if told["type"] == "event":
                    self.times.append(time.monotonic())
                    if told["name"] != "import.progressed":
                        return

    def rate(self) -> float:
        """Return messages a second, between the first and the last."""
        self._thread.join(30)
        spent = self.times[-1] - self.times[0] if len(self.times) > 1 else 0.0
        return (len(self.times) - 1) / spent if spent else 0.0


class Importing:
    """Imports a file during a phase."""

    def __init__(self, shop: Deployment, file: Path) -> None:
        self._token = shop.log_in()
        self._key = shop.upload(file, self._token)
        self._listener = Listener(shop, self._key, self._token)
        self.told: dict[str, object] = {}

    def act(self, shop: Deployment, number: int) -> None:
        """Look whether it has ended."""
        self.told = state(shop, self._key, self._token)

    def rate(self) -> float:
        """Return messages of progress a second."""
        return self._listener.rate()


def while_importing(shop: Deployment, file: Path) -> tuple[list[float], Importing]:
    """Return the milliseconds of every request while a file is imported."""
    work = Importing(shop, file)
    # One load for all of it: the first requests of each are slower.
    times = loaded(shop, 0, work.act, lambda: work.told.get("status") in ENDED)
    if work.told["status"] != "completed":
        raise SystemExit(f"the import ended otherwise: {work.told}")
    return times, work


def cancelled_within(shop: Deployment, file: Path) -> float:
    """Return the seconds from asking to cancel an import until it says that it is."""
    token = shop.log_in()
    key = shop.upload(file, token)
    while not state(shop, key, token)["created"]:
        time.sleep(0.02)
    began = time.monotonic()
    shop.call("POST", f"/api/v1/imports/{key}/cancel", {}, token)
    told = wait_until_ended(shop, key, token)
    if told["status"] != "cancelled":
        raise SystemExit(f"it ended before it could be cancelled: {told}")
    return time.monotonic() - began


def measure(shop: Deployment, folder: Path, rows: int, rounds: int, seconds: float) -> None:
    least, most, rates, took, stops = [], [], [], [], []
    for number in range(rounds):
        file = make_file(folder, rows, number)
        calm = loaded(shop, seconds, quiet)
        began = time.monotonic()
        times, work = while_importing(shop, file)
        took.append(time.monotonic() - began)
        rates.append(work.rate())
        least.append(calm[int(len(calm) * 0.99)])
        most.append(times[int(len(times) * 0.99)])
        stops.append(cancelled_within(shop, make_file(folder, rows, rounds + number)))
    idle, busy = statistics.median(least), statistics.median(most)
    print(
        f"p99 of other requests: quiet {idle:.1f} ms, importing {busy:.1f} ms: {busy / idle:.2f} x"
    )
    print(f"{rows:,} rows in {statistics.median(took):.1f} s beside that load")
    print(f"messages of progress a second: {statistics.median(rates):.1f}")
    print(f"cancelled within {statistics.median(stops):.2f} s (most {max(stops):.2f} s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    with served_shop(args.workers) as (shop, folder):
        measure(shop, folder, args.rows, args.rounds, args.seconds)


if __name__ == "__main__":
    main()
