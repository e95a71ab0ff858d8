"""Secret settings from the environment, files and an addon; and that they appear nowhere."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from bodega import operator_settings, secret_sources
from bodega.addons import lifecycle
from bodega.backup import write_backup
from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.database.connection import is_postgres
from bodega.editions import Edition
from bodega.http.gate import Gate
from bodega.settings import read_settings
from bodega.shop import Shop
from bodega.telemetry.redaction import redacted, remember
from bodega_sdk import setting
from bodega_sdk.errors import BodegaError, Unavailable
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client

KEY = "BODEGA_SECRET_LAMP_API_KEY"
PIN = "BODEGA_SECRET_LAMP_PIN"
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
FIELDS = """
    permissions={"lamp.read": "Use it"},
    settings=(
        Setting("watts", int, default=40, help="Watts of a bulb"),
        Setting("api_key", str, default="", secret=True, help="The key of its maker"),
        Setting("pin", int, default=0, minimum=0, maximum=99999999, secret=True, help="Its PIN"),
    ),
"""
PLUGIN = """
from bodega_sdk import Job, Route, hookimpl, setting


def fail(request):
    raise RuntimeError(f"the maker does not know {setting('lamp.api_key')!r}")


def work(run):
    raise RuntimeError(f"the maker does not know {setting('lamp.api_key')!r}")


blink = Job("lamp.blink", work)


@hookimpl
def register_routes(routes):
    routes.add(Route("GET", "/lamp/fail", fail, "lamp.read", "Fail"))
    routes.add(
        Route("GET", "/lamp/pin", lambda request: {"pin": setting("lamp.pin")}, "lamp.read", "Read")
    )


@hookimpl
def register_jobs():
    return [blink]
"""


SOURCE = """
from bodega_sdk import hookimpl


@hookimpl
def register_secret_sources():
    return [{}]
"""


@pytest.fixture
def copied() -> bool:
    """The shop of these tests begins with an addon of its own."""
    return False


@pytest.fixture
def shop(new_shop: Shop, site: Any) -> Iterator[Shop]:
    """A started shop of the addon lamp, which has secrets, bound to the test."""
    site.write("lamp", PLUGIN, fields=FIELDS)
    lifecycle.prepare(new_shop, Edition("test", ("lamp",)))
    new_shop.refresh()
    with bound(new_shop.current):
        yield new_shop


class Vault:
    """The folder that the addon vault looks into."""

    def __init__(self, shop: Shop, site: Any, folder: Path) -> None:
        self._shop = shop
        self.folder = folder
        folder.mkdir()
        site.install("vault")
        lifecycle.apply(shop, "enable", "vault")
        operator_settings.change(shop, "vault.folder", str(folder))
        shop.refresh()
        self.looked_up: list[str] = site.module("vault", "opening").looked_up

    def put(self, name: str, value: str) -> None:
        (self.folder / name).write_text(value)


@pytest.fixture
def vault(shop: Shop, site: Any, tmp_path: Path) -> Vault:
    return Vault(shop, site, tmp_path / "vault")


@pytest.fixture
def run(shop: Shop) -> Callable[..., Result]:
    """Runs a command in this process, on the shop of the test."""

    def call(*arguments: str, given: str | None = None) -> Result:
        result = CliRunner().invoke(
            bodega, list(arguments), obj=Context(_shop=shop), input=given
        )  # fmt: skip
        if result.exception and not isinstance(result.exception, BodegaError | SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def admin(shop: Shop) -> Client:
    return Client(Gate(shop), shop).as_admin()


def tell(shop: Shop, **variables: str) -> None:
    """Let the shop's process begin again with an environment."""
    shop.settings = replace(shop.settings, outside=read_settings(variables).outside)
    shop.refresh()


def value(shop: Shop, name: str = "lamp.api_key") -> Any:
    with bound(shop.current):
        return setting(name)


def source(admin: Client, name: str = "lamp.api_key") -> tuple[str, Any]:
    shown = admin.get(f"/api/v1/settings/{name}").expect(200)
    return shown["source"], shown["value"]


# The order.


