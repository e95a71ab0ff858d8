"""The supervisor: starts the processes of ``bodega up``, restarts and stops them."""

import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from types import FrameType

import structlog

from bodega.errors import ConfigurationError

log = structlog.get_logger(__name__)
#: Seconds that processes get to finish what they have in hand.
GRACE = 30.0


@dataclass
class Part:
    """A process of the shop.

    Args:
        name: for messages.
        arguments: of ``bodega``.
    """

    name: str
    arguments: tuple[str, ...]
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    started: float = 0.0
    wait: float = 0.5

    def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C reaches it through us, once."""
        command = [sys.executable, "-m", "bodega", *self.arguments]
        self.process = subprocess.Popen(command, start_new_session=True)
        self.started = time.monotonic()

    def signal(self, number: int) -> None:
        """Send it a signal if it lives."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


def supervise(parts: tuple[Part, ...], addresses: tuple[tuple[str, int], ...]) -> int:
    """Run the parts until SIGINT or SIGTERM; restart one that dies.

    Args:
        addresses: that must be free, checked first.

    Returns:
        The exit code: 0 when everything stopped by itself, 1 when something had to be killed.

    Raises:
        ConfigurationError: a port is taken.
    """
    for host, port in addresses:
        _check_free(host, port)
    stop = _StopFlag()
    for part in parts:
        part.start()
    while not stop.raised:
        for part in parts:
            _restart_dead(part, stop)
        time.sleep(0.1)
    return _stop(parts)


class _StopFlag:
    """Raised by SIGINT, SIGTERM and SIGHUP."""

    def __init__(self) -> None:
        self._raised = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._raise)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self._raised = True

    @property
    def raised(self) -> bool:
        return self._raised


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port}: {error.strerror}; stop what listens there, "
                "or choose others with --port and --realtime-port"
            ) from None


def _restart_dead(part: Part, stop: _StopFlag) -> None:
    assert part.process is not None
    code = part.process.poll()
    if code is None:
        return
    # One that dies at once is started again more and more slowly.
    lived = time.monotonic() - part.started
    part.wait = 0.5 if lived > 10 else min(10.0, part.wait * 2)
    log.error("a process died and is started again", process=part.name, code=code,
              after_seconds=part.wait)  # fmt: skip
    deadline = time.monotonic() + part.wait
    while time.monotonic() < deadline and not stop.raised:
        time.sleep(0.05)
    if not stop.raised:
        part.start()


def _stop(parts: tuple[Part, ...]) -> int:
    for part in parts:
        part.signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    killed = 0
    for part in parts:
        assert part.process is not None
        try:
            part.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            part.process.kill()
            part.process.wait()
            killed += 1
    return 1 if killed else 0
