"""A shop run by real processes, started as an operator starts them."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ADMIN = ("admin@example.com", "correct horse battery")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Deployment:
    """A shop run by real processes.

    Args:
        environ: what its processes are told.
        web_workers: gunicorn workers of ``bodega up``.
    """

    environ: dict[str, str]
    web_workers: int
    folder: Path
    port: int = field(default_factory=free_port)
    realtime_port: int = field(default_factory=free_port)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def command(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run ``bodega …`` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "bodega", *arguments],
            env=self.environ, input=stdin, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start ``bodega …`` and leave it running."""
        log = (self.folder / f"{arguments[0]}-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "bodega", *arguments], env=self.environ,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        log.close()
        self.processes.append(process)
        return process

    def up(self) -> "subprocess.Popen[bytes]":
        """Start everything and wait until the API and a worker answer."""
        process = self.start(
            "up", "--port", str(self.port), "--realtime-port", str(self.realtime_port),
            "--workers", str(self.web_workers),
        )  # fmt: skip
        self.wait_until(self._complete)
        return process

    def _complete(self) -> bool:
        status, body = self.get("/health/detailed")
        return status == 200 and body["status"] == "healthy" and self._realtime()

    def _realtime(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.realtime_port)) == 0

    def wait_until(self, true: Any, otherwise: str = "", timeout: float = 60) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + timeout
        while not true():
            assert time.monotonic() < deadline, otherwise or self.logs()
            time.sleep(0.1)

    def logs(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(f"{p.name}:\n{p.read_text()[-3000:]}" for p in self.folder.glob("*.log"))

    def call(
        self, method: str, path: str, body: Any = None, token: str = "", **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Call the API over HTTP; status 0 when nobody answers."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} | headers
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, sent, method=method
        )
        try:
            with _answer(request) as answer:
                return int(answer.status), _json(answer.read()), dict(answer.headers)
        # A server that is killed while it answers leaves half an answer.
        except (urllib.error.URLError, ConnectionError, http.client.HTTPException):
            return 0, None, {}

    def get(self, path: str, token: str = "") -> tuple[int, Any]:
        """GET."""
        return self.call("GET", path, token=token)[:2]

    def log_in(self) -> str:
        """Return an access token of the administrator."""
        email, password = ADMIN
        _, body, _ = self.call("POST", "/api/v1/auth/login", {"email": email, "password": password})
        token: str = body["access"]
        return token

    def upload(self, file: Path, token: str) -> str:
        """Begin an import through the API; return its id."""
        status, body, _ = self.call(
            "POST", "/api/v1/imports", file.read_bytes(), token, **{"Content-Type": "text/csv"}
        )
        assert status == 202, body
        found: str = body["id"]
        return found

    def stop(self) -> None:
        """End every process that was started here."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _answer(request: urllib.request.Request) -> Any:
    """Return what was answered, also where that is a refusal."""
    try:
        return urllib.request.urlopen(request, timeout=120)
    except urllib.error.HTTPError as error:
        return error


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a deployment: this one's, without the shop it may name."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("BODEGA_") and name not in ("DATABASE_URL", "REDIS_URL")
    }
    return kept | {
        "BODEGA_HOME": str(home),
        "BODEGA_ADMIN_EMAIL": ADMIN[0],
        "BODEGA_ADMIN_PASSWORD": ADMIN[1],
        "BODEGA_JOB_LEASE": "3",
        "BODEGA_RATE_LIMIT": "off",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path and Path(path).is_dir()),
        **more,
    }
