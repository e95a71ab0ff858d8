"""V504: scheduled jobs run in a shop without rows, twice."""

from collections.abc import Iterator
from typing import Any

from bodega.database.tables import JobRow
from bodega.jobs.runner import Runner
from bodega_sdk.jobs import LANES
from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.places import place_of
from bodega_sdk.testing.conformance.shops import Engine
from bodega_sdk.testing.conformance.subject import Subject


def check(subject: Subject, engine: Engine) -> Iterator[Finding]:
    """Run each scheduled job of the addon, and again."""
    jobs = [job for job in subject.loaded.jobs if job.every is not None]
    if not jobs:
        return
    with engine.started((*subject.needed(), subject.name)) as shop:
        runner = Runner(shop, "verify", threads=1)
        for job in jobs:
            for _ in range(2):
                if told := _run(shop, runner, job):
                    place = place_of(subject, job.handler)
                    yield Finding("V504", f"{job.name} fails: {told}", place, engine.name)
                    break


def _run(shop: Any, runner: Any, job: Any) -> str:
    """Run a job once; return why it failed, empty when it did not."""
    try:
        key = shop.current.enqueue(shop.assembly.jobs[job.name], {}, None)
    # What it enqueues is checked when it is enqueued.
    except Exception as error:
        return str(error)
    for lane in LANES:
        while runner.run_next(lane):
            pass
    row = JobRow.get_by_id(key)
    lines = str(row.error or row.status).strip().splitlines()
    return "" if row.status == "succeeded" else " ".join(lines[-3:])[-300:]
