"""Fixtures: a shop of real processes under load, and the machine of an addon's author."""

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
import venv
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from bodega_sdk.testing import servers
from bodega_sdk.testing.deployment import Deployment, environment

WEB_WORKERS = 4
ROLES = {"read": 3, "visit": 1, "write": 1, "upload": 1, "plant": 1}
LOAD = Path(__file__).with_name("load.py")
HOUSE = Path(__file__).parents[2]
PARTS = ("platform", "sdk", "addons", "manifests", "pyproject.toml", "README.md", "LICENSE")
#: Who logs in all the time. Not the one that the load calls as: of many sessions the oldest end.
WALK_IN = {"email": "walk-in@example.com", "password": "a long one"}
#: A picture, as small as they come.
PIXEL = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
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
    """A shop of real processes, what is done to it and what is seen of it.

    Args:
        url: of its database.
        generations: process → the generations that it told the register, in order.
        seen: what the load saw, see :class:`Seen` of ``load.py``.
    """

    shop: Deployment
    releases: Releases
    url: str
    commands: list[Command] = field(default_factory=list)
    generations: dict[str, list[int]] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        """Start every process by itself, as a service manager would; install on the live shop."""
        shop = self.shop
        assert shop.command("migrate").returncode == 0
        shop.start("serve", "--port", str(shop.port), "--workers", str(WEB_WORKERS))
        shop.start("worker")
        shop.start("realtime", "--port", str(shop.realtime_port))
        shop.wait_until(lambda: len(self.living()) == WEB_WORKERS + 2)
        self.releases.bring(1)
        self.run("enable", "growing")

    def fill(self) -> None:
        """Give every list of the API something to show."""
        token = self.shop.log_in()
        made = self._make(token, "products", {"name": "First", "sku": "first", "price": "1.00"})
        for path, data in (
            ("categories", {"name": "First"}),
            ("tags", {"name": "First"}),
            ("growing/sprouts", {"bed": "other", "height": 0}),
            ("variants", {"product": made, "sku": "first-L", "inventory": {"stock": 5}}),
            ("wishlists/items", {"product": made}),
            ("media/images?product=" + made, base64.b64decode(PIXEL)),
            ("users", WALK_IN),
        ):
            self._make(token, path, data)
        file = self.shop.folder / "first.csv"
        file.write_text("sku,name,price\nsecond,Second,1.00\n")
        self.shop.upload(file, token)

    def _make(self, token: str, path: str, data: Any) -> str:
        media = "image/gif" if isinstance(data, bytes) else "application/json"
        status, told, _ = self.shop.call(
            "POST", f"/api/v1/{path}", data, token, **{"Content-Type": media}
        )
        assert status == 201, told
        return str(told["id"])

    def run(self, verb: str, name: str) -> None:
        """Run a verb and keep what it said."""
        began = time.monotonic()
        done = self.shop.command("addons", verb, name, "--json")
        told = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        self.commands.append(
            Command(verb, began, time.monotonic(), done.returncode, told, done.stderr)
        )

    @contextmanager
    def loaded(self) -> Iterator[None]:
        """Load the shop from another process during the block, and take what it saw."""
        told = {"port": self.shop.port, "realtime_port": self.shop.realtime_port, "roles": ROLES,
                "login": WALK_IN, "slower": 2,
                "token": self.shop.log_in()}  # fmt: skip
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
            self.seen = json.loads(out)
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look into the register of processes all through the block."""
        stopped = threading.Event()
        thread = threading.Thread(target=self._watch, args=(stopped,))
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def _watch(self, stopped: threading.Event) -> None:
        with closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not stopped.wait(0.1):
                cursor.execute("SELECT id, generation FROM bodega_process")
                for process, generation in cursor.fetchall():
                    seen = self.generations.setdefault(process, [])
                    if not seen or seen[-1] != generation:
                        seen.append(generation)

    def settle(self) -> None:
        """Wait until every job is done and every event has its place in the log."""
        job = "SELECT 1 FROM bodega_job WHERE finished_at IS NULL"
        event = 'SELECT 1 FROM bodega_event WHERE "offset" IS NULL'
        self.shop.wait_until(lambda: not self.query(f"{job} UNION {event}"), "jobs are not done")

    def living(self) -> list[tuple[int, str]]:
        """Return the processes that live, and the fingerprints of their code as JSON."""
        found = self.query(
            f"SELECT pid, code FROM bodega_process WHERE seen_at > {time.time() - 10}"
        )
        return [(pid, code) for pid, code in found if Path(f"/proc/{pid}").exists()]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database itself."""
        with closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


