"""Breakers: who keeps failing is not called for a while, in every process, and comes back."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from falcon import testing
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bodega.addons import lifecycle
from bodega.addons.listing import AddonState, listing
from bodega.database.tables import AddonRow
from bodega.errors import AddonError
from bodega.follower import Follower
from bodega.hooks import quarantine
from bodega.hooks.breakers import FAILURES, PAUSE, Admission, Breaker, Breakers
from bodega.http.gate import Gate
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk import models
from bodega_sdk.errors import HookFailed, Vetoed
from bodega_sdk.runtime import bound

VETO, PROVIDE, OBSERVE = "ballroom.refuse_guest", "ballroom.choose_seat", "ballroom.guest_arrived"
#: Fails as often as a test tells it to, and counts how often it was called.
MOODY = """
from bodega_sdk import PUBLIC, Route, Routes, hookimpl

mood = {"fails": True, "calls": 0, "meanwhile": lambda: None}


def answer():
    mood["calls"] += 1
    mood["meanwhile"]()
    if mood["fails"]:
        raise ValueError("in a mood")


@hookimpl
def register_routes(routes: Routes) -> None:
    routes.add(Route("GET", "/moody", lambda request: {"ok": True}, PUBLIC, "Say so"))


"""
_IMPLEMENTED = """

@hookimpl
def {}():
    answer()
"""


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


# One breaker.


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("moody", VETO, clock)


def trip(breaker: Breaker) -> None:
    for _ in range(FAILURES):
        breaker.failed(Admission.ORDINARY, "a mood")


def test_it_trips_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    verdicts = [breaker.failed(Admission.ORDINARY, "x") for _ in range(FAILURES)]
    assert verdicts == [False] * (FAILURES - 1) + [True]
    assert breaker.open
    assert breaker.refuses()
    assert breaker.admit() is Admission.REFUSED


def test_a_success_between_failures_begins_the_count_anew(breaker: Breaker) -> None:
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.failed(Admission.ORDINARY, "x")
        breaker.succeeded(Admission.ORDINARY)
    assert not breaker.open


def test_after_a_pause_one_call_is_let_through(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    clock.pass_(PAUSE - 0.1)
    assert breaker.admit() is Admission.REFUSED
    assert breaker.wait == 1
    clock.pass_(0.1)
    assert not breaker.refuses()
    assert breaker.admit() is Admission.TRIAL
    assert breaker.admit() is Admission.REFUSED


def test_a_trial_that_succeeds_ends_it_and_one_that_fails_or_never_returns_does_not(
    breaker: Breaker, clock: Clock
) -> None:
    trip(breaker)
    clock.pass_(PAUSE)
    assert breaker.admit() is Admission.TRIAL  # It never returns.
    clock.pass_(PAUSE)
    failing = breaker.admit()
    assert failing is Admission.TRIAL
    assert not breaker.failed(failing, "x")
    assert breaker.refuses()
    clock.pass_(PAUSE)
    assert breaker.succeeded(breaker.admit())
    assert breaker.admit() is Admission.ORDINARY


def test_a_call_that_began_before_it_tripped_ends_nothing(breaker: Breaker) -> None:
    trip(breaker)
    assert not breaker.succeeded(Admission.ORDINARY)
    assert breaker.open


def test_it_follows_the_database_but_for_what_that_was_not_told_yet(clock: Clock) -> None:
    breakers = Breakers(clock)
    here, there = breakers.of("here", VETO), breakers.of("there", VETO)
    trip(here)
    breakers.follow({("there", VETO): "a mood"}, ["here", "there"])
    assert (here.open, here.recorded) == (True, False)
    assert (there.open, there.recorded, there.reason) == (True, True, "a mood")
    assert breakers.unrecorded() == [here]
    clock.pass_(PAUSE)
    there.succeeded(there.admit())
    breakers.follow({("there", VETO): "a mood"}, ["here", "there"])
    assert not there.open
    assert breakers.unrecorded() == [here, there]
    breakers.follow({}, ["there"])
    assert not here.open
    assert breakers.unrecorded() == []


# A shop with an addon that fails.


class Ball:
    """A shop with ballroom and the addon moody, followed as its processes do."""

    def __init__(self, shop: Shop, site: Any, rebind: Callable[[], None], clock: Clock) -> None:
        self.shop, self.site, self.clock = shop, site, clock
        self.rebind = rebind
        shop.breakers = Breakers(clock)
        site.install("ballroom")

    def moody(self, *hooks: str, name: str = "moody") -> None:
        """Enable an addon that fails in hooks of ballroom."""
        functions = (_IMPLEMENTED.format(hook.partition(".")[2]) for hook in hooks)
        text = MOODY.replace("/moody", f"/{name}") + "".join(functions)
        self.site.write(name, text, fields='depends=("ballroom",)')
        lifecycle.enable(self.shop, name)
        self.rebind()

    def mood(self, name: str = "moody") -> Any:
        """What the addon does, and how often it was called since it was imported."""
        return self.site.module(name, "plugin").mood

    def call(self, hook: str) -> Any:
        """Call a hook of ballroom's."""
        arguments: dict[str, tuple[Any, ...]] = {
            VETO: ("Ada",), PROVIDE: ("Ada", []), OBSERVE: ("Ada", {}),
        }  # fmt: skip
        function = getattr(self.site.module("ballroom", "hookspecs"), hook.partition(".")[2])
        return function(*arguments[hook])

    def fail(self, hook: str, times: int = FAILURES) -> None:
        """Call a hook that fails."""
        for _ in range(times):
            if hook == OBSERVE:
                self.call(hook)
            else:
                with pytest.raises(HookFailed):
                    self.call(hook)

    def follow(self) -> None:
        """Let the process's follower look once, and bind the test to what it finds."""
        Follower(self.shop, "web").step()
        self.rebind()

    def state(self, name: str = "moody") -> AddonState:
        """An addon as it is listed."""
        return next(item for item in listing(self.shop) if item.name == name)


