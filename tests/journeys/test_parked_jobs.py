"""Jobs of an addon that is disabled while they run, and whose worker is killed: done once each."""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bodega.database.tables import JobRow, ScheduleRow
from bodega.settings import read_settings
from bodega.shop import Shop
from bodega_sdk import now
from bodega_sdk.testing.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SAMPLE = Path(__file__).parent.parent / "sample_addons" / "chores"
JOBS = 1000


def _install(site: Path, name: str) -> None:
    """Install the sample addon chores under a name, as pip would."""
    package = site / f"bodega_sample_{name}"
    shutil.copytree(SAMPLE / "bodega_sample_chores", package)
    for path in package.rglob("*.py"):
        path.write_text(path.read_text().replace("chores", name))
    info = site / f"bodega_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: bodega-{name}\nVersion: 1.0\n")
    entry = f"[bodega.addons]\n{name} = bodega_sample_{name}.manifest\n"
    (info / "entry_points.txt").write_text(entry)


@dataclass
class Household:
    """A shop with the addon chores, which is disabled, and errands, the same under another name."""

    shop: Deployment
    #: The shop as the test sees it.
    seen: Shop

    def run(self, *arguments: str) -> None:
        """Run ``bodega …``, which must succeed."""
        done = self.shop.command(*arguments)
        assert done.returncode == 0, done.stderr

    def start_worker(self, *options: str) -> int:
        """Start a worker; return the id of its process."""
        before = len(self.seen.register.living())
        worker = self.shop.start("worker", *options)
        self.shop.wait_until(lambda: len(self.seen.register.living()) > before)
        return worker.pid

    def kill(self, pid: int) -> None:
        """Kill a worker, and start another in its place."""
        (worker,) = (process for process in self.shop.processes if process.pid == pid)
        os.kill(pid, signal.SIGKILL)
        assert worker.wait(10) == -signal.SIGKILL
        self.start_worker()

    def statuses(self, addon: str = "chores") -> dict[str, int]:
        """Return how many jobs of an addon have which status."""
        found: dict[str, int] = {}
        rows = JobRow.select(JobRow.status).where(JobRow.name.startswith(f"{addon}."))
        for (status,) in rows.tuples():
            found[status] = found.get(status, 0) + 1
        return found

    def written(self, addon: str = "chores") -> list[str]:
        """Return what the jobs of an addon wrote: the id of each that wrote, as often as it did."""
        rows = self.seen.databases.shop.execute_sql(f"SELECT job FROM {addon}_done").fetchall()
        return sorted(job for (job,) in rows)

    def run_errands(self, number: int = 25) -> None:
        """Have as many jobs of the other addon done."""
        self.run("errands", str(number))
        self.wait_until_done("errands")

    def wait_until_done(self, addon: str) -> None:
        """Wait until every job of an addon has succeeded."""
        self.shop.wait_until(lambda: set(self.statuses(addon)) == {"succeeded"})

    def make_due(self, *addons: str) -> None:
        """Make the schedules of addons due, as if many of their times had been missed."""
        names = [f"{addon}.tidy" for addon in addons]
        moved = ScheduleRow.update(due=now() - timedelta(hours=9)).where(ScheduleRow.name << names)
        assert moved.execute() == len(addons)

    def fired(self, addon: str) -> int:
        """Return how often an addon's schedule has fired."""
        return int(JobRow.select().where(JobRow.name == f"{addon}.tidy").count())

    def running(self) -> int:
        """Return how many jobs of chores run."""
        return self.statuses().get("running", 0)

    def stopped(self, place: str) -> int:
        """Wait until a chore stops at a place; return the process that does it."""
        file = self.seen.settings.home / "files" / "chores" / place
        self.shop.wait_until(lambda: file.exists() and file.read_text())
        return int(file.read_text())


@pytest.fixture
def household(deployment: Deployment, tmp_path: Path) -> Iterator[Household]:
    """A shop where both addons are enabled and nothing runs yet."""
    for name in ("chores", "errands"):
        _install(tmp_path / "site", name)
    deployment.environ["PYTHONPATH"] += f":{tmp_path / 'site'}"
    assert deployment.command("migrate").returncode == 0
    seen = Shop(read_settings(deployment.environ), connections=3)
    made = Household(deployment, seen)
    made.run("addons", "enable", "chores")
    made.run("addons", "enable", "errands")
    yield made
    seen.databases.close()


def test_jobs_of_an_addon_that_is_disabled_while_they_run_and_die_are_done_once_each(
    household: Household,
) -> None:
    # Two of its threads will stop, and the third is not done soon.
    first = household.start_worker("--threads", "3")
    stops = ("--first", "before", "--first", "after", "--last", "inside")
    household.run("chores", str(JOBS), *stops)
    assert {household.stopped("before"), household.stopped("after")} == {first}

    household.run("addons", "disable", "chores")
    # What had begun goes on, on the Assembly it began with.
    household.shop.wait_until(lambda: household.running() == 2)
    done = household.written()
    parked = household.statuses()["parked"]
    assert parked > JOBS / 4, "too few were left to be parked"

    household.make_due("chores", "errands")
    household.shop.wait_until(lambda: household.fired("errands") == 1)
    household.start_worker()
    household.kill(first)
    household.run_errands()
    household.shop.wait_until(lambda: not household.running(), "what the dead held is not given up")
    household.run_errands()
    assert household.fired("chores") == 0
    assert household.written() == done
    assert household.statuses() == {"succeeded": len(done) - 1, "parked": parked + 2}

    household.run("addons", "enable", "chores")
    household.shop.wait_until(lambda: household.fired("chores") == 1)
    household.kill(household.stopped("inside"))
    household.run_errands()
    household.make_due("errands")
    household.shop.wait_until(lambda: household.fired("errands") == 2)
    for addon in ("chores", "errands"):
        household.wait_until_done(addon)

    assert household.fired("chores") == 1
    jobs = JobRow.select().where(JobRow.name.startswith("chores."))
    assert household.written() == sorted(str(job.id) for job in jobs)
    assert len(jobs) == JOBS + 1
    # Those that were stopped were begun again; every other job of the killed may have been.
    assert all(job.attempts > 1 for job in jobs if job.payload.get("stop"))
    errands = household.written("errands")
    assert len(errands) == len(set(errands)) == 3 * 25 + 2
