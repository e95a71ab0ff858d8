"""Services: a thread in every worker, begun anew on every change, drained like jobs."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bodega import operator_settings
from bodega.addons import lifecycle
from bodega.errors import AddonError
from bodega.jobs.services import Services

SERVICE = """
import threading
from bodega_sdk import Service, hookimpl, setting

runs, told, held = [], [], threading.Event()


def serve(service):
    runs.append(setting("bell.tone"))
    while not service.wait(0.01):
        pass
    told.append(service.stopping)
    if held.is_set():
        threading.Event().wait(1.0)


@hookimpl
def register_services():
    return [Service("bell.ringer", serve)]
"""
RAISES = """
import time
from bodega_sdk import Service, hookimpl

began, steady = [], []


def fail(service):
    began.append(time.monotonic())
    raise SystemExit("always")


def stay(service):
    steady.append(service.wait(60))


@hookimpl
def register_services():
    return [Service("bell.failing", fail), Service("bell.steady", stay)]
"""
RETURNS = """
from bodega_sdk import Service, hookimpl

runs = []


@hookimpl
def register_services():
    return [Service("bell.short", lambda service: runs.append(1))]
"""
FIELDS = "settings=(__import__('bodega_sdk').Setting('tone', int, default=1, help='How high'),)"


def wait_until(true: Callable[[], bool], timeout: float = 15) -> None:
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def services(empty_shop: Any) -> Iterator[Services]:
    """The services of a worker, as its follower knows them."""
    found = Services(empty_shop, first_wait=0.05)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def ring(empty_shop: Any, site: Any, services: Services) -> Callable[[str], Any]:
    """Install an addon with services and have the worker follow; return its plugin."""

    def installed(plugin: str) -> Any:
        site.write("bell", plugin, fields=FIELDS)
        lifecycle.enable(empty_shop, "bell")
        follow(empty_shop, services)
        return site.module("bell", "plugin")

    return installed


def follow(shop: Any, services: Services) -> None:
    """Do what the follower of a worker does when the generation has grown."""
    shop.refresh()
    services.follow()


def test_a_service_runs_while_its_addon_is_enabled(
    empty_shop: Any, services: Services, ring: Any
) -> None:
    bell = ring(SERVICE)
    wait_until(lambda: bell.runs == [1])
    assert services.running == ["bell.ringer"]
    lifecycle.disable(empty_shop, "bell")
    follow(empty_shop, services)
    wait_until(lambda: services.running == [])
    assert (bell.runs, bell.told) == ([1], [True])
    wait_until(lambda: empty_shop.draining == 0)


def test_a_service_that_does_not_return_is_work_in_flight_until_it_does(
    empty_shop: Any, services: Services, ring: Any
) -> None:
    bell = ring(SERVICE)
    wait_until(lambda: bell.runs == [1])
    bell.held.set()
    lifecycle.disable(empty_shop, "bell")
    follow(empty_shop, services)
    wait_until(lambda: bell.told == [True])
    assert empty_shop.draining == 1
    wait_until(lambda: empty_shop.draining == 0)


def test_a_service_begins_anew_with_a_setting_that_changed(
    empty_shop: Any, services: Services, ring: Any
) -> None:
    bell = ring(SERVICE)
    wait_until(lambda: bell.runs == [1])
    operator_settings.change(empty_shop, "bell.tone", 5)
    follow(empty_shop, services)
    wait_until(lambda: bell.runs == [1, 5])
    assert bell.told == [True]
    assert services.running == ["bell.ringer"]
    wait_until(lambda: empty_shop.draining == 0)


def test_a_service_that_raises_is_begun_anew_slower_and_slower_and_harms_no_other(
    services: Services, ring: Any
) -> None:
    bell = ring(RAISES)
    wait_until(lambda: len(bell.began) == 4)
    gaps = [after - before for before, after in zip(bell.began, bell.began[1:], strict=False)]
    assert gaps[0] >= 0.05
    assert gaps[1] >= 0.1
    assert gaps[2] >= 0.2
    assert "bell.steady" in services.running
    assert bell.steady == []


def test_a_service_that_returns_is_done_until_the_shop_changes(
    empty_shop: Any, services: Services, ring: Any
) -> None:
    bell = ring(RETURNS)
    wait_until(lambda: services.running == [] and bell.runs == [1])
    services.follow()
    time.sleep(0.7)
    assert bell.runs == [1]
    operator_settings.change(empty_shop, "bell.tone", 5)
    follow(empty_shop, services)
    wait_until(lambda: bell.runs == [1, 1])


def test_a_worker_that_stops_tells_its_services_and_waits_for_them(
    empty_shop: Any, ring: Any, services: Services
) -> None:
    bell = ring(SERVICE)
    wait_until(lambda: bell.runs == [1])
    services.tell()
    wait_until(lambda: bell.told == [True])
    services.stop()
    assert services.running == []
    assert not [item for item in threading.enumerate() if item.name.startswith("service-")]


def test_a_service_acts_under_its_own_name_with_the_shop_bound(
    services: Services, ring: Any
) -> None:
    bell = ring(
        "from bodega_sdk import Service, audit, hookimpl, transaction\n"
        "seen = []\n"
        "def serve(service):\n"
        "    from bodega.security.callers import caller\n"
        "    with transaction(): seen.append(caller().actor)\n"
        "@hookimpl\n"
        "def register_services(): return [Service('bell.who', serve)]\n"
    )
    wait_until(lambda: bell.seen == ["service:bell.who"])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("made", "fault"),
    [
        ("Service('other.ringer', print)", r"service 'other.ringer' must begin with 'bell\.'"),
        ("Service('bell.a', print), Service('bell.a', print)", "service bell.a is declared twice"),
        ("Service('bell.a', None)", "service 'bell.a': what it runs is no function"),
        ("print", "register_services: expected Service, found"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(
    empty_shop: Any, site: Any, made: str, fault: str
) -> None:
    site.write(
        "bell",
        "from bodega_sdk import Service, hookimpl\n"
        f"@hookimpl\ndef register_services(): return [{made}]\n",
    )
    with pytest.raises(AddonError, match=fault):
        lifecycle.enable(empty_shop, "bell")
