"""A worker process: Huey's consumer and the threads around one shop."""

import os
import signal
import threading

from bodega.follower import Follower
from bodega.jobs.feeder import Feeder
from bodega.jobs.relay import Relay
from bodega.jobs.runner import Runner
from bodega.jobs.services import Services
from bodega.jobs.sweeper import Sweeper
from bodega.processes import execute_anew
from bodega.shop import Shop


def work_forever(shop: Shop, name: str, threads: int) -> None:
    """Run jobs, services and the rest until SIGTERM or SIGINT, then finish what is in hand.

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

    def stopping() -> None:
        runner.stopping.set()
        services.tell()

    feeder, services = Feeder(shop), Services(shop)
    follower = Follower(shop, "worker", services.follow, renew)
    parts = (follower, Sweeper(shop), feeder, Relay(shop, news=feeder.wake), services)
    for part in parts:
        part.start()
    try:
        shop.queue.consume(runner.work, threads, stopping)
    finally:
        stopping()
        for part in reversed(parts):
            part.stop()
    if renewing.is_set():
        execute_anew()
