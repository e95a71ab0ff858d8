"""``bodega up``: the whole shop in one terminal."""

from pathlib import Path

import click

from bodega.cli.context import Context, home_option, strict_option
from bodega.cli.tls import tls_options


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True,
              help="Port of the API.")  # fmt: skip
@click.option("--realtime-port", type=click.IntRange(1, 65535), default=8001, show_default=True,
              help="Port of the real-time server.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True,
              help="Processes that serve the API.")  # fmt: skip
@tls_options
@home_option
@strict_option
@click.pass_obj
def up(
    context: Context,
    host: str,
    port: int,
    realtime_port: int,
    workers: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
) -> None:
    """Start the API, a worker and the real-time server; Ctrl-C stops them all.

    The first start makes everything and prints the administrator's password.

    Example: bodega up --port 8000
    """
    from bodega.http.addresses import local_url
    from bodega.http.tls import pair
    from bodega.supervisor import Part, supervise

    tls = pair(tls_certificate, tls_key)
    lines = _prepare(context)
    home = ("--home", str(context.settings.home))
    listen = ("--host", host, *(tls.options if tls else ()))
    secure = "s" if tls else ""
    parts = (
        Part("web", ("serve", *listen, "--port", str(port), "--workers", str(workers), *home)),
        Part("worker", ("worker", *home)),
        Part("realtime", ("realtime", *listen, "--port", str(realtime_port), *home)),
    )
    realtime = local_url(f"ws{secure}", host, realtime_port)
    _banner(local_url(f"http{secure}", host, port), f"{realtime}/ws", lines)
    raise SystemExit(supervise(parts, ((host, port), (host, realtime_port))))


def _prepare(context: Context) -> tuple[str, ...]:
    """Migrate, or make a new shop; return what its addons have to say."""
    from bodega.addons import lifecycle
    from bodega.database.migrating import MigrationFailed
    from bodega.shop import Shop
    from bodega.telemetry.metrics_folder import collect_in

    settings = context.settings
    collect_in(settings.metrics_folder, empty=True)
    shop = Shop(settings, connections=2)
    lines: tuple[str, ...] = ()
    try:
        lines = lifecycle.prepare(shop).lines
    except MigrationFailed as error:
        if not lifecycle.is_prepared(shop):
            raise
        # One addon must not keep the others from serving; it stays quarantined meanwhile.
        click.echo(f"Warning: {error}; addons with pending migrations do not serve", err=True)
    for fault in shop.refresh().faults.values():
        click.echo(f"Warning: {fault}", err=True)
    context.check(shop)
    shop.databases.close()
    return lines


def _banner(api: str, realtime: str, lines: tuple[str, ...]) -> None:
    click.echo(f"Bodega\n  API             {api}/api/v1\n  Documentation   {api}/api/docs")
    click.echo(f"  Console         {api}/console\n  Real-time       {realtime}")
    for line in lines:
        click.echo(f"  {line}")
    if lines:
        click.echo(
            "\nThree things to try:\n"
            f"  curl {api}/api/v1/products\n"
            "  bodega sample-data\n"
            "  bodega addons disable imports"
        )
    click.echo("\nCtrl-C stops everything.")
