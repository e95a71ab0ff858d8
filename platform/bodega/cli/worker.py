"""``bodega worker``: runs jobs."""

import os
import socket

import click

from bodega.cli.context import Context, home_option, strict_option


@click.command()
@click.option("--threads", type=click.IntRange(2, 64), default=4, show_default=True,
              help="Jobs at a time.")  # fmt: skip
@home_option
@strict_option
@click.pass_obj
def worker(context: Context, threads: int) -> None:
    """Run jobs and services, number events, feed subscriptions. Start as many as you like.

    Example: bodega worker --threads 8
    """
    from bodega.telemetry.metrics_folder import collect_in

    collect_in(context.settings.metrics_folder)
    from bodega.jobs.worker import work_forever
    from bodega.telemetry.logging import configure_logging

    # Each job has a thread that renews its lease; the follower, the relay, the sweeper and the
    # feeder have connections too, the thread that waits for them, and services as they need.
    shop = context.shop(connections=2 * threads + 24)
    configure_logging(context.settings, "worker")
    work_forever(shop, f"{socket.gethostname()}:{os.getpid()}", threads)
