"""A worker process: Huey's consumer, the sweeper and the relay around one shop."""

import os
import signal
import threading

from bodega.follower import Follower
from bodega.jobs.relay import Relay
from bodega.jobs.runner import Runner
from bodega.jobs.sweeper import Sweeper
from bodega.processes import execute_anew
from bodega.shop import Shop


def work_forever(shop: Shop, name: str, threads: int) -> None:
    """Run jobs until SIGTERM or SIGINT, then finish those in hand.

    When an addon was upgraded, do the same and execute this process anew.

    Args:
        name: who claims the jobs.
        threads: jobs at a time.
    """
    runner = Runner(shop, name, threads)
    renewing = threading.Event()

    def renew() -> None:
        if not renewing.is_set():
            renewing.set()
            os.kill(os.getpid(), signal.SIGTERM)

    parts = (Follower(shop, "worker", renew=renew), Sweeper(shop), Relay(shop))
    for part in parts:
        part.start()
    try:
        shop.queue.consume(runner.work, threads, runner.stopping.set)
    finally:
        runner.stopping.set()
        for part in reversed(parts):
            part.stop()
    if renewing.is_set():
        execute_anew()
