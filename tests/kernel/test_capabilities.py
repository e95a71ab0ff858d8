"""Capabilities on a running shop: what is not named or not approved is not given."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bodega import capabilities, operator_settings, state
from bodega.addons import lifecycle
from bodega.addons.listing import listing
from bodega.database import outbox
from bodega.database.tables import AddonRow, JobRow
from bodega.editions import Edition
from bodega.errors import AddonError, PlanDrift
from bodega.jobs.sweeper import Sweeper
from bodega.shop import Shop
from bodega_sdk import Event, setting
from bodega_sdk.errors import CapabilityError, FetchFailed

VAULT = """
from bodega_sdk import Event, hookimpl, job, setting


@job("vault.open")
def open_it(run): pass


def key(): return setting("vault.key")


opened = Event("vault.opened", "It was opened.", {})


@hookimpl
def register_jobs(): return [open_it]


@hookimpl
def register_events(): return [opened]
"""
VAULT_FIELDS = (
    '{"settings": (Setting("key", str, default="s3cret", secret=True, help="Its key"),'
    ' Setting("size", int, default=7, help="Shelves"))}'
)
#: An addon that reaches for whatever it is told to.
GUEST = """
import importlib
from bodega_sdk import addon_api, fetch, hookimpl, setting


def read(name): return setting(name)
def call(url): return fetch(url, timeout=2)
def ask(name): return addon_api(name)
def enqueue(module): return importlib.import_module(module).open_it.enqueue()
def through(module): return importlib.import_module(module).key()
"""
HEARS = """
from bodega_sdk import hookimpl

heard = []


def note(event): heard.append(event.name)


@hookimpl
def register_subscriptions(events): events.on({event!r}, note)
"""
CARRIES = """
from bodega_sdk import PUBLIC, Channel, hookimpl


@hookimpl
def register_channels(): return [Channel("guest.{{id}}", ({event!r},), PUBLIC, "x")]
"""


def fields(version: str = "1.0.0", depends: tuple[str, ...] = (), **uses: tuple[str, ...]) -> str:
    """Return the fields of a manifest that uses something."""
    return repr({"version": version, "depends": depends, "uses": uses})


def write_newer(site: Any, plugin: str, version: str = "2.0.0", **uses: tuple[str, ...]) -> None:
    """Put a newer package of the guest on the disk, as pip would."""
    site.write("guest", plugin, fields=fields(version, **uses))


def stored(name: str) -> Any:
    return AddonRow.get_by_id(name).approved


def state_of(shop: Shop, name: str) -> Any:
    return next(item for item in listing(shop) if item.name == name)


@pytest.fixture
def guests(empty_shop: Shop, site: Any, rebind: Callable[[], None]) -> Callable[..., Any]:
    """Enable the vault and a guest that uses what it is given; return the guest's plugin."""
    site.write("vault", VAULT, fields=VAULT_FIELDS)
    (site.package("vault") / "api.py").write_text("def size(): return 7\n")
    lifecycle.enable(empty_shop, "vault")

    def enable(depends: tuple[str, ...] = (), **uses: tuple[str, ...]) -> Any:
        site.write("guest", GUEST, fields=fields(depends=depends, **uses))
        lifecycle.enable(empty_shop, "guest")
        rebind()
        return site.module("guest", "plugin")

    return enable


# Secrets, jobs, hosts and other addons: held where they are reached for.


def test_another_addons_secret_is_read_by_those_who_name_it(guests: Any) -> None:
    assert guests(secrets=("vault.key",)).read("vault.key") == "s3cret"


def test_another_addons_secret_is_refused_to_those_who_do_not(guests: Any) -> None:
    guest = guests()
    with pytest.raises(CapabilityError) as caught:
        guest.read("vault.key")
    assert "addon 'guest' may not do that" in str(caught.value)
    assert "uses={'secrets': ('vault.key',)}" in str(caught.value)


def test_a_secret_that_was_sealed_is_held_back_too(
    guests: Any, empty_shop: Shop, rebind: Any
) -> None:
    guest = guests()
    operator_settings.change(empty_shop, "vault.key", "another")
    rebind()
    with pytest.raises(CapabilityError):
        guest.read("vault.key")
    assert setting("vault.key") == "another"


def test_settings_that_are_no_secrets_are_for_everybody(guests: Any) -> None:
    assert guests().read("vault.size") == 7


def test_what_an_addon_does_for_another_it_does_itself(guests: Any) -> None:
    assert guests().through("bodega_sample_vault.plugin") == "s3cret"


