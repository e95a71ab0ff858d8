"""The command line: helpful, exact about what is wrong, and readable by programs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from bodega.addons import lifecycle
from bodega.cli import bodega
from bodega.cli.context import Context
from bodega_accounts.models import Account

# Most commands do not know which engine they run on.
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def commands(group: click.Group, ctx: click.Context, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every command below a group, with its path."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from commands(command, ctx, f"{path}{name} ")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A context whose shop was never started."""
    return Context(home=tmp_path / "never")


#: The exit code of what an addon stands in the way of.
REFUSED = 3


def failed(done: Any, code: int = 1) -> str:
    """Return the one sentence that a command failed with."""
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, done.stderr
    return str(lines[0])


@pytest.mark.slow
def test_every_command_explains_itself_with_an_example(context: Context) -> None:
    ctx = click.Context(bodega, obj=context)
    found = dict(commands(bodega, ctx, ""))
    assert {"up", "serve", "worker", "realtime", "migrate", "doctor", "openapi"} <= found.keys()
    assert {"addons list", "addons enable", "users create", "import"} <= found.keys()
    for path in ["", *found]:
        done = CliRunner().invoke(bodega, [*path.split(), "--help"], obj=context)
        assert done.exit_code == 0, path
        assert "Example:" in done.output, path
        assert f"bodega {path}".strip() in done.output.replace("\n", " "), path


def test_every_option_of_every_command_is_explained(context: Context) -> None:
    ctx = click.Context(bodega, obj=context)
    for path, command in commands(bodega, ctx, ""):
        for option in command.params:
            if isinstance(option, click.Option):
                shown = option.help or option.show_default
                assert shown, f"{path} {option.name}"


def test_asking_for_help_makes_no_shop(context: Context) -> None:
    assert CliRunner().invoke(bodega, ["users", "create", "-h"], obj=context).exit_code == 0
    assert context.home is not None
    assert not context.home.exists()


def test_the_version_is_told(context: Context) -> None:
    done = CliRunner().invoke(bodega, ["--version"], obj=context)
    assert done.output.startswith("bodega, version ")


@ONE_ENGINE
def test_addons_are_listed_for_programs(empty_shop: Any, site: Any, terminal: Any) -> None:
    site.install("notes", "pins", "plugin_raises", "manifest_raises")
    terminal.run("addons", "enable", "plugin_raises")
    done = terminal.run("addons", "list", "--json")
    assert done.returncode == 0, done.stderr
    found = {item["name"]: item for item in json.loads(done.stdout)}
    assert found["accounts"]["state"] == "enabled"
    assert found["notes"]["state"] == "available"
    assert found["notes"]["version"] == "1.2.0"
    assert found["pins"]["depends"] == ["notes>=1.0"]
    for name, reason in (("plugin_raises", "no such thing"), ("manifest_raises", "forgot")):
        assert found[name]["state"] == "quarantined"
        assert found[name]["fault"]["culprit"] == name
        assert reason in found[name]["fault"]["reason"]
        assert found[name]["fault"]["remedy"]


@ONE_ENGINE
def test_addons_are_listed_for_people(empty_shop: Any, site: Any, terminal: Any) -> None:
    site.install("notes", "manifest_raises")
    told = terminal.run("addons", "list").stdout
    assert "available" in next(line for line in told.splitlines() if line.startswith("notes"))
    assert "reason:  its manifest bodega_sample_manifest_raises.manifest" in told
    assert "remedy:  Mend bodega_sample_manifest_raises.manifest" in told


def test_enabling_and_disabling_tell_what_they_did(
    empty_shop: Any, site: Any, terminal: Any
) -> None:
    site.install("notes", "pins")
    done = terminal.run("addons", "enable", "pins", "--json")
    told = json.loads(done.stdout)
    assert told["enabled"] == ["notes", "pins"]
    assert (told["generation"], told["laggards"]) == (2, [])
    assert "pins cannot do without notes" in failed(
        terminal.run("addons", "disable", "notes"), REFUSED
    )
    done = terminal.run("addons", "disable", "notes", "--cascade")
    assert done.stdout.startswith("Disabled: pins, notes (generation 3).")


@ONE_ENGINE
def test_an_addon_that_cannot_be_enabled_is_an_error_with_its_reason(
    empty_shop: Any, site: Any, terminal: Any
) -> None:
    site.install("plugin_raises", "failing_migration")
    told = failed(terminal.run("addons", "enable", "plugin_raises"), REFUSED)
    assert "no such thing as a shop" in told
    told = failed(terminal.run("addons", "enable", "failing_migration"), REFUSED)
    assert "failing_migration_sheets" in told
    assert "there is no addon 'unicorns'" in failed(
        terminal.run("addons", "enable", "unicorns"), REFUSED
    )


