"""``bodega serve``: the API on gunicorn."""

import click

from bodega.cli.context import Context, home_option


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True,
              help="Processes.")  # fmt: skip
@click.option("--threads", type=click.IntRange(1, 256), default=8, show_default=True,
              help="Threads of each process.")  # fmt: skip
@home_option
@click.pass_obj
def serve(context: Context, host: str, port: int, workers: int, threads: int) -> None:
    """Serve the API.

    Example: bodega serve --host 0.0.0.0 --port 8000 --workers 4
    """
    from bodega.http.server import serve_forever

    # Makes a new shop, or says what is wrong, before any worker is forked.
    shop = context.shop()
    shop.databases.close()
    serve_forever(context.settings, host, port, workers, threads)
