"""``bodega realtime``: the real-time server."""

import sys
from pathlib import Path

import click

from bodega.cli.context import Context, home_option, strict_option
from bodega.cli.tls import tls_options


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
@tls_options
@home_option
@strict_option
@click.pass_obj
def realtime(
    context: Context,
    host: str,
    port: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
) -> None:
    """Stream events to WebSocket clients.

    Example: bodega realtime --port 8001
    """
    # The real-time server imports the kernel, so the kernel does not import it: it starts it.
    import os

    from bodega.http.tls import pair

    tls = pair(tls_certificate, tls_key)
    home = str(context.settings.home)
    arguments = ["--host", host, "--port", str(port), "--home", home, *(tls.options if tls else ())]
    context.shop().databases.close()
    os.execv(sys.executable, [sys.executable, "-m", "bodega_realtime", *arguments])
