"""Doing chores, once each."""

import os
import time
from datetime import timedelta

from bodega_sample_chores.models import Done

from bodega_sdk import JobRun, folder, job

#: Where a chore can stop until its worker is killed.
PLACES = ("before", "inside", "after")


@job("chores.do", max_attempts=20)
def do(run: JobRun, stop: str = "") -> None:
    """Do a chore that takes a moment; its first try may stop before, inside or after writing."""
    time.sleep(0.05)
    _stop_at("before", stop, run)
    with run.transaction():
        # Who dies between this commit and the job's end is followed by another run.
        if not run.checkpoint:
            Done.create(job=str(run.id))
            run.save({"written": True})
        _stop_at("inside", stop, run)
    _stop_at("after", stop, run)


@job("chores.tidy", every=timedelta(hours=1), max_attempts=20)
def tidy(run: JobRun) -> None:
    """Tidy up; a schedule."""
    do(run)


def _stop_at(place: str, stop: str, run: JobRun) -> None:
    if place == stop and run.attempt == 1:
        (folder("chores") / place).write_text(str(os.getpid()))
        time.sleep(60)
