"""Upgrading an addon on a running shop: expand, reload, contract; no request is lost."""

import os
import re
import shutil
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
MANIFEST = """
from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest():
    return Manifest(name="pets", version="{version}.0.0", package="bodega_pets", summary="Grows")
"""
PLUGIN = """
import peewee

from bodega_sdk import PUBLIC, Model, Route, hookimpl

VERSION = {version}


class Pet(Model):
    name = peewee.CharField()
    {column} = peewee.CharField(default="")

    class Meta:
        table_name = "pets_pet"


def listed(request):
    found = [pet.{column} for pet in Pet.select()]
    return {{"version": VERSION, "pets": found}}


@hookimpl
def register_models():
    return [Pet]


@hookimpl
def register_routes(routes):
    routes.add(Route("GET", "/pets", listed, PUBLIC, "List pets"))
"""
FIRST = """
def up(migrator, db):
    db.execute_sql("CREATE TABLE pets_pet (id INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL)")
    db.execute_sql("INSERT INTO pets_pet (id, name) VALUES (1, 'Rex')")


def down(migrator, db):
    db.execute_sql("DROP TABLE pets_pet")
"""
EXPAND = """
def up(migrator, db):
    db.execute_sql("ALTER TABLE pets_pet ADD COLUMN {column} VARCHAR(255) NOT NULL DEFAULT ''")
    db.execute_sql("UPDATE pets_pet SET {column} = 'Rex {version}'")


def down(migrator, db):
    db.execute_sql("ALTER TABLE pets_pet DROP COLUMN {column}")
"""
CONTRACT = """
def up(migrator, db):
    db.execute_sql("ALTER TABLE pets_pet DROP COLUMN {column}")


def down(migrator, db):
    db.execute_sql("ALTER TABLE pets_pet ADD COLUMN {column} VARCHAR(255) NOT NULL DEFAULT ''")
"""


class Pets:
    """The addon ``pets``, in the version that was written last."""

    def __init__(self, site: Path) -> None:
        self.site = site
        site.mkdir()
        info = site / "bodega_pets-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bodega-pets\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[bodega.addons]\npets = bodega_pets.manifest\n")

    def write(self, version: int) -> None:
        """Put a version in the place of the one before, as a whole."""
        folder = self.site / f"v{version}"
        migrations = folder / "migrations"
        migrations.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "manifest.py").write_text(MANIFEST.format(version=version))
        (folder / "plugin.py").write_text(PLUGIN.format(version=version, column=f"name_{version}"))
        (migrations / "0001_create.py").write_text(FIRST)
        number = 2
        for step in range(1, version + 1):
            text = EXPAND.format(column=f"name_{step}", version=step)
            (migrations / f"{number:04}_add_name_{step}.py").write_text(text)
            number += 1
            if step > 1:
                text = CONTRACT.format(column=f"name_{step - 1}")
                (migrations / f"{number:04}_contract_name_{step - 1}.py").write_text(text)
                number += 1
        link = self.site / "bodega_pets"
        fresh = self.site / "fresh"
        fresh.symlink_to(folder, target_is_directory=True)
        os.replace(fresh, link)


@pytest.fixture
def pets(deployment: Any, tmp_path: Path) -> Pets:
    found = Pets(tmp_path / "site")
    deployment.environ["PYTHONPATH"] += f":{found.site}"
    deployment.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    return found


class Load:
    """Calls addresses all the time; counts what is answered."""

    def __init__(self, deployment: Any, *paths: str) -> None:
        self.answers: Counter[tuple[str, int, str]] = Counter()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(deployment, path)) for path in paths
        ]

    def _call(self, deployment: Any, path: str) -> None:
        while not self._stopped.is_set():
            status, body = deployment.get(path)
            kind = str(body.get("type", "") if isinstance(body, dict) else "")
            self.answers[(path, status, kind)] += 1
            time.sleep(0.01)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


def columns(deployment: Any) -> set[str]:
    """Return the columns of the addon's table as the database has them now."""
    from bodega.database.connection import open_databases
    from bodega.settings import read_settings

    databases = open_databases(read_settings(deployment.environ))
    try:
        return {column.name for column in databases.shop.get_columns("pets_pet")}
    finally:
        databases.close()


def done(deployment: Any, *arguments: str) -> str:
    """Run a command that must succeed; return what it prints."""
    ran = deployment.command(*arguments)
    assert ran.returncode == 0, (ran.stdout, ran.stderr, deployment.logs())
    return str(ran.stdout)