def test_another_addons_job_is_enqueued_by_those_who_name_it(guests: Any) -> None:
    guests(jobs=("vault.open",)).enqueue("bodega_sample_vault.plugin")
    assert [row.name for row in JobRow.select()] == ["vault.open"]


def test_another_addons_job_is_refused_to_those_who_do_not(guests: Any, site: Any) -> None:
    guest = guests()
    with pytest.raises(CapabilityError, match=r"uses=\{'jobs': \('vault.open',\)\}"):
        guest.enqueue("bodega_sample_vault.plugin")
    assert JobRow.select().count() == 0
    site.module("vault", "plugin").open_it.enqueue()
    assert JobRow.select().count() == 1


def test_a_host_is_asked_by_those_who_name_it(guests: Any) -> None:
    guest = guests(hosts=("127.0.0.1",))
    with pytest.raises(FetchFailed):
        guest.call("http://127.0.0.1:1/")
    with pytest.raises(CapabilityError, match=r"'points\.example'"):
        guest.call("https://points.example/")


def test_the_api_of_an_addon_is_there_while_it_is_enabled(
    guests: Any, empty_shop: Shop, rebind: Any
) -> None:
    guest = guests(addons=("vault",))
    assert guest.ask("vault").size() == 7
    lifecycle.disable(empty_shop, "vault")
    rebind()
    assert guest.ask("vault") is None


def test_the_api_of_an_addon_that_is_depended_on_needs_no_other_word(guests: Any) -> None:
    assert guests(depends=("vault",)).ask("vault").size() == 7


def test_the_api_of_an_addon_is_refused_to_those_who_do_not_name_it(guests: Any) -> None:
    guest = guests()
    with pytest.raises(CapabilityError, match=r"uses=\{'addons': \('vault',\)\}"):
        guest.ask("vault")
    with pytest.raises(CapabilityError, match="'nobody'"):
        guest.ask("nobody")


def test_the_house_itself_is_held_to_nothing(guests: Any) -> None:
    guests()
    assert setting("vault.key") == "s3cret"


# Events and hooks: held where they are declared.


@pytest.mark.parametrize("text", [HEARS, CARRIES], ids=["a subscription", "a channel"])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_event_that_is_not_named_is_no_sound_declaration(
    empty_shop: Shop, site: Any, text: str
) -> None:
    plugin = text.format(event="account.created")
    site.write("guest", plugin)
    with pytest.raises(AddonError) as caught:
        lifecycle.enable(empty_shop, "guest")
    assert "uses={'events': ('account.created',)}" in str(caught.value)
    for named in ("account.created", "account.*", "*"):
        site.write("guest", plugin, fields=fields(events=(named,)))
        assert lifecycle.plan(empty_shop, "enable", "guest").steps


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_its_own_events_an_addon_need_not_name(empty_shop: Shop, site: Any) -> None:
    own = "\n\n@hookimpl\ndef register_events():\n    return [Event('guest.came', 'x', {})]\n"
    text = HEARS.format(event="guest.came").replace("import hookimpl", "import Event, hookimpl")
    site.write("guest", text + own)
    lifecycle.enable(empty_shop, "guest")
    assert [item.event for item in empty_shop.refresh().subscriptions] == ["guest.came"]


@pytest.mark.parametrize("mark", ["", "(optionalhook=True)"])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_hook_of_an_addon_that_is_not_named_is_not_implemented(
    empty_shop: Shop, site: Any, mark: str
) -> None:
    text = f"from bodega_sdk import hookimpl\n@hookimpl{mark}\ndef announce(text): return text\n"
    site.install("ballroom")
    lifecycle.enable(empty_shop, "ballroom")
    site.write("guest", text)
    with pytest.raises(AddonError) as caught:
        lifecycle.enable(empty_shop, "guest")
    assert "it implements 'announce', a hook of ballroom" in str(caught.value)
    assert "uses={'addons': ('ballroom',)}" in str(caught.value)
    site.write("guest", text, fields=fields(addons=("ballroom",)))
    lifecycle.enable(empty_shop, "guest")


# Plans and approval.


def test_a_plan_shows_what_the_addons_use_and_enabling_approves_it(
    empty_shop: Shop, site: Any
) -> None:
    site.write("guest", GUEST, fields=fields(hosts=("points.example",), jobs=("vault.open",)))
    made = lifecycle.plan(empty_shop, "enable", "guest")
    uses = {"hosts": ("points.example",), "jobs": ("vault.open",)}
    assert (made.uses, made.asks) == ({"guest": uses}, {})
    assert json.loads(json.dumps(made.as_json()))["uses"]["guest"]["hosts"] == ["points.example"]
    lifecycle.enable(empty_shop, "guest")
    assert stored("guest") == {"hosts": ["points.example"], "jobs": ["vault.open"]}


