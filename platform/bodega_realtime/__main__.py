"""``python -m bodega_realtime``: the process of the real-time server."""

import asyncio
import os
import resource
import signal
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from bodega.addons import lifecycle
from bodega.cli.tls import tls_options
from bodega.errors import ConfigurationError, OperatorError
from bodega.http.tls import pair
from bodega.processes import execute_anew
from bodega.settings import Settings, read_settings
from bodega.shop import Shop
from bodega.telemetry.logging import configure_logging
from bodega_realtime.server import Server
from bodega_sdk.errors import BodegaError

#: Seconds after which the process ends, whatever it waits for.
_LAST = 4.5


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of everything the shop keeps; takes the place of BODEGA_HOME.",
)
@tls_options
def main(
    host: str, port: int, home: Path | None, tls_certificate: Path | None, tls_key: Path | None
) -> None:
    """Stream events to WebSocket clients until SIGTERM or SIGINT."""
    try:
        settings = read_settings(home=home)
        configure_logging(settings, "realtime")
        shop = open_shop(settings)
        _allow_many_sockets()
        tls = pair(tls_certificate, tls_key)
        renew = asyncio.run(_serve(shop, host, port, tls.context() if tls else None))
    except BodegaError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    if renew:
        execute_anew()


def open_shop(settings: Settings) -> Shop:
    """Open a shop that was started before, and compute its Assembly.

    Raises:
        OperatorError: it was never started, or its tables are of another version.
    """
    shop = Shop(settings, connections=6)
    try:
        if not lifecycle.is_prepared(shop):
            raise OperatorError("this shop is not prepared; run 'bodega migrate' first")
        shop.refresh()
        # Read here once, so that no token waits for the database.
        assert shop.shop_id
        assert shop.keys
    finally:
        shop.databases.close()
    return shop


def _allow_many_sockets() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # Some systems allow less than they say.
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve(shop: Shop, host: str, port: int, tls: ssl.SSLContext | None) -> bool:
    """Serve until the end; return whether this process shall be executed anew."""
    stopping, renewing = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def renew() -> None:
        renewing.set()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = Server(shop, host, port, lambda: loop.call_soon_threadsafe(renew), tls)
    try:
        await server.start()
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port"
        ) from None
    await stopping.wait()
    _end_in_time(execute_anew if renewing.is_set() else _exit)
    await server.stop(restarting=renewing.is_set())
    return renewing.is_set()


def _exit() -> NoReturn:
    os._exit(0)


def _end_in_time(end: Callable[[], NoReturn]) -> None:
    """End the process soon, even if the database never answers: no work is lost by that."""
    timer = threading.Timer(_LAST, end)
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    main()
