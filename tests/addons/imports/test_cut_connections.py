"""A client of tus that we did not write, over connections that break, to real processes."""

import hashlib
import random
import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from bodega_sdk.testing.deployment import Deployment

pytestmark = pytest.mark.slow

ROWS = 4000
# Bytes that a connection lives for.
SHORTEST, LONGEST = 10_000, 3_000_000
#: The most breaks that a client may need for one file.
PATIENCE = 200


class Cutter:
    """A relay before a server, which breaks each connection after some bytes.

    Args:
        port: of the server.
        chance: decides after how many bytes, and whether politely.
    """

    def __init__(self, port: int, chance: random.Random) -> None:
        self._port = port
        self._chance = chance
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cuts, self.longest = 0, LONGEST
        self.stopped = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            taken, _ = self._listener.accept()
            if self.stopped:
                taken.close()
                return
            thread = threading.Thread(target=self._relay, args=(taken,))
            self._threads.append(thread)
            thread.start()

    def _relay(self, client: socket.socket) -> None:
        left = self._chance.randint(SHORTEST, self.longest)
        with (
            client,
            socket.create_connection(("127.0.0.1", self._port)) as server,
            # Unlike select(), it takes sockets whatever their numbers are.
            selectors.DefaultSelector() as either,
        ):
            for one in (client, server):
                either.register(one, selectors.EVENT_READ)
            with suppress(OSError):
                while left > 0 and not self.stopped:
                    for key, _ in either.select(0.2):
                        source = client if key.fileobj is client else server
                        piece = source.recv(min(left, 65536) if source is client else 65536)
                        if not piece:
                            return
                        left -= len(piece) if source is client else 0
                        (server if source is client else client).sendall(piece)
            self.cuts += 1
            if self._chance.random() < 0.5:  # As a cable that is pulled, not as a farewell.
                for one in (client, server):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def stop(self) -> None:
        """Break what there is, and take no more."""
        self.stopped = True
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self._threads:
            thread.join()
        self._listener.close()


@pytest.fixture
def running(deployment: Deployment) -> Deployment:
    """A shop of real processes."""
    deployment.up()
    return deployment


@pytest.fixture
def cutter(running: Deployment) -> Iterator[Cutter]:
    """A relay before the shop."""
    made = Cutter(running.port, random.Random(7))
    yield made
    made.stop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Products with long texts that cannot be made smaller."""
    chance, made = random.Random(1), tmp_path / "products.csv"
    with made.open("w") as out:
        out.write("sku,name,price,description\n")
        for number in range(ROWS):
            out.write(f"C-{number},Product {number},9.99,{chance.randbytes(1500).hex()}\n")
    return made


def upload(cutter: Cutter, token: str, file: Path, **options: Any) -> str:
    """Upload a file with however many connections it takes; return the upload's id."""
    client = TusClient(
        f"http://127.0.0.1:{cutter.port}/api/v1/imports/uploads",
        headers={"Authorization": f"Bearer {token}"},
    )
    url = None
    with file.open("rb") as stream:
        for _ in range(PATIENCE):
            with suppress(TusCommunicationError, TusUploadFailed):
                uploader = client.uploader(
                    file_stream=stream, url=url, metadata={"filename": file.name}, **options
                )
                if url is None:
                    uploader.set_url(uploader.create_url())
                    url = uploader.url
                uploader.upload()
                return urlsplit(str(url)).path.rpartition("/")[2]
    raise AssertionError(f"not done after {PATIENCE} connections")


@pytest.mark.parametrize("deployment", ["embedded", "distributed"], indirect=True)
def test_a_file_arrives_whole_however_often_the_connection_breaks(
    running: Deployment, cutter: Cutter, file: Path
) -> None:
    token, size = running.log_in(), file.stat().st_size
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    for options in (
        {"chunk_size": size},
        {"chunk_size": 5_000_000, "retries": 3, "retry_delay": 0},
        {"chunk_size": 200_000, "upload_checksum": True},
    ):
        # Pieces that are small are sent on connections of their own.
        before, cutter.longest = cutter.cuts, min(LONGEST, 3 * int(options["chunk_size"]))
        import_id = upload(cutter, token, file, **options)
        assert cutter.cuts - before >= 4, "the connection was to break"
        kept = Path(running.environ["BODEGA_HOME"], "files", "imports", f"{import_id}.data")
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == expected
        path = f"/api/v1/imports/{import_id}"
        running.wait_until(lambda path=path: running.get(path, token)[1]["finished_at"])
        _, run = running.get(path, token)
        assert (run["status"], run["filename"], run["size"]) == ("completed", file.name, size)
        assert run["created"] + run["unchanged"] == run["total_rows"] == ROWS
    _, listed = running.get("/api/v1/imports", token)
    assert listed["count"] == 3, "no upload was imported twice"