def test_what_is_its_own_is_nothing_to_approve(empty_shop: Shop, site: Any) -> None:
    site.write("guest", fields=fields(secrets=("guest.key",), jobs=("guest.work",)))
    lifecycle.enable(empty_shop, "guest")
    assert stored("guest") == {}


def test_an_upgrade_that_asks_for_more_waits_for_approval(
    empty_shop: Shop, site: Any, rebind: Any
) -> None:
    site.write("guest", GUEST, fields=fields(hosts=("points.example",)))
    lifecycle.enable(empty_shop, "guest")
    write_newer(site, GUEST, hosts=("points.example", "spies.example"), addons=("vault",))
    made = lifecycle.plan(empty_shop, "upgrade", "guest")
    assert made.asks == {"guest": {"hosts": ("spies.example",), "addons": ("vault",)}}
    generation = state.read_generation()
    for refused in (
        lambda: lifecycle.apply(empty_shop, "upgrade", "guest"),
        lambda: lifecycle.apply_plan(empty_shop, made.id),
    ):
        with pytest.raises(AddonError) as caught:
            refused()
        told = str(caught.value)
        assert "guest asks for host spies.example, addon vault, which was not approved" in told
        assert "--approve" in told
        assert "points.example" not in told
    assert state.read_generation() == generation
    assert AddonRow.get_by_id("guest").fault is None
    assert state_of(empty_shop, "guest").state == "pending_upgrade"

    lifecycle.apply_plan(empty_shop, made.id, approve=True)
    assert stored("guest") == {"hosts": ["points.example", "spies.example"], "addons": ["vault"]}
    assert state_of(empty_shop, "guest").denied == ()
    rebind()
    with pytest.raises(CapabilityError, match=r"does not name the host 'else.example'"):
        site.module("guest", "plugin").call("https://else.example/")


def test_an_upgrade_that_asks_for_no_more_needs_no_approval(empty_shop: Shop, site: Any) -> None:
    site.write("guest", GUEST, fields=fields(hosts=("*.points.example",), events=("order.*",)))
    lifecycle.enable(empty_shop, "guest")
    write_newer(site, GUEST, hosts=("a.points.example",), events=("order.paid",))
    lifecycle.apply(empty_shop, "upgrade", "guest")
    assert state_of(empty_shop, "guest").state == "enabled"


def test_enabling_anew_is_no_way_around_approval(empty_shop: Shop, site: Any) -> None:
    site.write("guest", GUEST, fields=fields())
    lifecycle.enable(empty_shop, "guest")
    lifecycle.disable(empty_shop, "guest")
    write_newer(site, GUEST, "1.0.0", hosts=("spies.example",))
    with pytest.raises(AddonError, match=r"asks for host spies\.example"):
        lifecycle.enable(empty_shop, "guest")
    lifecycle.apply(empty_shop, "enable", "guest", approve=True)
    assert stored("guest") == {"hosts": ["spies.example"]}


def test_who_is_enabled_along_with_another_is_asked_about_too(empty_shop: Shop, site: Any) -> None:
    site.write("guest", GUEST, fields=fields())
    site.write("friend", fields='depends=("guest",)')
    lifecycle.enable(empty_shop, "friend")
    lifecycle.disable(empty_shop, "guest", cascade=True)
    write_newer(site, GUEST, "1.0.0", hosts=("spies.example",))
    with pytest.raises(AddonError, match="guest asks for host"):
        lifecycle.enable(empty_shop, "friend")


def test_uninstalling_forgets_what_was_approved(empty_shop: Shop, site: Any) -> None:
    site.write("guest", GUEST, fields=fields())
    lifecycle.enable(empty_shop, "guest")
    lifecycle.apply(empty_shop, "purge", "guest")
    write_newer(site, GUEST, hosts=("points.example",))
    lifecycle.enable(empty_shop, "guest")
    assert stored("guest") == {"hosts": ["points.example"]}


# A newer package without an upgrade: what it asks for more is not given.


