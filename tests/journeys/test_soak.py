"""Addons are switched fifty times and upgraded ten times while clients call everything.

One shop with all its processes is soaked once; each test looks at one side of what was seen.
"""

import json
import shutil
import subprocess
import sys
import threading
import time
import uuid
import venv
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from bodega_sdk.testing import servers
from bodega_sdk.testing.deployment import ADMIN, Deployment, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]
TOGGLES = 50
RELEASES = 11
WEB_WORKERS = 4
ROLES = {"read": 3, "write": 1, "upload": 1, "plant": 1}
LOAD = Path(__file__).with_name("load.py")
SAMPLE = Path(__file__).parent.parent / "sample_addons" / "growing" / "bodega_sample_growing"
EXPAND = '''"""The column of release {number}."""


def up(migrator, db):
    db.execute_sql("ALTER TABLE growing_sprout ADD COLUMN height_{number} INTEGER")
    db.execute_sql("UPDATE growing_sprout SET height_{number} = height_{before}")


def down(migrator, db):
    db.execute_sql("ALTER TABLE growing_sprout DROP COLUMN height_{number}")
'''
CONTRACT = '''"""The end of the column of release {gone}; what {before} wrote meanwhile moves."""


def up(migrator, db):
    db.execute_sql(
        "UPDATE growing_sprout SET height_{number} = height_{before} WHERE height_{number} IS NULL"
    )
    db.execute_sql("ALTER TABLE growing_sprout DROP COLUMN height_{gone}")


def down(migrator, db):
    db.execute_sql("ALTER TABLE growing_sprout ADD COLUMN height_{gone} INTEGER")
'''


@dataclass
class Releases:
    """The packages of growing; a link shows one of them to whoever imports.

    Args:
        folder: where they are kept.
        site: the site folder of the virtual environment that the shop runs in.
    """

    folder: Path
    site: Path

    def bring(self, number: int) -> None:
        """Install a release as pip would, but all of its files at one moment."""
        made = self.folder / f"release-{number}"
        package = made / SAMPLE.name
        shutil.copytree(SAMPLE, package, ignore=shutil.ignore_patterns("__pycache__"))
        (package / "__init__.py").touch()
        manifest = package / "manifest.py"
        text = manifest.read_text()
        assert "RELEASE = 1\n" in text
        manifest.write_text(text.replace("RELEASE = 1\n", f"RELEASE = {number}\n"))
        for release in range(2, number + 1):
            _write_migrations(package / "migrations", release)
        _describe(made, number)
        link = self.folder / "next"
        link.symlink_to(made)
        link.replace(self.folder / "current")
        (self.site / "growing.pth").write_text(f"{self.folder / 'current'}\n")


def _write_migrations(folder: Path, number: int) -> None:
    names = {"number": number, "before": number - 1, "gone": number - 2}
    first = 2 * number - 2
    (folder / f"{first:04}_add_height_{number}.py").write_text(EXPAND.format(**names))
    contracting = folder / f"{first + 1:04}_contract_drop_height_{number - 2}.py"
    contracting.write_text(CONTRACT.format(**names))


def _describe(folder: Path, number: int) -> None:
    info = folder / f"{SAMPLE.name}-{number}.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: bodega-sample-growing\nVersion: {number}.0.0\n"
    )
    (info / "entry_points.txt").write_text(f"[bodega.addons]\ngrowing = {SAMPLE.name}.manifest\n")


@dataclass
class Command:
    """A verb that was run on the shop, and what it said."""

    verb: str
    began: float
    ended: float
    code: int
    told: dict[str, Any]
    error: str


@dataclass(repr=False)
class Soak:
    """What was done to the shop and what was seen of it."""

    commands: list[Command] = field(default_factory=list)
    #: process → the generations it told the register, in order.
    generations: dict[str, list[int]] = field(default_factory=dict)
    #: when the toggles were over.
    upgrading: float = 0.0
    seen: dict[str, Any] = field(default_factory=dict)
    processes: list[tuple[Any, ...]] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    sprouts: dict[str, tuple[int, bool, str]] = field(default_factory=dict)
    planted: list[tuple[int, int]] = field(default_factory=list)
    jobs: Counter[tuple[str, str]] = field(default_factory=Counter)
    imports: dict[str, tuple[str, int]] = field(default_factory=dict)
    answered: dict[str, Any] = field(default_factory=dict)

    @property
    def answers(self) -> list[dict[str, Any]]:
        """What the load was answered, in the order that it asked."""
        return sorted(self.seen["answers"], key=lambda answer: float(answer["at"]))

    def of(self, *owners: str) -> list[dict[str, Any]]:
        """What the routes of some addons answered."""
        return [answer for answer in self.answers if owner(answer["route"]) in owners]


def owner(route: str) -> str:
    """Say whom a route belongs to: one of the two switched addons, or somebody else."""
    root = route.removeprefix("/api/v1/").partition("/")[0]
    return root if root in ("imports", "growing") else "others"


