"""Real processes: after a committed write none of them gives an old answer."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
THINGS = "/api/v1/things"
TRUTH = {"Accept-Language": "x" * 201}
PROGRAM = Path(__file__).with_name("reading_process.py")
SECONDS = 6.0


class Reader:
    """A process that reads; one thread at a time may ask it."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)], env=environ, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def get(self, path: str) -> tuple[int, str]:
        """Ask it for an address."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        while line and not line.startswith("["):
            line = self._process.stdout.readline()  # The log.
        assert line, self._process.communicate()[1][-3000:]
        status, text = json.loads(line)
        return status, text

    def stop(self) -> None:
        """End it."""
        self._process.communicate(timeout=20)


@pytest.fixture(params=["without Redis", "with Redis", "on one machine"])
def readers(
    things: Any, terminal: Any, request: pytest.FixtureRequest
) -> Iterator[tuple[Reader, Reader]]:
    """Two processes that read the shop of the test."""
    environ = terminal.environ | {"BODEGA_RATE_LIMIT": "off"}
    if request.param == "on one machine":
        environ["BODEGA_MACHINES"] = "one"
    if request.param == "with Redis":
        environ["REDIS_URL"] = request.getfixturevalue("redis_server")
    made = Reader(environ), Reader(environ)
    yield made
    for reader in made:
        reader.stop()


def test_two_processes_answer_what_was_committed_last(
    things: Any, readers: tuple[Reader, Reader]
) -> None:
    draw, nobody = random.Random(7), type(things)(things.gate, things.shop)
    slugs: list[str] = []
    for turn in range(120):
        act = draw.choice(("add", "grow", "stock", "drop")) if slugs else "add"
        if act == "add":
            slugs.append(f"s{turn}")
            data = {"name": f"N{turn}", "slug": f"s{turn}", "code": f"C{turn}"}
            things.post(THINGS, data).expect(201)
        elif act == "drop":
            slug = slugs.pop(draw.randrange(len(slugs)))
            things.delete(f"{THINGS}/{slug}").expect(204)
        else:
            change = {"size": turn} if act == "grow" else {"extras": {"stock": turn}}
            things.patch(f"{THINGS}/{draw.choice(slugs)}", change).expect(200)
        for path in (f"{THINGS}?include=words", f"{THINGS}/largest", f"{THINGS}?in_stock=true"):
            truth = nobody.get(path, headers=TRUTH).text
            for reader in (*readers, *readers):
                assert reader.get(path) == (200, truth)


def test_while_somebody_writes_nobody_reads_what_is_older_than_the_last_commit(
    things: Any, readers: tuple[Reader, Reader], threads: Any
) -> None:
    things.post(THINGS, {"name": "Lamp", "slug": "lamp", "code": "L"}).expect(201)
    # Starting them may take as long as all that follows.
    assert [reader.get(THINGS)[0] for reader in readers] == [200, 200]
    committed, ends, reads = [0], time.monotonic() + SECONDS, []

    def write() -> None:
        while time.monotonic() < ends:
            things.patch(f"{THINGS}/lamp", {"size": committed[0] + 1}).expect(200)
            committed[0] += 1
            time.sleep(random.uniform(0, 0.01))

    def read(reader: Reader) -> None:
        before = 0
        while time.monotonic() < ends:
            floor = committed[0]
            status, text = reader.get(f"{THINGS}/lamp")
            size = json.loads(text)["size"]
            assert (status, size >= max(floor, before)) == (200, True), (floor, before, text)
            before = size
            reads.append(size)

    running = [threads.start(write), *(threads.start(lambda r=r: read(r)) for r in readers)]
    for item in running:
        item.result(SECONDS + 20)
    assert committed[0] > 20
    assert len(reads) > committed[0]