def test_a_newer_package_gets_nothing_before_it_was_approved(
    guests: Any, empty_shop: Shop, site: Any, rebind: Any
) -> None:
    guests(secrets=("vault.key",))
    write_newer(site, GUEST, "1.0.0", secrets=("vault.key",), jobs=("vault.open",), hosts=("*",))
    site.forget()
    rebind()
    guest = site.module("guest", "plugin")
    assert guest.read("vault.key") == "s3cret"
    for reach in (
        lambda: guest.enqueue("bodega_sample_vault.plugin"),
        lambda: guest.call("https://points.example/"),
    ):
        with pytest.raises(CapabilityError, match="'bodega addons upgrade guest --approve'"):
            reach()
    found = state_of(empty_shop, "guest")
    assert (found.state, found.denied) == ("enabled", ("host *", "job vault.open"))
    lifecycle.apply(empty_shop, "upgrade", "guest", approve=True)
    rebind()
    guest.enqueue("bodega_sample_vault.plugin")
    assert state_of(empty_shop, "guest").denied == ()


def test_a_newer_package_hears_nothing_before_it_was_approved(
    notes_shop: Shop, site: Any, rebind: Any
) -> None:
    site.write("guest", fields=fields())
    lifecycle.enable(notes_shop, "guest")
    heard = HEARS.format(event="note.created")
    carried = CARRIES.format(event="note.created").replace("{{", "{").replace("}}", "}")
    write_newer(site, heard + carried, events=("note.created",))
    site.forget()
    rebind()
    assembly = notes_shop.assembly
    assert "guest" in [addon.name for addon in assembly.addons]
    assert "guest.{id}" not in [item.name for item in assembly.channels]
    publish_note(notes_shop, site)
    Sweeper(notes_shop).sweep()
    assert site.module("guest", "plugin").heard == []

    lifecycle.apply(notes_shop, "upgrade", "guest", approve=True)
    rebind()
    assert "guest.{id}" in [item.name for item in notes_shop.assembly.channels]
    Sweeper(notes_shop).sweep()
    publish_note(notes_shop, site)
    Sweeper(notes_shop).sweep()
    # It begins where it was approved.
    assert site.module("guest", "plugin").heard == ["note.created"]


def publish_note(shop: Shop, site: Any) -> None:
    event: Event = site.module("notes", "writing").note_created
    event.publish("k", {"title": "x"})
    outbox.relay(shop.databases.shop)


def test_the_next_start_upgrades_but_does_not_approve(
    empty_shop: Shop, site: Any, rebind: Any
) -> None:
    site.write("guest", GUEST, fields=fields())
    lifecycle.enable(empty_shop, "guest")
    write_newer(site, GUEST, hosts=("spies.example",))
    site.forget()
    lifecycle.prepare(empty_shop)
    rebind()
    row = AddonRow.get_by_id("guest")
    assert (row.version, row.approved) == ("2.0.0", {})
    assert state_of(empty_shop, "guest").denied == ("host spies.example",)
    with pytest.raises(CapabilityError, match="no operator has approved"):
        site.module("guest", "plugin").call("https://spies.example/")


def test_the_edition_of_a_first_start_is_approved(new_shop: Shop, site: Any) -> None:
    site.install("notes", "pins")
    lifecycle.prepare(new_shop, Edition("test", ("accounts", "notes", "pins")))
    assert stored("pins") == {"events": ["note.created"]}


def test_what_was_installed_before_there_was_approval_is_approved_at_the_next_start(
    empty_shop: Shop, site: Any, rebind: Any
) -> None:
    site.write("guest", GUEST, fields=fields(hosts=("127.0.0.1",)))
    lifecycle.enable(empty_shop, "guest")
    AddonRow.update(approved=None).execute()
    rebind()
    with pytest.raises(FetchFailed):
        site.module("guest", "plugin").call("http://127.0.0.1:1/")
    lifecycle.prepare(empty_shop)
    assert stored("guest") == {"hosts": ["127.0.0.1"]}


def test_code_that_still_runs_during_an_upgrade_keeps_what_it_had(
    empty_shop: Shop, site: Any
) -> None:
    site.write("guest", GUEST, fields=fields(hosts=("old.example",)))
    lifecycle.enable(empty_shop, "guest")
    write_newer(site, GUEST, hosts=("new.example",))
    lifecycle.apply(empty_shop, "upgrade", "guest", approve=True)
    assert stored("guest") == {"hosts": ["old.example", "new.example"]}


def test_a_plan_is_another_when_the_package_asks_for_something_else_meanwhile(
    empty_shop: Shop, site: Any
) -> None:
    site.write("guest", GUEST, fields=fields(hosts=("points.example",)))
    made = lifecycle.plan(empty_shop, "enable", "guest")
    site.write("guest", GUEST, fields=fields(hosts=("*",)))
    with pytest.raises(PlanDrift):
        lifecycle.apply_plan(empty_shop, made.id)


# From outside.


