"""The API on gunicorn: threads in a few processes, each with a shop of its own."""

import os
import select
import signal
import ssl
import sys
from functools import cache, partial
from typing import Any

from gunicorn.app.base import BaseApplication

from bodega.http.addresses import local_url, remember
from bodega.http.arbiter import Arbiter
from bodega.http.sharing import Shares
from bodega.http.tls import Tls
from bodega.settings import Settings
from bodega.telemetry.metrics_folder import VARIABLE, collect_in


class Server(BaseApplication):
    """Gunicorn, configured by us; the arbiter itself never imports an addon."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Take our options; gunicorn.conf.py and GUNICORN_CMD_ARGS are not read."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Open the shop; called in each worker after the fork."""
        from bodega.http.opening import open_gate

        arbiter = os.getppid()
        renew = partial(os.kill, arbiter, signal.SIGHUP)
        return open_gate(self._settings, self._options["threads"] + 4, renew)

    def run(self) -> None:
        """Serve until the end."""
        try:
            Arbiter(self).run()
        except RuntimeError as error:
            print(f"Error: {error}", file=sys.stderr)
            sys.exit(1)


def serve_forever(
    settings: Settings, host: str, port: int, workers: int, threads: int, tls: Tls | None = None
) -> None:
    """Serve the API until SIGTERM or SIGINT."""
    if port:
        remember(settings, local_url("https" if tls else "http", host, port))
    if VARIABLE not in os.environ:
        collect_in(settings.metrics_folder, empty=True)
    shares = Shares()
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "threads": threads,
        "worker_class": f"bodega.http.{_worker_class()}",
        "worker_tmp_dir": _memory_folder(),
        "control_socket_disable": True,
        "graceful_timeout": 20,
        "timeout": 60,
        "keepalive": 5,
        "proc_name": "bodega",
        "loglevel": "warning",
        "pre_fork": shares.give,
        "child_exit": partial(_forget, shares),
        # gunicorn itself believes whoever is on this machine, and lets them set the path.
        "forwarded_allow_ips": ",".join(map(str, settings.trusted_proxies)),
        "secure_scheme_headers": {"X-FORWARDED-PROTO": "https"},
        "forwarder_headers": "",
        **_encrypted(tls),
    }
    Server(settings, options).run()


def _worker_class() -> str:
    # Elsewhere than on Linux, gunicorn's main thread waits for all connections.
    return "epoll_worker.EpollWorker" if hasattr(select, "epoll") else "worker.Worker"


def _encrypted(tls: Tls | None) -> dict[str, Any]:
    if tls is None:
        return {}
    # gunicorn asks for each connection. The first of a worker reads the files, so that a
    # reload serves a renewed certificate.
    context = cache(partial(_context, tls))
    return {
        "certfile": str(tls.certificate),
        "keyfile": str(tls.key),
        "ssl_context": lambda config, usual: context(),
        # The handshake is made when the request is read, with the same patience.
        "do_handshake_on_connect": False,
    }


def _context(tls: Tls) -> ssl.SSLContext:
    from bodega.http.worker import EncryptedSocket

    context = tls.context()
    context.sslsocket_class = EncryptedSocket
    return context


def _memory_folder() -> str | None:
    """Return a folder in memory for gunicorn's heartbeats: a busy disk must not stop them."""
    folder = "/dev/shm"  # noqa: S108
    return folder if os.path.isdir(folder) else None


def _forget(shares: Shares, _: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    shares.take_back(worker)
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