@pytest.fixture
def ball(empty_shop: Any, site: Any, rebind: Any, clock: Clock) -> Ball:
    return Ball(empty_shop, site, rebind, clock)


@dataclass
class Elsewhere:
    """Another process, which has a shop of its own on the same database."""

    shop: Shop
    here: Shop

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Do the block there. Two shops in one process take turns with the models' database."""
        models.database.initialize(self.shop.databases.shop)
        try:
            Follower(self.shop, "web").step()
            with bound(self.shop.current):
                yield
        finally:
            self.shop.databases.close()
            models.database.initialize(self.here.databases.shop)


@pytest.fixture
def elsewhere(settings: Settings, ball: Ball, clock: Clock) -> Elsewhere:
    made = Elsewhere(Shop(settings, connections=3), ball.shop)
    made.shop.breakers = Breakers(clock)
    with made.turn():
        made.shop.refresh()
    return made


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What is logged; unconfigured, structlog would take seconds to draw each traceback."""
    with capture_logs() as found:
        yield found


def refused(hook: str, addon: str = "moody") -> float:
    labels = {"hook": hook, "addon": addon, "outcome": "refused"}
    return REGISTRY.get_sample_value("bodega_hook_calls_total", labels) or 0.0


@pytest.mark.parametrize("hook", [VETO, PROVIDE])
def test_a_quarantined_addon_is_not_called_and_its_closed_hook_answers_503_at_once(
    ball: Ball, hook: str, logs: list[Any]
) -> None:
    ball.moody(hook)
    ball.fail(hook)
    assert [item["addon"] for item in logs if item["event"] == "a hook is quarantined"] == ["moody"]
    before = refused(hook)
    ball.mood()["fails"] = False
    answer = testing.simulate_post(Gate(ball.shop), "/api/v1/ballroom/guests")
    assert (answer.status_code, answer.json["addon"]) == (503, "moody")
    assert answer.headers["Retry-After"] == str(int(PAUSE))
    assert ball.mood()["calls"] == FAILURES
    assert refused(hook) == before + 1
    assert testing.simulate_get(Gate(ball.shop), "/api/v1/moody").status_code == 200


def test_nobody_is_called_while_one_of_them_is_quarantined_in_a_closed_hook(ball: Ball) -> None:
    ball.moody(VETO, name="first")
    ball.moody(VETO, name="second")
    ball.mood("first")["fails"] = False
    ball.fail(VETO, FAILURES + 3)
    assert (ball.mood("first")["calls"], ball.mood("second")["calls"]) == (FAILURES, FAILURES)


def test_an_open_hook_goes_on_without_the_quarantined_one(ball: Ball) -> None:
    ball.moody(OBSERVE, name="first")
    ball.moody(OBSERVE, name="second")
    ball.mood("second")["fails"] = False
    ball.fail(OBSERVE, FAILURES + 3)
    calls = [ball.mood(name)["calls"] for name in ("first", "second")]
    assert calls == [FAILURES, FAILURES + 3]


def test_a_quarantined_veto_never_lets_anything_pass(ball: Ball, elsewhere: Elsewhere) -> None:
    ball.moody(VETO)
    ball.fail(VETO, FAILURES * 3)
    ball.follow()
    ball.fail(VETO, FAILURES)
    with elsewhere.turn():
        ball.fail(VETO, FAILURES)


def test_taking_too_long_several_times_in_a_row_trips_it_too(ball: Ball, logs: list[Any]) -> None:
    ball.moody(VETO)
    ball.mood().update(fails=False, meanwhile=lambda: ball.clock.pass_(0.06))
    for _ in range(FAILURES):
        assert ball.call(VETO) is None
    slow = [item for item in logs if item["event"] == "hook exceeded its budget"]
    assert len(slow) == FAILURES
    assert "took 0.06 s of 0.05 s" in slow[0]["reason"]
    ball.fail(VETO, 1)
    ball.follow()
    assert "took 0.06 s of 0.05 s" in str(ball.state().fault)


def test_who_is_within_the_budget_is_never_slow(ball: Ball) -> None:
    ball.moody(VETO)
    ball.mood().update(fails=False, meanwhile=lambda: ball.clock.pass_(0.049))
    for _ in range(FAILURES * 2):
        ball.call(VETO)
    assert not ball.shop.breakers.of("moody", VETO).open


def test_a_wrapper_is_not_blamed_for_the_time_of_those_it_surrounds(ball: Ball) -> None:
    text = "from bodega_sdk import hookimpl\n@hookimpl(wrapper=True)\ndef refuse_guest():\n"
    ball.site.write("around", f"{text}    return (yield)\n", fields='depends=("ballroom",)')
    lifecycle.enable(ball.shop, "around")
    ball.moody(VETO)
    ball.mood().update(fails=False, meanwhile=lambda: ball.clock.pass_(0.06))
    for _ in range(FAILURES):
        ball.call(VETO)
    assert ball.shop.breakers.of("moody", VETO).open
    assert not ball.shop.breakers.of("around", VETO).open


# All processes.


def test_the_quarantine_is_listed_with_culprit_reason_and_remedy(ball: Ball, terminal: Any) -> None:
    ball.moody(VETO)
    ball.fail(VETO)
    assert ball.state().state == "enabled"
    ball.follow()
    found = ball.state()
    assert found.state == "quarantined"
    assert found.fault is not None
    assert (found.fault.addon, found.fault.culprit) == ("moody", "moody")
    for part in (VETO, f"{FAILURES} times in a row", "ValueError: in a mood", "plugin.py:"):
        assert part in found.fault.reason
    assert "bodega addons retry moody" in found.fault.remedy
    shown = terminal.run("addons", "list").stdout
    assert "quarantined" in shown
    assert "bodega addons disable moody" in shown
    explained = terminal.run("explain", "refuse_guest").stdout
    assert "quarantined: ValueError: in a mood" in explained


def test_what_one_process_finds_out_the_others_follow(ball: Ball, elsewhere: Elsewhere) -> None:
    ball.moody(VETO)
    generation = ball.shop.assembly.generation
    ball.fail(VETO)
    ball.follow()
    assert ball.shop.assembly.generation == generation + 1
    with elsewhere.turn():
        assert elsewhere.shop.assembly.generation == generation + 1
        ball.fail(VETO)
    assert ball.mood()["calls"] == FAILURES


def test_following_writes_once_and_swaps_once(ball: Ball) -> None:
    ball.moody(VETO)
    ball.fail(VETO)
    ball.follow()
    generation = ball.shop.assembly.generation
    for _ in range(3):
        ball.follow()
    assert ball.shop.assembly.generation == generation


def test_a_trial_that_succeeds_ends_the_quarantine_in_every_process(
    ball: Ball, elsewhere: Elsewhere, logs: list[Any]
) -> None:
    ball.moody(VETO)
    ball.fail(VETO)
    ball.follow()
    with elsewhere.turn():
        ball.fail(VETO, 1)
    ball.clock.pass_(PAUSE)
    ball.fail(VETO, 1)
    assert ball.mood()["calls"] == FAILURES + 1
    ball.mood()["fails"] = False
    ball.fail(VETO, 1)
    ball.clock.pass_(PAUSE)
    ball.call(VETO)
    assert [item["event"] for item in logs].count("the quarantine of a hook ended") == 1
    ball.follow()
    assert ball.state().state == "enabled"
    assert quarantine.recorded() == {}
    with elsewhere.turn():
        ball.call(VETO)


@pytest.mark.slow
def test_a_retry_ends_it_in_every_process_at_once(
    ball: Ball, elsewhere: Elsewhere, terminal: Any
) -> None:
    ball.moody(VETO)
    ball.fail(VETO)
    ball.follow()
    with elsewhere.turn():
        ball.fail(VETO, 1)
    ball.mood()["fails"] = False
    done = terminal.run("addons", "retry", "moody")
    assert done.returncode == 0, done.stderr
    assert ball.state().state == "enabled"
    ball.follow()
    ball.call(VETO)
    with elsewhere.turn():
        ball.call(VETO)


def test_disabling_it_takes_its_implementations_out_and_forgets_the_fault(ball: Ball) -> None:
    ball.moody(VETO)
    ball.fail(VETO)
    ball.follow()
    lifecycle.disable(ball.shop, "moody")
    ball.follow()
    ball.call(VETO)
    assert ball.state().state == "disabled"
    assert AddonRow.get_by_id("moody").fault is None
    ball.moody(VETO)
    ball.fail(VETO, 1)
    assert ball.mood()["calls"] == 1


def test_a_breaker_that_trips_while_its_addon_is_being_disabled_leaves_no_trace(
    ball: Ball,
) -> None:
    ball.moody(VETO)
    ball.fail(VETO)
    lifecycle.disable(ball.shop, "moody")
    ball.follow()
    assert AddonRow.get_by_id("moody").fault is None
    assert ball.shop.breakers.unrecorded() == []


def test_two_hooks_of_one_addon_are_quarantined_each_for_itself(ball: Ball) -> None:
    ball.moody(VETO, PROVIDE)
    ball.fail(VETO)
    ball.follow()
    ball.mood()["fails"] = False
    assert ball.call(PROVIDE) is None
    ball.mood()["fails"] = True
    ball.fail(PROVIDE)
    ball.follow()
    assert {hook for _, hook in quarantine.recorded()} == {VETO, PROVIDE}
    ball.mood()["fails"] = False
    ball.clock.pass_(PAUSE)
    ball.call(VETO)
    ball.follow()
    assert {hook for _, hook in quarantine.recorded()} == {PROVIDE}
    assert ball.state().state == "quarantined"


def test_a_refused_upgrade_of_an_enabled_addon_is_no_quarantine(ball: Ball) -> None:
    ball.moody(VETO)
    told = {"culprit": "moody", "reason": "a migration failed", "remedy": "Mend it"}
    AddonRow.update(fault=told).where(AddonRow.name == "moody").execute()
    assert quarantine.recorded() == {}
    assert ball.state().state == "enabled"


def test_a_quarantine_survives_a_follower_that_cannot_write(ball: Ball) -> None:
    ball.moody(VETO)
    ball.fail(VETO)
    database = ball.shop.databases.shop
    database.execute_sql("ALTER TABLE bodega_addon RENAME TO bodega_addon_away")
    follower = Follower(ball.shop, "web")
    with pytest.raises(Exception, match="bodega_addon"):
        follower.step()
    database.execute_sql("ALTER TABLE bodega_addon_away RENAME TO bodega_addon")
    assert ball.shop.breakers.unrecorded() != []
    ball.follow()
    assert ball.state().state == "quarantined"


def test_an_exception_that_no_database_can_hold_is_recorded(ball: Ball) -> None:
    ball.moody(VETO)
    file = ball.site.package("moody") / "plugin.py"
    ball.site.write(
        "moody", file.read_text().replace('"in a mood"', '"\\0 \\ud800"'),
        fields='depends=("ballroom",)',
    )  # fmt: skip
    ball.rebind()
    ball.fail(VETO)
    ball.follow()
    assert "\ufffd ?" in str(ball.state().fault)


def test_only_an_enabled_addon_is_retried(ball: Ball) -> None:
    with pytest.raises(AddonError, match="is not enabled"):
        lifecycle.retry(ball.shop, "moody")


def test_a_veto_that_is_in_order_again_still_forbids(ball: Ball) -> None:
    ball.site.write(
        "strict", "from bodega_sdk import hookimpl\n@hookimpl\ndef refuse_guest(): return 'No.'\n",
        fields='depends=("ballroom",)',
    )  # fmt: skip
    lifecycle.enable(ball.shop, "strict")
    ball.moody(VETO)
    ball.fail(VETO)
    ball.mood()["fails"] = False
    ball.clock.pass_(PAUSE)
    for _ in range(2):
        with pytest.raises(Vetoed, match="strict forbids it"):
            ball.call(VETO)
    assert ball.mood()["calls"] == FAILURES + 2


def test_administrators_see_hooks_and_quarantines_through_the_api(ball: Ball) -> None:
    from bodega_sdk.testing.deployment import ADMIN

    ball.moody(VETO)
    ball.fail(VETO)
    ball.follow()
    gate = Gate(ball.shop)
    login = {"email": ADMIN[0], "password": ADMIN[1]}
    token = testing.simulate_post(gate, "/api/v1/auth/login", json=login).json["access"]
    held = {"Authorization": f"Bearer {token}"}
    listed = testing.simulate_get(gate, "/api/v1/hooks", headers=held).json
    owners = [item["name"].partition(".")[0] for item in listed["results"]]
    assert owners == ["accounts", *["ballroom"] * 4]
    one = testing.simulate_get(gate, f"/api/v1/hooks/{VETO}", headers=held).json
    assert one["kind"] == "veto"
    assert one["chain"][0]["addon"] == "moody"
    assert "in a mood" in one["chain"][0]["quarantined"]
    addon = testing.simulate_get(gate, "/api/v1/addons/moody", headers=held).json
    assert (addon["state"], addon["fault"]["culprit"]) == ("quarantined", "moody")
    assert testing.simulate_get(gate, "/api/v1/hooks/none", headers=held).status_code == 404
    assert testing.simulate_get(gate, "/api/v1/hooks").status_code == 401


# Real processes.

ON_COMMAND = """
from pathlib import Path