def test_an_upgrade_reaches_every_process_and_loses_no_request(deployment: Any, pets: Pets) -> None:
    pets.write(1)
    deployment.up()
    done(deployment, "addons", "enable", "pets")
    assert deployment.get("/api/v1/pets")[1] == {"version": 1, "pets": ["Rex 1"]}
    with Load(deployment, "/api/v1/products", "/api/v1/pets") as load:
        for version in (2, 3):
            pets.write(version)
            plan = done(deployment, "addons", "upgrade", "pets", "--plan")
            assert f"upgrade pets {version}.0.0" in plan
            assert f"contract pets {version}.0.0" in plan
            told = done(deployment, "addons", "upgrade", "pets")
            assert "Upgraded: pets" in told
            # A process that is being replaced is in no register until the new one is.
            (followed, processes) = re.findall(r"(\d+) of (\d+) running processes", told)[0]
            assert int(followed) == int(processes) > 0, told
            assert columns(deployment) == {"id", "name", f"name_{version}"}
            for _ in range(20):
                assert deployment.get("/api/v1/pets")[1] == {
                    "version": version,
                    "pets": [f"Rex {version}"],
                }
    assert {key[1:] for key in load.answers if key[0] == "/api/v1/products"} == {(200, "")}
    own = {key[1:] for key in load.answers if key[0] == "/api/v1/pets"}
    assert own <= {(200, ""), (503, "/api/problems/migration-pending")}
    (found,) = [item for item in _listed(deployment) if item["name"] == "pets"]
    assert (found["state"], found["version"], found["waiting"]) == ("enabled", "3.0.0", [])


def _listed(deployment: Any) -> list[dict[str, Any]]:
    status, body = deployment.get("/api/v1/addons", deployment.log_in())
    assert status == 200, body
    found: list[dict[str, Any]] = body["results"]
    return found


def test_the_api_upgrades_too_and_the_workers_finish_it(deployment: Any, pets: Pets) -> None:
    pets.write(1)
    deployment.up()
    done(deployment, "addons", "enable", "pets")
    pets.write(2)
    token = deployment.log_in()
    status, body, _ = deployment.call("POST", "/api/v1/addons/pets/upgrade", {"plan": True}, token)
    assert status == 200, body
    assert [step["verb"] for step in body["steps"]] == ["upgrade", "contract"]
    status, body, _ = deployment.call(
        "POST", "/api/v1/addons/pets/upgrade", {"expected": body["id"]}, token
    )
    assert (status, body["waiting"]) == (200, ["pets"]), body
    deployment.wait_until(lambda: columns(deployment) == {"id", "name", "name_2"}, timeout=60)
    assert deployment.get("/api/v1/pets")[1] == {"version": 2, "pets": ["Rex 2"]}


def test_a_process_that_cannot_follow_is_named_and_what_it_needs_stays(
    deployment: Any, pets: Pets, tmp_path: Path
) -> None:
    pets.write(1)
    deployment.up()
    done(deployment, "addons", "enable", "pets")
    elsewhere = Pets(tmp_path / "another_host")
    elsewhere.write(1)
    path = deployment.environ["PYTHONPATH"]
    deployment.environ["PYTHONPATH"] = path.replace(str(pets.site), str(elsewhere.site))
    other = deployment.start("worker")
    deployment.environ["PYTHONPATH"] = path
    # The doctor finds fault with a process that is only starting.
    deployment.wait_until(lambda: f"worker {other.pid}" in deployment.command("doctor").stdout)
    pets.write(2)
    ran = deployment.command("addons", "upgrade", "pets", "--timeout", "15")
    assert ran.returncode == 6, (ran.stdout, ran.stderr)
    assert f"worker {other.pid}" in ran.stderr
    assert columns(deployment) == {"id", "name", "name_1", "name_2"}
    # On a slow machine others may need longer than the command waited.
    deployment.wait_until(lambda: deployment.get("/api/v1/pets")[1].get("version") == 2)
    # It is brought up to date as well: then the rest is done without anybody asking.
    shutil.rmtree(elsewhere.site / "v1")
    (elsewhere.site / "bodega_pets").unlink()
    elsewhere.write(2)
    deployment.wait_until(lambda: columns(deployment) == {"id", "name", "name_2"}, timeout=60)
