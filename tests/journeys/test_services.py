"""Services in real workers: they outlive kill -9, and disabling drains them everywhere."""

import os
import signal
from pathlib import Path

import pytest

from bodega_sdk.testing.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
#: Each run leaves a file with its process's number; it goes when the run ends as it should.
PLUGIN = """
import os
from bodega_sdk import Service, folder, hookimpl


def serve(service):
    path = folder("bell") / f"{os.getpid()}.running"
    path.write_text("")
    while not service.wait(0.1):
        pass
    path.unlink()


@hookimpl
def register_services():
    return [Service("bell.ringer", serve)]
"""
MANIFEST = """
from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest():
    return Manifest("bell", "1.0.0", "bodega_bell", "Rings in every worker")
"""


def install(site: Path) -> None:
    """Install the addon's package, as pip would."""
    package, metadata = site / "bodega_bell", site / "bodega_bell-1.0.dist-info"
    for folder in (package, metadata):
        folder.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(PLUGIN)
    (package / "manifest.py").write_text(MANIFEST)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bodega-bell\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[bodega.addons]\nbell = bodega_bell.manifest\n")


def test_a_service_survives_its_worker_and_disabling_drains_it_in_all_of_them(
    deployment: Deployment, tmp_path: Path
) -> None:
    install(tmp_path / "site")
    deployment.environ["PYTHONPATH"] += f"{os.pathsep}{tmp_path / 'site'}"
    for arguments in (("migrate",), ("addons", "enable", "bell")):
        done = deployment.command(*arguments)
        assert done.returncode == 0, done.stderr
    workers = [deployment.start("worker"), deployment.start("worker")]
    runs = tmp_path / "shop" / "files" / "bell"

    def running() -> set[int]:
        return {int(path.stem) for path in runs.glob("*.running")}

    deployment.wait_until(lambda: running() == {worker.pid for worker in workers})
    os.kill(workers[0].pid, signal.SIGKILL)
    workers[0].wait(10)
    (runs / f"{workers[0].pid}.running").unlink()
    workers[0] = deployment.start("worker")
    deployment.wait_until(lambda: running() == {worker.pid for worker in workers})
    done = deployment.command("addons", "disable", "bell")
    assert done.returncode == 0, done.stderr
    deployment.wait_until(lambda: running() == set(), "a service goes on", timeout=10)
    # Uninstalling waits until every process has drained the Assembly that it was part of.
    done = deployment.command("addons", "enable", "bell")
    assert done.returncode == 0, done.stderr
    deployment.wait_until(lambda: running() == {worker.pid for worker in workers})
    done = deployment.command("addons", "uninstall", "bell")
    assert done.returncode == 0, done.stderr
    assert running() == set()
    assert all(worker.poll() is None for worker in workers)
    assert "service ended" in deployment.logs()
