"""A worker process: Huey's consumer, the sweeper and the relay around one shop."""

from bodega.follower import Follower
from bodega.jobs.relay import Relay
from bodega.jobs.runner import Runner
from bodega.jobs.sweeper import Sweeper
from bodega.shop import Shop


def work_forever(shop: Shop, name: str, threads: int) -> None:
    """Run jobs until SIGTERM or SIGINT, then finish those in hand.

    Args:
        name: who claims the jobs.
        threads: jobs at a time.
    """
    runner = Runner(shop, name, threads)
    parts = (Follower(shop, "worker"), Sweeper(shop), Relay(shop))
    for part in parts:
        part.start()
    try:
        shop.queue.consume(runner.work, threads, runner.stopping.set)
    finally:
        runner.stopping.set()
        for part in reversed(parts):
            part.stop()