@pytest.fixture(scope="module")
def new_soak(
    postgres_server: str, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Soak]:
    """A shop on PostgreSQL and Redis, in a virtual environment of its own; nothing runs yet."""
    folder = tmp_path_factory.mktemp("soak")
    venv.create(folder / "venv", symlinks=True)
    (folder / "releases").mkdir()
    site = next((folder / "venv").glob("lib/python*/site-packages"))
    name = f"soak_{uuid.uuid4().hex}"
    url = servers.create_database(postgres_server, name)
    told = {"DATABASE_URL": url, "REDIS_URL": redis_server, "BODEGA_LOG_LEVEL": "warning"}
    shop = Deployment(environment(folder / "shop", **told), WEB_WORKERS, folder)
    with pytest.MonkeyPatch.context() as patch:
        # A package that is installed for the soak is none of any other test's business.
        patch.setattr(sys, "executable", str(folder / "venv" / "bin" / "python"))
        yield Soak(shop, Releases(folder / "releases", site), url)
        shop.stop()
    servers.drop_database(postgres_server, name)


def without_us() -> dict[str, str]:
    """Return an environment that knows nothing of this checkout, nor of a shop."""
    ours = ("BODEGA_", "PYTHON", "VIRTUAL_ENV", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    for name in ("DATABASE_URL", "REDIS_URL"):
        kept.pop(name, None)
    return kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@dataclass(frozen=True)
class Author:
    """The machine of somebody who writes addons: it has Bodega's wheel, and no checkout.

    Args:
        programs: the folder of a virtual environment's programs.
        environ: what commands see of the environment; the programs come first.
    """

    programs: Path
    environ: dict[str, str]

    def run(self, *command: str | Path, folder: Path) -> str:
        """Run a command to its good end; return what it printed."""
        first = shutil.which(command[0], path=self.environ["PATH"])
        assert first, f"there is no {command[0]} in {self.environ['PATH']}"
        done = subprocess.run(
            [first, *map(str, command[1:])], cwd=folder, env=self.environ,
            capture_output=True, text=True, timeout=400, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bodega's wheel, built from a copy, so that nothing is left in the checkout."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for part in PARTS:
        if (HOUSE / part).is_dir():
            shutil.copytree(HOUSE / part, source / part, ignore=ignored)
        else:
            shutil.copy(HOUSE / part, source)
    build = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", built, source)
    subprocess.run(build, cwd=source, env=without_us(), check=True, timeout=400)
    (found,) = built.glob("bodega-*.whl")
    return found


@pytest.fixture
def author(wheel: Path, tmp_path: Path) -> Author:
    """A new environment that holds Bodega's wheel and nothing else."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    made = Author(home / "bin", without_us() | {"PATH": path})
    made.run("pip", "install", "-q", wheel, folder=tmp_path)
    return made


def _install_samples(site: Path, *names: str) -> None:
    """Install sample addons, as pip would."""
    for name in names:
        shutil.copytree(SAMPLE.parents[1] / name, site, dirs_exist_ok=True)
        info = site / f"bodega_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: bodega-{name}\nVersion: 1\n")
        entry = f"[bodega.addons]\n{name} = bodega_sample_{name}.manifest\n"
        (info / "entry_points.txt").write_text(entry)


@pytest.fixture(scope="session")
def install_samples() -> Callable[..., None]:
    """Installs sample addons into a folder: the folder, then their names."""
    return _install_samples