@dataclass
class Keeper:
    """Runs the soak on a shop.

    Args:
        url: of the database, which it also looks into by itself.
    """

    shop: Deployment
    releases: Releases
    url: str
    soak: Soak = field(default_factory=Soak)

    def start(self) -> None:
        """Start every process by itself, as a service manager would, and fill the shop."""
        shop = self.shop
        assert shop.command("migrate").returncode == 0
        shop.start("serve", "--port", str(shop.port), "--workers", str(WEB_WORKERS))
        shop.start("worker")
        shop.start("realtime", "--port", str(shop.realtime_port))
        shop.wait_until(lambda: len(self._processes()) == WEB_WORKERS + 2)
        self.releases.bring(1)
        self.run("enable", "growing")
        token = shop.log_in()
        for number in range(20):
            data = {"name": f"P{number}", "sku": f"S{number}", "price": "1.00"}
            assert shop.call("POST", "/api/v1/products", data, token)[0] == 201
        assert shop.call("POST", "/api/v1/categories", {"name": "C"}, token)[0] == 201
        sprout = {"bed": "other", "height": 0}
        assert shop.call("POST", "/api/v1/growing/sprouts", sprout, token)[0] == 201
        file = shop.folder / "first.csv"
        file.write_text("sku,name,price\nfirst,First,1.00\n")
        shop.upload(file, token)

    @contextmanager
    def load(self) -> Iterator[None]:
        """Load the shop from another process during the block, and take what it saw."""
        told = {"port": self.shop.port, "realtime_port": self.shop.realtime_port, "roles": ROLES,
                "token": self.shop.log_in(),
                "login": {"email": ADMIN[0], "password": ADMIN[1]}}  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, str(LOAD), json.dumps(told)], env=self.shop.environ, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready == "ready\n", process.communicate("")[1]
            yield
            out, error = process.communicate("", timeout=60)
            assert not error, error
            self.soak.seen = json.loads(out)
        finally:
            process.kill()
            process.wait()

    def run(self, verb: str, name: str) -> None:
        """Run a verb and keep what it said."""
        began = time.monotonic()
        done = self.shop.command("addons", verb, name, "--json", "--timeout", "30")
        told = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        self.soak.commands.append(
            Command(verb, began, time.monotonic(), done.returncode, told, done.stderr)
        )

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look into the register of processes all the while."""
        stopped = threading.Event()

        def watch() -> None:
            while not stopped.wait(0.1):
                for found in self._query("SELECT id, generation FROM bodega_process"):
                    seen = self.soak.generations.setdefault(found[0], [])
                    if not seen or seen[-1] != found[1]:
                        seen.append(found[1])

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def look(self) -> None:
        """Keep how the shop is in the end, when its jobs are done."""
        self.shop.wait_until(self._idle, "jobs are not done")
        soak = self.soak
        soak.processes = self._processes()
        soak.columns = {name for (name,) in self._query(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_name = 'growing_sprout'")}  # fmt: skip
        soak.planted = self._query(
            "SELECT \"offset\", (data->>'height')::int FROM bodega_event "
            "WHERE name = 'sprout.planted' AND key = 'soak' ORDER BY \"offset\"")  # fmt: skip
        soak.jobs = Counter(self._query("SELECT name, status FROM bodega_job"))
        soak.imports = {str(key): (status, total) for key, status, total in self._query(
            "SELECT id, status, total_rows FROM imports_import")}  # fmt: skip
        last = f"height_{RELEASES}"
        if last in soak.columns:
            soak.sprouts = {str(key): tuple(rest) for key, *rest in self._query(
                f"SELECT id, {last}, watered, note FROM growing_sprout "
                "WHERE bed = 'soak'")}  # fmt: skip

    def _idle(self) -> bool:
        return not self._query("SELECT 1 FROM bodega_job WHERE finished_at IS NULL LIMIT 1")

    def _processes(self) -> list[tuple[Any, ...]]:
        return self._query(
            f"SELECT * FROM bodega_process WHERE seen_at > {time.time() - 10} ORDER BY kind, pid"
        )

    def _query(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


@pytest.fixture(scope="module")
def keeper(
    postgres_server: str, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Keeper]:
    """A shop on PostgreSQL and Redis, in a virtual environment of its own."""
    folder = tmp_path_factory.mktemp("soak")
    venv.create(folder / "venv", symlinks=True)
    name = f"soak_{uuid.uuid4().hex}"
    url = servers.create_database(postgres_server, name)
    environ = environment(folder / "shop", DATABASE_URL=url, REDIS_URL=redis_server)
    environ["BODEGA_LOG_LEVEL"] = "warning"
    shop = Deployment(environ, WEB_WORKERS, folder)
    (folder / "releases").mkdir()
    site = next((folder / "venv").glob("lib/python*/site-packages"))
    with pytest.MonkeyPatch.context() as patch:
        # A package that is installed for the soak is none of any other test's business.
        patch.setattr(sys, "executable", str(folder / "venv" / "bin" / "python"))
        yield Keeper(shop, Releases(folder / "releases", site), url)
        shop.stop()
    servers.drop_database(postgres_server, name)


@pytest.fixture(scope="module")
def soak(keeper: Keeper) -> Soak:
    """What was seen of a shop that was switched and upgraded under load."""
    keeper.start()
    with keeper.watching(), keeper.load():
        for number in range(TOGGLES):
            keeper.run(("disable", "enable")[number % 2], "imports")
        keeper.soak.upgrading = time.monotonic()
        for number in range(2, RELEASES + 1):
            keeper.releases.bring(number)
            keeper.run("upgrade", "growing")
    keeper.look()
    return keeper.soak


def short(answers: list[dict[str, Any]]) -> list[Any]:
    """Return the first few answers, for a message."""
    return [(a["method"], a["route"], a["status"], a["told"]) for a in answers[:5]]


def test_every_command_succeeds_and_every_process_follows(soak: Soak) -> None:
    for command in soak.commands:
        assert command.code == 0, command
        assert command.told["laggards"] == []
        assert command.told["processes"] >= WEB_WORKERS + 2, command
    assert len(soak.commands) == 1 + TOGGLES + RELEASES - 1


def test_no_request_to_another_addon_fails(soak: Soak) -> None:
    answers = soak.of("others")
    failed = [a for a in answers if a["status"] != a["expected"]]
    assert not failed, (len(failed), short(failed))
    assert len(answers) > 3000
    print(f"{len(answers)} answers; {sum(a['dropped'] for a in answers)} asked twice, "
          f"{len(soak.seen['renewed'])} kept connections found closed")  # fmt: skip


def test_the_load_called_every_route_that_can_be_read(soak: Soak) -> None:
    read = {answer["route"] for answer in soak.answers if answer["method"] == "GET"}
    assert {route for route, _, _ in soak.seen["tour"]} <= read
    assert {status for _, _, status in soak.seen["tour"]} == {200}


def test_switched_addons_answer_or_say_that_they_are_away(soak: Soak) -> None:
    answers = soak.of("imports", "growing")
    away = [a for a in answers if a["status"] != a["expected"]]
    kinds = Counter((owner(a["route"]), a["status"], a["media"]) for a in away)
    assert kinds.keys() <= {
        ("imports", 404, "application/problem+json"),
        ("growing", 503, "application/problem+json"),
    }, short([a for a in away if a["status"] not in (404, 503)])
    assert kinds["imports", 404, "application/problem+json"] > 100
    before = [a for a in away if a["at"] > soak.upgrading and owner(a["route"]) == "imports"
              and a["at"] > soak.commands[TOGGLES + 1].began]  # fmt: skip
    assert not before, short(before)


def test_no_process_goes_back_to_an_older_generation(soak: Soak) -> None:
    for process, generations in soak.generations.items():
        assert generations == sorted(generations), process
    newest: dict[int, int] = {}
    # A connection belongs to one process, which answers it in order.
    for answer in (a for a in soak.answers if a["generation"]):
        assert answer["generation"] >= newest.get(answer["connection"], 0), answer
        newest[answer["connection"]] = answer["generation"]
    assert len(newest) > len(ROLES)


def test_nobody_serves_an_older_generation_once_a_command_has_ended(soak: Soak) -> None:
    ended = [(c.ended, c.told["generation"]) for c in soak.commands]
    for answer in (a for a in soak.answers if a["generation"]):
        least = max(generation for at, generation in ended if at < answer["at"])
        assert answer["generation"] >= least, answer


def test_a_listener_stays_connected_while_others_are_switched(soak: Soak) -> None:
    met = [note for note in soak.seen["socket"] if note["at"] < soak.upgrading]
    assert [note["type"] for note in met] == ["subscribed"], met


def test_a_listener_loses_and_repeats_no_event(soak: Soak) -> None:
    assert [tuple(event) for event in soak.seen["events"]] == soak.planted
    assert all(note["recovered"] or note["first"] for note in soak.seen["socket"]
               if note["type"] == "subscribed")  # fmt: skip
    codes = {note["code"] for note in soak.seen["socket"] if note["type"] == "closed"}
    assert codes <= {1001, 1012}, soak.seen["socket"]


def test_the_last_release_stands_alone_in_the_end(soak: Soak) -> None:
    heights = {name for name in soak.columns if name.startswith("height_")}
    assert heights == {f"height_{RELEASES - 1}", f"height_{RELEASES}"}
    assert len(soak.processes) == WEB_WORKERS + 2, soak.processes


def test_no_row_is_lost_or_changed(soak: Soak) -> None:
    assert {key: height for key, (height, _, _) in soak.sprouts.items()} == soak.seen["heights"]
    assert all(watered for _, watered, _ in soak.sprouts.values())
    assert len(soak.sprouts) > 100


def test_no_job_is_lost_and_every_import_that_was_accepted_is_done(soak: Soak) -> None:
    assert {status for _, status in soak.jobs} == {"succeeded"}, soak.jobs
    accepted = set(soak.seen["imports"])
    assert accepted <= soak.imports.keys()
    assert len(accepted) == len(soak.imports) - 1
    assert {soak.imports[key] for key in accepted} == {("completed", 20)}