from bodega_sdk import hookimpl

FOLDER = Path({folder!r})


@hookimpl
def refuse_guest():
    with (FOLDER / "calls").open("a") as file:
        file.write(".")
    if (FOLDER / "fails").exists():
        raise ValueError("in a mood")
"""


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_web_workers_quarantine_together_serve_the_rest_and_recover_together(
    site: Any, deployment: Any, tmp_path: Path
) -> None:
    calls, fails = tmp_path / "calls", tmp_path / "fails"
    fails.touch()
    site.install("ballroom")
    text = ON_COMMAND.format(folder=str(tmp_path))
    site.write("moody", text, fields='depends=("ballroom",)')
    deployment.up()
    assert deployment.command("addons", "enable", "moody").returncode == 0

    def come_in() -> tuple[int, Any]:
        status, body, _ = deployment.call("POST", "/api/v1/ballroom/guests")
        return status, body

    def quarantined() -> bool:
        assert come_in()[0] == 503
        return "in a mood" in deployment.command("addons", "list").stdout

    deployment.wait_until(quarantined)
    # Every process follows the generation within a second.
    time.sleep(2)
    called = calls.stat().st_size
    for _ in range(30):
        status, body = come_in()
        assert (status, body["addon"]) == (503, "moody")
        assert deployment.get("/api/v1/ballroom/guests") == (200, {"guests": 0})
    assert calls.stat().st_size == called
    assert "a hook is quarantined" in (tmp_path / "up-0.log").read_text()
    told = deployment.get("/metrics")[1]
    assert 'addon="moody",hook="ballroom.refuse_guest",outcome="refused"' in told
    fails.unlink()
    done = deployment.command("addons", "retry", "moody")
    assert done.returncode == 0, done.stderr
    assert {come_in()[0] for _ in range(30)} == {200}