def test_the_examples_of_the_page_run(empty_shop: Shop, site: Any, rebind: Any) -> None:
    page = (Path(__file__).parents[2] / "docs" / "capabilities.md").read_text()
    texts = dict(re.findall(r"```python\n# guide/(\w+).py\n(.*?)```", page, re.DOTALL))
    site.write("guide", texts["plugin"], manifest=texts["manifest"])
    made = lifecycle.plan(empty_shop, "enable", "guide")
    told = capabilities.in_words(made.uses["guide"])
    assert told.startswith("event account.created, host points.example, host *.points.example")
    lifecycle.enable(empty_shop, "guide")
    rebind()
    plugin = site.module("guide", "plugin")
    plugin.on_created(SimpleNamespace(key="ada"))
    assert JobRow.get().payload == {"account": "ada"}
    with pytest.raises(CapabilityError) as caught:
        exec("fetch('https://other.example')", vars(plugin))
    refusal = re.search(r"```text\n(addon 'guide'.*?)\n```", page, re.DOTALL)
    assert refusal is not None
    assert str(caught.value) == refusal[1].replace("\n", " ")


@pytest.mark.slow
def test_the_command_line_shows_refuses_and_approves(
    empty_shop: Shop, site: Any, terminal: Any
) -> None:
    site.write("guest", GUEST, fields=fields(hosts=("points.example",)))
    shown = terminal.run("addons", "enable", "guest", "--plan").stdout
    assert "  * guest uses host points.example" in shown
    assert terminal.run("addons", "enable", "guest").returncode == 0
    write_newer(site, GUEST, hosts=("points.example", "spies.example"))
    listed = terminal.run("addons", "list").stdout
    assert "    not approved: host spies.example" in listed
    assert "Run 'bodega addons upgrade guest --approve'" in listed
    shown = terminal.run("addons", "upgrade", "guest", "--plan").stdout
    assert "  ? guest asks for host spies.example: new, needs --approve" in shown
    refused = terminal.run("addons", "upgrade", "guest")
    assert refused.returncode == 3
    assert "guest asks for host spies.example, which was not approved" in refused.stderr
    done = terminal.run("addons", "upgrade", "guest", "--approve")
    assert done.returncode == 0, done.stderr
    assert "not approved" not in terminal.run("addons", "list").stdout


def test_the_api_shows_refuses_and_approves(shop: Shop, admin: Any, site: Any) -> None:
    site.write("guest", GUEST, fields=fields(hosts=("points.example",)))
    path = "/api/v1/addons/guest"
    shop.refresh()
    planned = admin.post(f"{path}/enable", {"plan": True}).json
    assert planned["uses"] == {"guest": {"hosts": ["points.example"]}}
    assert admin.post(f"{path}/enable", {}).status_code == 200
    write_newer(site, GUEST, hosts=("points.example", "spies.example"))
    site.forget()
    shop.refresh()
    assert admin.get(path).json["denied"] == ["host spies.example"]
    planned = admin.post(f"{path}/upgrade", {"plan": True}).json
    assert planned["asks"] == {"guest": {"hosts": ["spies.example"]}}
    refused = admin.post(f"{path}/upgrade", {"expected": planned["id"]})
    assert refused.status_code == 409
    assert "guest asks for host spies.example" in refused.json["detail"]
    done = admin.post(f"{path}/upgrade", {"expected": planned["id"], "approve": True})
    assert done.status_code == 200, done.json
    assert admin.get(path).json["denied"] == []


@pytest.mark.slow
def test_the_api_approves_through_a_fresh_process_too(
    shop: Shop, admin: Any, site: Any, monkeypatch: pytest.MonkeyPatch, terminal: Any
) -> None:
    for name, value in terminal.environ.items():
        monkeypatch.setenv(name, value)
    site.write("guest", GUEST, fields=fields())
    lifecycle.enable(shop, "guest")
    shop.refresh()
    imported = {name: item for name, item in sys.modules.items() if "sample_guest" in name}
    write_newer(site, GUEST, hosts=("spies.example",))
    sys.modules.update(imported)
    path = "/api/v1/addons/guest/upgrade"
    assert admin.post(path, {}).status_code == 409
    planned = admin.post(path, {"plan": True}).json
    done = admin.post(path, {"expected": planned["id"], "approve": True})
    assert done.status_code == 200, done.json
    assert stored("guest") == {"hosts": ["spies.example"]}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_addons_of_the_house_use_what_their_manifests_say(shop: Shop) -> None:
    for addon in shop.assembly.addons:
        assert list(capabilities.faults(addon)) == []
        assert state_of(shop, addon.name).denied == ()