def test_the_environment_goes_before_a_file_an_addon_what_is_stored_and_the_default(
    shop: Shop, admin: Client, vault: Vault, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text("from the file\n")
    assert (value(shop), source(admin)) == ("", ("default", ""))
    operator_settings.change(shop, "lamp.api_key", "what is stored")
    shop.refresh()
    assert (value(shop), source(admin)) == ("what is stored", ("stored", "••••"))
    vault.put("lamp.api_key", "from the vault")
    shop.refresh()
    assert (value(shop), source(admin)) == ("from the vault", ("addon vault", "••••"))
    tell(shop, **{f"{PIN}_FILE": str(file)})
    assert value(shop) == "from the vault"
    file.write_text("12345678\n")
    tell(shop, **{f"{PIN}_FILE": str(file)})
    assert (value(shop, "lamp.pin"), source(admin, "lamp.pin")) == (12345678, ("file", "••••"))
    tell(shop, **{PIN: " 4711 "})
    assert (value(shop, "lamp.pin"), source(admin, "lamp.pin")) == (4711, ("environment", "••••"))
    tell(shop, **{PIN: ""})
    assert (value(shop, "lamp.pin"), source(admin, "lamp.pin")[0]) == (0, "default")


@ONE_ENGINE
def test_the_file_and_the_environment_go_before_the_vault(
    shop: Shop, admin: Client, vault: Vault, tmp_path: Path
) -> None:
    vault.put("lamp.pin", "1")
    tell(shop)
    assert value(shop, "lamp.pin") == 1
    (tmp_path / "pin").write_text("2")
    tell(shop, **{f"{PIN}_FILE": str(tmp_path / "pin")})
    assert value(shop, "lamp.pin") == 2
    tell(shop, **{PIN: "3"})
    assert value(shop, "lamp.pin") == 3


@ONE_ENGINE
def test_a_setting_that_is_no_secret_comes_from_nowhere_else(shop: Shop, vault: Vault) -> None:
    vault.put("lamp.watts", "60")
    tell(shop, BODEGA_SECRET_LAMP_WATTS="60")
    assert value(shop, "lamp.watts") == 40
    assert "lamp.watts" not in vault.looked_up


def test_the_shops_own_key_is_no_setting() -> None:
    environ = {"BODEGA_SECRET_KEY": "0123456789abcdef", "BODEGA_SECRET_LAMP_PIN": "1"}
    assert read_settings(environ).outside == {"BODEGA_SECRET_LAMP_PIN": "1"}


# What cannot be used.


@ONE_ENGINE
@pytest.mark.parametrize(
    ("name", "variables", "reason"),
    [
        ("lamp.pin", {PIN: "many-8-words"}, "Expected a whole number"),
        ("lamp.pin", {PIN: "123456789"}, "Expected at most 99999999"),
        ("lamp.pin", {f"{PIN}_FILE": "/no/such/file"}, "cannot read /no/such/file"),
        ("lamp.pin", {f"{PIN}_FILE": "/dev/null"}, "is empty"),
        ("lamp.pin", {PIN: "1", f"{PIN}_FILE": "/dev/null"}, "are set"),
    ],
)
def test_what_cannot_be_used_is_no_reason_to_go_on_with_something_else(
    shop: Shop, admin: Client, name: str, variables: dict[str, str], reason: str
) -> None:
    tell(shop, **variables)
    with capture_logs() as logs, pytest.raises(Unavailable, match=f"secret setting {name}") as told:
        value(shop, name)
    assert reason in logs[0]["reason"]
    for text in variables.values():
        assert text not in str(told.value) or len(text) < 3
    assert "many-8-words" not in str(logs)
    assert "123456789" not in str(logs)
    assert "(failing)" in source(admin, name)[0]


@ONE_ENGINE
def test_a_variable_that_two_settings_could_mean_is_given_to_neither(shop: Shop, site: Any) -> None:
    secret = 'Setting("{}", str, default="", secret=True, help="x")'
    site.write("lamp_api", fields=f"settings=({secret.format('key')},)")
    lifecycle.apply(shop, "enable", "lamp_api")
    tell(shop, **{KEY: "whose?"})
    for name in ("lamp.api_key", "lamp_api.key"):
        with capture_logs() as logs, pytest.raises(Unavailable):
            value(shop, name)
        assert f"{KEY} may mean lamp.api_key or lamp_api.key" in logs[0]["reason"]


def test_a_request_that_needs_a_secret_of_a_failing_vault_is_answered_503_naming_it(
    shop: Shop, admin: Client, vault: Vault
) -> None:
    operator_settings.change(shop, "lamp.pin", 4711)
    operator_settings.change(shop, "vault.pass_phrase", "open-sesame-9")
    (vault.folder / "lock").write_text("another one")
    shop.refresh()
    with capture_logs() as logs:
        answer = admin.get("/api/v1/lamp/pin")
    assert answer.status_code == 503
    assert "addon vault" in answer.json["detail"]
    assert int(answer.headers["retry-after"]) == 5
    (entry,) = [item for item in logs if item["event"] == "a secret setting cannot be read"]
    assert entry["reason"].startswith("VaultSealed (")
    assert "open-sesame-9" not in str(logs) + answer.text
    assert source(admin, "lamp.pin") == ("addon vault (failing)", "••••")


@ONE_ENGINE
def test_a_source_that_failed_is_spared_for_a_moment_and_asked_again(
    shop: Shop, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    (vault.folder / "lock").write_text("closed")
    shop.refresh()
    for _ in range(3):
        with pytest.raises(Unavailable):
            value(shop)
    assert vault.looked_up.count("lamp.api_key") == 1
    (vault.folder / "lock").unlink()
    vault.put("lamp.api_key", "at last")
    later = secret_sources.monotonic() + secret_sources.SPARED_FOR
    monkeypatch.setattr(secret_sources, "monotonic", lambda: later)
    assert value(shop) == "at last"


@ONE_ENGINE
def test_what_a_source_says_is_kept_for_a_minute(
    shop: Shop, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.put("lamp.api_key", "the first")
    begun = secret_sources.monotonic()
    monkeypatch.setattr(secret_sources, "monotonic", lambda: begun)
    shop.refresh()
    assert value(shop) == "the first"
    vault.put("lamp.api_key", "the second")
    monkeypatch.setattr(secret_sources, "monotonic", lambda: begun + 59)
    assert value(shop) == "the first"
    monkeypatch.setattr(secret_sources, "monotonic", lambda: begun + 61)
    assert value(shop) == "the second"
    assert vault.looked_up.count("lamp.api_key") == 2


@ONE_ENGINE
def test_what_a_source_needs_itself_comes_from_elsewhere(shop: Shop, vault: Vault) -> None:
    (vault.folder / "lock").write_text("open sesame")
    vault.put("lamp.api_key", "behind the lock")
    vault.put("vault.pass_phrase", "never read")
    tell(shop, BODEGA_SECRET_VAULT_PASS_PHRASE="open sesame")
    assert value(shop) == "behind the lock"
    assert "vault.pass_phrase" not in vault.looked_up


@ONE_ENGINE
def test_a_disabled_source_is_not_asked(shop: Shop, vault: Vault) -> None:
    vault.put("lamp.api_key", "from the vault")
    lifecycle.apply(shop, "disable", "vault")
    shop.refresh()
    assert value(shop) == ""


@ONE_ENGINE
def test_a_source_that_is_no_function_is_refused(shop: Shop, site: Any) -> None:
    site.write("safe", SOURCE.format("7"))
    with pytest.raises(BodegaError, match="source of secrets 7 is no function"):
        lifecycle.apply(shop, "enable", "safe")


@ONE_ENGINE
def test_a_source_that_gives_no_text_fails(shop: Shop, site: Any) -> None:
    site.write("safe", SOURCE.format("len"))
    lifecycle.apply(shop, "enable", "safe")
    shop.refresh()
    with pytest.raises(Unavailable, match="from the addon safe"):
        value(shop)


# What operators are told.


@ONE_ENGINE
def test_the_list_names_each_source(shop: Shop, run: Any, vault: Vault) -> None:
    vault.put("lamp.api_key", "from the vault")
    tell(shop, **{PIN: "4711"})
    found = {item["name"]: item for item in json.loads(run("settings", "list", "--json").output)}
    assert found["lamp.api_key"]["source"] == "addon vault"
    assert (found["lamp.pin"]["source"], found["lamp.pin"]["value"]) == ("environment", "••••")
    assert (found["lamp.watts"]["source"], found["vault.folder"]["source"]) == ("default", "stored")
    assert "addon vault" in run("settings", "list").output


@ONE_ENGINE
def test_whoever_sets_what_the_environment_gives_is_told(
    shop: Shop, run: Any, admin: Client
) -> None:
    tell(shop, **{PIN: "4711"})
    told = run("settings", "set", "lamp.pin", "--stdin", given="1\n").output
    assert told == "lamp.pin is stored, but the one from the environment goes before it.\n"
    answer = admin.put("/api/v1/settings/lamp.pin", {"value": 2}).expect(200)
    assert (answer["source"], answer["changed"]) == ("environment", True)
    assert value(shop, "lamp.pin") == 4711


@ONE_ENGINE
def test_a_variable_that_no_setting_knows_is_told(shop: Shop, run: Any) -> None:
    tell(shop, BODEGA_SECRET_LAMP_APIKEY="x", **{PIN: "1"})
    told = run("settings", "list").stderr
    assert "BODEGA_SECRET_LAMP_APIKEY is set, but no addon has such a secret setting" in told
    assert PIN not in told


# Where they never appear.

_SCRIPT = """
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.settings import read_settings
from bodega.shop import Shop
from bodega.telemetry.logging import configure_logging
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.working import run_due

settings = read_settings()
configure_logging(settings, "web")
shop = Shop(settings, build_app, connections=5)
shop.refresh()
print(settings, shop.current, shop.assembly)
admin = Client(Gate(shop), shop).as_admin()
print(admin.get("/api/v1/lamp/fail").text)
with bound(shop.current):
    shop.assembly.jobs["lamp.blink"].enqueue()
run_due(shop)
print(admin.get("/api/v1/jobs").text)
print(admin.get("/api/v1/settings?all=true").text)
print(admin.get("/api/schema").text)
"""


def everything_stored(shop: Shop) -> bytes:
    """All that the shop keeps, in its database and in its folder, as bytes."""
    files = b"".join(path.read_bytes() for path in shop.settings.home.rglob("*") if path.is_file())
    database = shop.databases.shop
    if not is_postgres(database):
        return files
    rows = [
        str(row)
        for table in database.get_tables()
        for row in database.execute_sql(f'SELECT t::text FROM "{table}" AS t').fetchall()
    ]
    return files + "\n".join(rows).encode()


def everything_backed_up(shop: Shop, path: Path) -> bytes:
    write_backup(shop, path)
    with zipfile.ZipFile(path) as bundle:
        return b"".join(bundle.read(name) for name in bundle.namelist())


@pytest.mark.parametrize(
    ("way", "log"),
    [("environment", "json"), ("file", "console"), ("addon vault", "json"), ("stored", "console")],
)
def test_a_secret_is_in_nothing_that_comes_out(
    shop: Shop, vault: Vault, terminal: Any, tmp_path: Path, way: str, log: str
) -> None:
    marker = 'marker-"7f3b\\é-never-to-be-seen'
    environ = terminal.environ = terminal.environ | {"BODEGA_LOG": log, "BODEGA_LOG_LEVEL": "debug"}
    (tmp_path / "key").write_text(marker)
    if way == "environment":
        environ[KEY] = marker
    elif way == "file":
        environ[f"{KEY}_FILE"] = str(tmp_path / "key")
    elif way == "stored":
        told = terminal.run("settings", "set", "lamp.api_key", "--stdin", given=marker)
        assert marker not in told.stdout + told.stderr
    else:
        vault.put("lamp.api_key", marker)
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env=environ, capture_output=True, text=True, timeout=60
    )
    listed = terminal.run("settings", "list", "--json")
    seen = done.stdout + done.stderr + listed.stdout + listed.stderr
    seen += terminal.run("settings", "list").stdout + terminal.run("jobs", "list", "--json").stdout
    assert "the maker does not know" in done.stderr
    assert "the maker does not know" in done.stdout
    assert "••••" in done.stderr
    assert "never-to-be-seen" not in seen
    assert b"never-to-be-seen" not in everything_stored(shop)
    assert b"never-to-be-seen" not in everything_backed_up(shop, tmp_path / "shop.bodega")


def test_short_words_are_not_taken_for_secrets() -> None:
    remember("7")
    remember("")
    assert redacted("a 7 and nothing") == "a 7 and nothing"
    remember('sk-"quoted"-ß')
    assert redacted(json.dumps('sk-"quoted"-ß')) == '"••••"'
    assert redacted('a sk-"quoted"-ß b') == "a •••• b"
