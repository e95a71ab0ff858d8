"""Settings through the API and the command line, on both engines."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bodega import operator_settings, state
from bodega.addons import lifecycle
from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.database.connection import is_postgres
from bodega.database.tables import AddonRow, SettingRow
from bodega.editions import Edition
from bodega.errors import ConfigurationError
from bodega.follower import Follower
from bodega.shop import Shop
from bodega_sdk import setting
from bodega_sdk.errors import BodegaError
from bodega_sdk.runtime import bound

SECRET = "sk_live_51HqQ-never-to-be-seen"
OTHER_SECRET = "sk_live_99Zz-not-this-one-either"
LAMP = """
    settings=(
        Setting("watts", int, default=40, minimum=1, maximum=100, help="Watts of a bulb"),
        Setting("warmth", float, default=0.5, minimum=0, maximum=1, help="From cold to warm"),
        Setting("lit", bool, default=False, help="Whether it is lit"),
        Setting("shade", str, default="white", choices=("white", "Amber"), help="Its colour"),
        Setting("motto", str, default="", help="What is written on it"),
        Setting("api_key", str, default="", secret=True, help="The key of its maker"),
        Setting("pin", int, default=0, minimum=0, maximum=9999, secret=True, help="Its PIN"),
    )
"""


@pytest.fixture
def copied() -> bool:
    """The shop of these tests begins with an addon of its own."""
    return False


@pytest.fixture
def shop(new_shop: Shop, site: Any) -> Iterator[Shop]:
    """A started shop of accounts and the addon lamp, bound to the test."""
    site.write("lamp", fields=LAMP)
    lifecycle.prepare(new_shop, Edition("test", ("accounts", "lamp")))
    new_shop.refresh()
    with bound(new_shop.current):
        yield new_shop


@pytest.fixture
def run(shop: Shop) -> Callable[..., Result]:
    """Runs a command in this process, on the shop of the test."""

    def call(*arguments: str, given: str | None = None) -> Result:
        context = Context(_shop=shop)
        result = CliRunner().invoke(bodega, list(arguments), obj=context, input=given)
        if result.exception and not isinstance(result.exception, BodegaError | SystemExit):
            raise result.exception
        return result

    return call


def shown(answer: Any) -> dict[str, Any]:
    return {item["name"]: item for item in answer.json["results"]}


def now_in(shop: Shop, name: str) -> Any:
    shop.refresh()
    return shop.current.setting(name)


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


# Reading.


def test_the_list_tells_all_that_is_declared_and_what_was_changed(admin: Any) -> None:
    found = shown(admin.get("/api/v1/settings"))
    assert found["lamp.watts"] == {
        "name": "lamp.watts", "addon": "lamp", "state": "enabled", "type": "int", "value": 40,
        "default": 40, "help": "Watts of a bulb", "minimum": 1, "maximum": 100, "choices": [],
        "secret": False, "source": "default", "changed": False,
    }  # fmt: skip
    assert found["lamp.shade"]["choices"] == ["white", "Amber"]
    assert found["lamp.api_key"]["secret"] is True
    assert "accounts.access_minutes" in found


def test_a_setting_is_read_by_its_name(admin: Any) -> None:
    answer = admin.get("/api/v1/settings/lamp.warmth")
    assert (answer.json["value"], answer.json["type"]) == (0.5, "float")


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_the_shops_own_id_is_no_setting(shop: Shop, admin: Any, method: str) -> None:
    options = {"json": {"value": "mine"}} if method == "put" else {}
    answer = getattr(admin, method)("/api/v1/settings/bodega.shop_id", **options)
    assert answer.status_code == 404
    assert state.shop_id() == shop.shop_id
    assert shop.shop_id not in admin.get("/api/v1/settings?all=true").text


def test_an_addon_that_calls_itself_bodega_does_not_get_at_it(
    shop: Shop, admin: Any, site: Any
) -> None:
    site.write("bodega", fields="settings=(Setting('shop_id', str, default='', help='x'),)")
    AddonRow.create(name="bodega", version="1.0.0", installed=True, enabled=True)
    shop.refresh()
    assert admin.put("/api/v1/settings/bodega.shop_id", {"value": "mine"}).status_code == 404
    assert state.shop_id() == shop.shop_id


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("lamp.wats", "did you mean lamp.watts"),
        ("lamp.zzz", "there are lamp.watts, lamp.warmth, lamp.lit"),
        ("zzz", "addons that have settings are accounts, lamp."),
    ],
)
def test_an_unknown_name_is_told_what_is_close(admin: Any, name: str, hint: str) -> None:
    answer = admin.get(f"/api/v1/settings/{name}")
    assert answer.status_code == 404
    assert hint in answer.json["detail"]
    assert answer.json["errors"][0]["field"] == "name"


# Writing.


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("watts", 100), ("warmth", 0.25), ("lit", True), ("shade", "Amber"),
        ("motto", "Grüße, 🕯\n"), ("api_key", SECRET), ("pin", 1234),
    ],
)  # fmt: skip
def test_a_value_holds_from_the_next_assembly_on(
    shop: Shop, admin: Any, name: str, value: Any
) -> None:
    before = state.read_generation()
    answer = admin.put(f"/api/v1/settings/lamp.{name}", {"value": value})
    assert answer.status_code == 200, answer.text
    assert answer.json["changed"] is True
    assert state.read_generation() == before + 1
    assert setting(f"lamp.{name}") != value
    held = now_in(shop, f"lamp.{name}")
    assert (held, type(held)) == (value, type(value))


def test_work_keeps_the_values_it_began_with(shop: Shop, admin: Any) -> None:
    with shop.lent() as session, bound(session):
        admin.put("/api/v1/settings/lamp.watts", {"value": 60})
        shop.refresh()
        assert setting("lamp.watts") == 40
    with shop.lent() as session, bound(session):
        assert setting("lamp.watts") == 60


def test_a_process_follows_by_looking_at_the_generation(shop: Shop, terminal: Any) -> None:
    assert terminal.run("settings", "set", "lamp.watts", "60").returncode == 0
    follower = Follower(shop, "web")
    follower.step()
    assert shop.current.setting("lamp.watts") == 60


def test_a_whole_number_will_do_for_a_float(shop: Shop, admin: Any) -> None:
    assert admin.put("/api/v1/settings/lamp.warmth", {"value": 1}).json["value"] == 1.0
    assert type(now_in(shop, "lamp.warmth")) is float


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("watts", 101, "Expected at most 100."),
        ("watts", 0, "Expected at least 1."),
        ("watts", "40", "Expected int."),
        ("watts", 40.0, "Expected int."),
        ("watts", True, "Expected int."),
        ("watts", 2**63, "Expected a number of at most 64 bits."),
        ("watts", [40], "Expected int."),
        ("lit", 1, "Expected bool."),
        ("warmth", True, "Expected float."),
        ("shade", "amber", "Expected one of white, Amber."),
        ("motto", "a\0b", "Expected text without NUL characters and lone surrogates."),
        ("motto", "x" * 10_001, "Expected at most 10000 characters."),
        ("motto", {"sealed": "x"}, "Expected str."),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_and_changes_nothing(
    shop: Shop, admin: Any, name: str, value: Any, message: str
) -> None:
    before = state.read_generation()
    answer = admin.put(f"/api/v1/settings/lamp.{name}", {"value": value})
    assert answer.status_code == 422, answer.text
    (error,) = answer.json["errors"]
    assert (error["field"], error["message"]) == ("value", message)
    assert state.read_generation() == before
    assert admin.get(f"/api/v1/settings/lamp.{name}").json["changed"] is False


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": 1, "more": 2}, {"Value": 1}])
def test_the_body_is_one_value(admin: Any, body: Any) -> None:
    assert admin.put("/api/v1/settings/lamp.watts", body).status_code == 422


def test_deleting_gives_the_default_back(shop: Shop, admin: Any) -> None:
    path = "/api/v1/settings/lamp.watts"
    admin.put(path, {"value": 60})
    assert admin.delete(path).status_code == 204
    assert admin.get(path).json["changed"] is False
    assert now_in(shop, "lamp.watts") == 40


def test_a_write_with_an_outdated_etag_is_refused(admin: Any) -> None:
    path = "/api/v1/settings/lamp.watts"
    match = {"If-Match": admin.get(path).headers["ETag"]}
    assert admin.put(path, {"value": 60}, headers=match).status_code == 200
    assert admin.put(path, {"value": 70}, headers=match).status_code == 412
    assert admin.delete(path, headers=match).status_code == 412
    assert admin.get(path).json["value"] == 60


def test_operators_at_once_come_one_after_the_other(shop: Shop, threads: Any) -> None:
    before = state.read_generation()
    done = threads.run(
        *(lambda watts=watts: operator_settings.change(shop, "lamp.watts", watts)
          for watts in (10, 20, 30, 40))
    )  # fmt: skip
    assert sorted(generation for _, generation in done) == list(range(before + 1, before + 5))
    last = max(done, key=lambda item: item[1])
    assert now_in(shop, "lamp.watts") == last[0].value


# Secrets.


def test_a_secret_is_shown_nowhere(
    shop: Shop, admin: Any, run: Any, capfd: pytest.CaptureFixture[str], caplog: Any
) -> None:
    caplog.set_level("DEBUG")
    path = "/api/v1/settings/lamp.api_key"
    seen = [admin.put(path, {"value": SECRET}).text, admin.get(path).text]
    seen += [run("settings", "set", "lamp.api_key", "--stdin", given=f"{OTHER_SECRET}\n").output]
    assert now_in(shop, "lamp.api_key") == OTHER_SECRET
    seen += [
        admin.get("/api/v1/settings?all=1").text,
        admin.put(path, {"value": SECRET}).text,
        admin.put(path, {"value": [SECRET]}).text,
        admin.put(path, {"value": f"{SECRET}\0"}).text,
        admin.put(path, {"Value": SECRET}).text,
        admin.put(path, {"value": OTHER_SECRET, "more": SECRET}).text,
        admin.put(path, SECRET).text,
        admin.get("/api/schema").text,
        run("settings", "list").output,
        run("settings", "list", "--json").output,
        run("settings", "get", "lamp.api_key").output,
        run("settings", "get", "lamp.api_key", "--json").output,
        repr(shop.refresh()),
        caplog.text,
        *capfd.readouterr(),
    ]
    assert "••••" in "".join(seen)
    assert "setting changed" in "".join(seen)
    for secret in (SECRET, OTHER_SECRET):
        assert secret not in "".join(seen)
        assert secret.encode() not in everything_stored(shop)


def test_a_secret_number_is_not_repeated_when_it_is_refused(admin: Any, run: Any) -> None:
    answer = admin.put("/api/v1/settings/lamp.pin", {"value": 77_777})
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"field": "value", "message": "Expected at most 9999."}]
    told = run("settings", "set", "lamp.pin", "--stdin", given="seven 7s")
    assert str(told.exception) == "lamp.pin: Expected a whole number."
    assert "77777" not in answer.text


def test_the_mask_is_not_taken_for_the_secret(admin: Any) -> None:
    path = "/api/v1/settings/lamp.api_key"
    admin.put(path, {"value": SECRET})
    again = admin.put(path, {"value": admin.get(path).json["value"]})
    assert again.status_code == 422
    assert "the secret itself" in again.json["detail"]


def test_a_secret_nobody_set_is_shown_as_its_empty_default(admin: Any) -> None:
    found = admin.get("/api/v1/settings/lamp.api_key").json
    assert (found["value"], found["changed"]) == ("", False)


def test_a_secret_that_a_later_manifest_declares_open_is_still_not_shown(
    shop: Shop, admin: Any, site: Any
) -> None:
    admin.put("/api/v1/settings/lamp.api_key", {"value": SECRET})
    site.write("lamp", fields=LAMP.replace('secret=True, help="The', 'help="The'))
    site.forget()
    shop.refresh()
    found = admin.get("/api/v1/settings/lamp.api_key").json
    assert (found["value"], found["secret"]) == ("••••", True)
    assert shop.current.setting("lamp.api_key") == SECRET


def test_a_stored_secret_does_not_open_in_anothers_place(shop: Shop, admin: Any) -> None:
    admin.put("/api/v1/settings/lamp.api_key", {"value": SECRET})
    stored = SettingRow.get_by_id("lamp.api_key").value
    SettingRow.create(name="lamp.pin", value=stored)
    with pytest.raises(ConfigurationError, match=r"lamp\.pin cannot be read"):
        now_in(shop, "lamp.pin")


def test_with_another_secret_key_it_is_said_what_to_do(shop: Shop, admin: Any) -> None:
    admin.put("/api/v1/settings/lamp.api_key", {"value": SECRET})
    shop.settings = replace(shop.settings, secret_key="quite another key, also for tests")
    assert now_in(shop, "lamp.watts") == 40
    with pytest.raises(ConfigurationError, match=r"settings set lamp\.api_key --stdin"):
        shop.current.setting("lamp.api_key")


# Disabled addons.


def test_the_settings_of_a_disabled_addon_stay(shop: Shop, admin: Any, run: Any) -> None:
    admin.put("/api/v1/settings/lamp.watts", {"value": 60})
    lifecycle.disable(shop, "lamp")
    shop.refresh()
    assert "lamp.watts" not in shown(admin.get("/api/v1/settings"))
    listed = shown(admin.get("/api/v1/settings?all=true"))["lamp.watts"]
    assert (listed["value"], listed["state"]) == (60, "disabled")
    assert "lamp.watts" not in run("settings", "list").output
    assert "lamp.watts" in run("settings", "list", "--all").output
    assert admin.put("/api/v1/settings/lamp.watts", {"value": 70}).status_code == 200
    lifecycle.enable(shop, "lamp")
    assert now_in(shop, "lamp.watts") == 70


def test_the_settings_of_a_quarantined_addon_can_be_changed(
    shop: Shop, admin: Any, site: Any
) -> None:
    (site.package("lamp") / "plugin.py").write_text("raise RuntimeError('no bulb')\n")
    site.forget()
    shop.refresh()
    assert shown(admin.get("/api/v1/settings"))["lamp.watts"]["state"] == "quarantined"
    assert admin.put("/api/v1/settings/lamp.watts", {"value": 70}).status_code == 200


# Permissions.


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/settings"), ("GET", "/api/v1/settings/lamp.watts"),
        ("PUT", "/api/v1/settings/lamp.watts"), ("DELETE", "/api/v1/settings/lamp.watts"),
    ],
)  # fmt: skip
def test_only_administrators_get_at_settings(
    admin: Any, client: Any, method: str, path: str
) -> None:
    person = {"email": "staff@example.com", "password": "correct horse", "role": "staff"}
    assert admin.post("/api/v1/users", person).status_code == 201
    staff = client.log_in("staff@example.com", "correct horse")
    body = {"value": 1} if method == "PUT" else None
    assert staff.request(method, path, body).status_code == 403
    assert client.request(method, path, body).status_code == 401


# The command line.


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("watts", "60", 60), ("warmth", "1", 1.0), ("warmth", ".25", 0.25), ("lit", "yes", True),
        ("lit", "TRUE", True), ("lit", "off", False), ("shade", "Amber", "Amber"),
        ("motto", "true", "true"), ("motto", "", ""),
    ],
)  # fmt: skip
def test_a_value_is_read_by_the_type_of_its_setting(
    shop: Shop, run: Any, name: str, text: str, value: Any
) -> None:
    done = run("settings", "set", f"lamp.{name}", text)
    assert done.exit_code == 0, done.output
    assert SettingRow.get_by_id(f"lamp.{name}").value == value
    held = now_in(shop, f"lamp.{name}")
    assert (held, type(held)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("watts", "many", "Expected a whole number."), ("watts", "-1", "Expected at least 1."),
        ("watts", "9" * 5000, "Expected a whole number."), ("lit", "maybe", "Expected true or"),
        ("warmth", "nan", "Expected a finite number."), ("warmth", "inf", "Expected a finite"),
        ("watts", str(2**63), "Expected a number of at most 64 bits."),
        ("motto", "\udc80", "Expected text without NUL"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_such_value_is_refused_in_one_sentence(
    run: Any, name: str, text: str, message: str
) -> None:
    done = run("settings", "set", f"lamp.{name}", "--", text)
    assert str(done.exception).startswith(f"lamp.{name}: {message}")
    assert not SettingRow.select().where(SettingRow.name == f"lamp.{name}").exists()


def test_a_secret_is_not_taken_from_the_arguments(run: Any) -> None:
    done = run("settings", "set", "lamp.api_key", SECRET)
    assert done.exit_code == 2
    assert "others can see arguments" in done.output
    assert SECRET not in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lamp.watts",), "give either a VALUE"),
        (("lamp.watts", "60", "--stdin"), "give either a VALUE"),
        (("lamp.api_key", "--stdin"), "nothing came from standard input"),
    ],
)
def test_a_call_without_one_value_is_told_what_is_missing(
    run: Any, arguments: tuple[str, ...], message: str
) -> None:
    done = run("settings", "set", *arguments, given="\n")
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


def test_unset_gives_the_default_back(shop: Shop, run: Any) -> None:
    run("settings", "set", "lamp.watts", "60")
    assert "lamp.watts is 60 now" in run("settings", "set", "lamp.watts", "60").output
    assert run("settings", "get", "lamp.watts").output == "60\n"
    assert "lamp.watts is 40 again" in run("settings", "unset", "lamp.watts").output
    assert now_in(shop, "lamp.watts") == 40


def test_the_list_marks_what_was_changed(run: Any) -> None:
    run("settings", "set", "lamp.lit", "on")
    lines = {line.split()[1]: line for line in run("settings", "list").output.splitlines()
             if line.startswith("*")}  # fmt: skip
    assert list(lines) == ["lamp.lit"]
    assert "true" in lines["lamp.lit"]
    listed = json.loads(run("settings", "list", "--json").output)
    assert [item["name"] for item in listed if item["changed"]] == ["lamp.lit"]


@pytest.mark.parametrize("arguments", [(), ("list",), ("get",), ("set",), ("unset",)])
def test_every_command_has_help_with_an_example(run: Any, arguments: tuple[str, ...]) -> None:
    done = run("settings", *arguments, "--help")
    assert done.exit_code == 0
    assert "Example: bodega settings" in done.output


def test_values_go_from_process_to_process(shop: Shop, admin: Any, terminal: Any) -> None:
    terminal.environ["BODEGA_LOG_LEVEL"] = "debug"
    done = terminal.run("settings", "set", "lamp.api_key", "--stdin", given=f"{SECRET}\n")
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert now_in(shop, "lamp.api_key") == SECRET
    admin.put("/api/v1/settings/lamp.watts", {"value": 60})
    assert terminal.run("settings", "get", "lamp.watts").stdout == "60\n"
    refused = terminal.run("settings", "set", "lamp.watts", "1000")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "Error: lamp.watts: Expected at most 100.\n"
