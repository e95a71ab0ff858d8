"""``bodega realtime``: the real-time server."""

import sys

import click

from bodega.cli.context import Context, home_option, strict_option


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
@home_option
@strict_option
@click.pass_obj
def realtime(context: Context, host: str, port: int) -> None:
    """Stream events to WebSocket clients.

    Example: bodega realtime --port 8001
    """
    # The real-time server imports the kernel, so the kernel does not import it: it starts it.
    import os

    home = str(context.settings.home)
    arguments = ["--host", host, "--port", str(port), "--home", home]
    context.shop().databases.close()
    os.execv(sys.executable, [sys.executable, "-m", "bodega_realtime", *arguments])
