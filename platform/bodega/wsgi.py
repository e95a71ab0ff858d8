"""The API as a WSGI callable (PEP 3333), for servers other than ``bodega serve``.

    granian --interface wsgi --workers 2 --blocking-threads 4 bodega.wsgi:app
    gunicorn --worker-class gthread --workers 2 --threads 4 bodega.wsgi:app

It reads the same environment variables. What ``bodega serve`` does around it is the server's
business then: patience with slow clients, problem documents for what is no HTTP, and new
processes when an addon's code was upgraded, which this only asks for in the log.
"""

import os
from functools import cache
from typing import Any

#: To PostgreSQL, of each process.
_CONNECTIONS = 20


def __getattr__(name: str) -> Any:
    # Opened when a server asks for it, not wherever this module is imported.
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _app()


@cache
def _app() -> Any:
    from bodega import startup

    startup.begin()
    from bodega.settings import read_settings
    from bodega.telemetry.metrics_folder import VARIABLE, collect_in

    settings = read_settings()
    if VARIABLE not in os.environ:
        # Before anything imports the library that counts.
        collect_in(settings.metrics_folder)
    from bodega.http.opening import open_gate

    return open_gate(settings, _CONNECTIONS, _ask_for_restart)


@cache
def _ask_for_restart() -> None:
    import structlog

    structlog.get_logger(__name__).warning("addons have newer code; restart the server")
