"""``bodega serve``: the API on gunicorn."""

import subprocess
import sys
from pathlib import Path

import click

from bodega.cli.context import Context, home_option, strict_option
from bodega.cli.tls import tls_options


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True,
              help="Processes.")  # fmt: skip
@click.option("--threads", type=click.IntRange(1, 256), default=8, show_default=True,
              help="Threads of each process.")  # fmt: skip
@tls_options
@home_option
@strict_option
@click.pass_obj
def serve(
    context: Context,
    host: str,
    port: int,
    workers: int,
    threads: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
) -> None:
    """Serve the API.

    Example: bodega serve --host 0.0.0.0 --port 8000 --workers 4
    """
    from bodega.http.server import serve_forever
    from bodega.http.tls import pair

    tls = pair(tls_certificate, tls_key)
    if _needs_care(context):
        # In a process of its own: workers are forked from this one, which must not
        # hold an addon's code, or no reload would bring newer code.
        home = ("--home", str(context.settings.home))
        care = subprocess.run([sys.executable, "-m", "bodega", *home, "migrate", *_flags(context)])
        if care.returncode:
            raise SystemExit(care.returncode)
    serve_forever(context.settings, host, port, workers, threads, tls)


def _needs_care(context: Context) -> bool:
    """Whether there is anything to make, to finish or to check before the first worker starts."""
    from bodega.addons import journal, lifecycle
    from bodega.shop import Shop

    shop = Shop(context.settings, connections=2)
    try:
        return context.strict or not lifecycle.is_prepared(shop) or journal.unfinished()
    finally:
        shop.databases.close()


def _flags(context: Context) -> tuple[str, ...]:
    return ("--strict",) if context.strict else ()