def test_the_doctor_tells_programs_what_it_found(notes_shop: Any, site: Any, terminal: Any) -> None:
    done = terminal.run("doctor", "--json")
    assert done.returncode == 0, done.stderr
    found = {item["check"]: item for item in json.loads(done.stdout)}
    assert found.keys() >= {"python", "settings", "database", "queue", "addons", "processes"}
    assert all(item["ok"] for item in found.values())
    assert "notes" in found["addons"]["detail"]
    (site.package("notes") / "plugin.py").write_text("1 / 0")
    done = terminal.run("doctor", "--json")
    assert done.returncode == 1
    found = {item["check"]: item for item in json.loads(done.stdout)}
    assert not found["addons"]["ok"]
    assert "ZeroDivisionError" in found["addons"]["detail"]
    assert found["database"]["ok"]


@ONE_ENGINE
def test_the_openapi_document_is_printed_or_written(
    notes_shop: Any, terminal: Any, tmp_path: Path
) -> None:
    out = tmp_path / "openapi.json"
    done = terminal.run("openapi", "--out", str(out))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    written = json.loads(out.read_text())
    assert "/api/v1/notes" in written["paths"]
    assert json.loads(terminal.run("openapi").stdout) == written
    nowhere = tmp_path / "no" / "such" / "folder.json"
    assert f"cannot write {nowhere}" in failed(terminal.run("openapi", "--out", str(nowhere)))


@ONE_ENGINE
def test_an_account_is_made_with_a_password_from_standard_input(
    empty_shop: Any, terminal: Any
) -> None:
    options = ("--email", "Me@Shop.example", "--role", "staff", "--password-stdin")
    done = terminal.run("users", "create", *options, given="open sesame\n")
    assert done.returncode == 0, done.stderr
    assert "Made staff me@shop.example" in done.stdout
    assert "open sesame" not in done.stdout + done.stderr
    made = Account.get(Account.email == "me@shop.example")
    assert made.role == "staff"
    assert made.password.startswith("$argon2id$")
    assert "email" in failed(terminal.run("users", "create", *options, given="open sesame\n"))
    told = failed(terminal.run("users", "create", "--email", "x", "--password-stdin", given="1\n"))
    assert "email" in told


@ONE_ENGINE
def test_accounts_are_listed_for_programs_without_their_passwords(
    empty_shop: Any, terminal: Any
) -> None:
    (account,) = json.loads(terminal.run("users", "list", "--json").stdout)
    assert (account["email"], account["role"]) == ("admin@example.com", "admin")
    assert "password" not in account


@ONE_ENGINE
def test_a_command_of_an_addon_runs_on_the_shop_and_goes_with_the_addon(
    notes_shop: Any, terminal: Any
) -> None:
    assert terminal.run("notes").stdout == "1 notes\n"
    lifecycle.disable(notes_shop, "notes")
    done = terminal.run("notes")
    assert done.returncode == 2
    assert "No such command 'notes'" in done.stderr


def test_a_new_shop_is_made_by_the_command_that_needs_it_first(
    new_shop: Any, terminal: Any
) -> None:
    done = terminal.run("migrate")
    assert done.returncode == 0, done.stderr
    assert "The shop was made." in done.stdout
    assert "admin@example.com" in done.stdout
    assert terminal.run("migrate").stdout == "The tables are up to date.\n"


@ONE_ENGINE
@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL begins with 'mysql'"),
        ({"DATABASE_URL": "postgresql://u:hush@127.0.0.1:1/x"}, "does not answer"),
        ({"DATABASE_URL": "postgresql://[broken"}, "DATABASE_URL"),
        ({"REDIS_URL": "cache.example"}, "REDIS_URL"),
        ({"BODEGA_EDITION": "unicorns"}, "BODEGA_EDITION: there is no edition 'unicorns'"),
        ({"BODEGA_EDITION": "gone.toml"}, "gone.toml"),
        ({"BODEGA_HOME": "/proc/nowhere"}, "BODEGA_HOME: cannot make"),
        ({"BODEGA_SECRET_KEY": "short"}, "BODEGA_SECRET_KEY has 5 characters"),
        ({"BODEGA_ADMIN_PASSWORD": "short"}, "assword"),
    ],
)
def test_what_is_wrong_with_the_environment_is_one_sentence_and_exit_code_1(
    terminal: Any, environ: dict[str, str], told: str
) -> None:
    terminal.environ.update(environ)
    sentence = failed(terminal.run("addons", "list"))
    assert told in sentence
    assert "hush" not in sentence


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_home_that_cannot_be_made_is_an_error_with_postgresql_too(terminal: Any) -> None:
    terminal.environ.update(BODEGA_HOME="/proc/nowhere", BODEGA_SECRET_KEY="")
    assert "BODEGA_HOME: cannot make /proc/nowhere" in failed(terminal.run("migrate"))


@ONE_ENGINE
def test_another_secret_key_than_the_shop_was_made_with_is_an_error(
    empty_shop: Any, terminal: Any
) -> None:
    terminal.environ["BODEGA_SECRET_KEY"] = "another key, long enough"
    done = terminal.run("doctor")
    assert done.returncode == 1
    assert "BODEGA_SECRET_KEY is not the key this shop was made with" in done.stdout


def test_wrong_usage_is_exit_code_2(context: Context) -> None:
    for arguments in (["nonsense"], ["addons", "enable"], ["serve", "--port", "many"]):
        done = CliRunner().invoke(bodega, arguments, obj=context)
        assert done.exit_code == 2, arguments
        assert "Usage: " in done.output
