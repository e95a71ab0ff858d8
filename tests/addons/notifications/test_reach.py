"""Where people's own targets may lead: to nothing in the shop's own network."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bodega.database.tables import JobRow
from bodega_notifications import addressing, api
from bodega_notifications.models import Delivery, Target
from bodega_sdk import now, uuid7

TARGETS = "/api/v1/notifications/targets"
PUSH = {"import.failed": {"channels": {"push": True}}}


class Canary:
    """A port of this machine that nobody may connect to."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self.connections = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.connections += 1
            connection.close()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    found = Canary()
    yield found
    found.stop()


#: Hosts that are this machine, a neighbour or a cloud's own, however they are written.
HOSTS = (
    "127.0.0.1", "localhost", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001",
    "0x7f.1", "017700000001", "127.0.0.1.", "LOCALHOST", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fc00::1]",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "255.255.255.255",
)  # fmt: skip
#: Services that are told which server to connect to, or that are none of ours.
SCHEMES = (
    "ntfy://{}/topic", "ntfys://{}/topic", "gotify://{}/AAAAAAAAAAAAAAA", "xml://{}", "form://{}",
    "mmost://{}/aaaaaaaaaaaaaaaaaaaaaaaa", "rocket://user:pass@{}/#general", "matrix://u:p@{}/#a",
    "syslog://", "rsyslog://{}", "mailto://u:p@{}?smtp={}", "apprise://{}/token", "amqp://u:p@{}",
    "signal://{}/15551234567/15551234568", "kodi://{}", "ncloud://u:p@{}/u", "hassio://{}/token",
    "irc://{}/#a", "file:///etc/passwd", "http://{}", "https://{}", "ftp://{}", "gopher://{}", "",
    "json://", "json", "://", "slack://nothing", "javascript:alert(1)",
)  # fmt: skip


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_no_target_leads_into_the_shops_own_network(vera: Any, canary: Canary) -> None:
    urls = [f"{scheme}://{host}:{canary.port}/x" for host in HOSTS for scheme in ("json", "jsons")]
    place = f"127.0.0.1:{canary.port}"
    urls += [form.replace("{}", place) for form in SCHEMES]
    taken = [
        url for url in urls
        if vera.client.post(TARGETS, {"name": "x", "url": url}).status_code != 422
    ]  # fmt: skip
    assert taken == []
    assert canary.connections == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_got_in_by_another_way_is_not_sent_there_either(
    vera: Any, canary: Canary, jobs: Any
) -> None:
    vera.prefer(types=PUSH)
    place = f"127.0.0.1:{canary.port}"
    urls = [
        *(f"json://{host}:{canary.port}/x" for host in HOSTS),
        *(form.replace("{}", place) for form in SCHEMES),
    ]
    for url in urls:
        key = uuid7()
        sealed = addressing.sealed(key, url)
        Target.create(id=key, account=vera.id, name="x", service="x", url=sealed)
    api.notify([vera.id], "import.failed", {})
    jobs.run_all(failures=True)
    assert canary.connections == 0
    pushed = Delivery.select().where(Delivery.channel == "push")
    assert pushed.count() == len(urls)
    assert {row.status for row in pushed} <= {"failed", "queued"}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_public_hosts_and_services_of_their_own_are_let_in(vera: Any) -> None:
    for url in (
        "json://1.1.1.1/hook", "jsons://user:pass@9.9.9.9:8443/hook",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
        "pover://jcqgyadavijnmnqvqvzstrbdgnhfzx@akfrqxpqpyrpaykcqcsgpxbchfkmwv",
        "pbul://a6k4FPLlaTOmyLDqzXNuTeUI3zB8hqkE",
    ):  # fmt: skip
        vera.client.post(TARGETS, {"name": "x", "url": url}).expect(201)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "knob", ["verify=no", "redirect=yes", "rto=9999", "cto=9999", "retry=99", "wait=99"]
)
def test_nobody_says_how_long_this_shop_tries_or_whom_it_trusts(vera: Any, knob: str) -> None:
    url = f"tgram://123456789:abcdefg_hijklmnop/12315544/?{knob}"
    answer = vera.client.post(TARGETS, {"name": "x", "url": url}).expect(422)
    assert knob.partition("=")[0] in answer["errors"][0]["message"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_operator_cannot_let_in_services_that_look_around_by_mistake(
    vera: Any, set_to: Any, canary: Canary
) -> None:
    set_to("personal_services", "json ntfy gotify")
    url = f"ntfy://127.0.0.1:{canary.port}/topic"
    answer = vera.client.post(TARGETS, {"name": "x", "url": url}).expect(422)
    assert "a server that its address names" in answer["errors"][0]["message"]
    url = "tgram://123456789:abcdefg_hijklmnop/12315544/"
    assert "only: json, ntfy, gotify" in vera.client.post(
        TARGETS, {"name": "x", "url": url}
    ).expect(422)["errors"][0]["message"]  # fmt: skip


PUBLIC = "93.184.216.34"


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Names of the internet → addresses; what is connected to there is a sink of this machine."""
    names: dict[str, str] = {"hooks.example": PUBLIC}

    def look_up(host: str, port: int, *rest: Any, **options: Any) -> Any:
        address = names.get(host, host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


def lead(monkeypatch: pytest.MonkeyPatch, sink: Any) -> None:
    """Let the internet's address lead to a sink."""
    dial = socket.create_connection

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        return dial(("127.0.0.1", sink.port) if address[0] == PUBLIC else address, timeout)

    monkeypatch.setattr(socket, "create_connection", connect)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_public_host_gets_what_apprise_would_send(
    vera: Any, jobs: Any, sink: Any, internet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(monkeypatch, sink)
    vera.prefer(types=PUSH)
    url = "json://ada:secret@hooks.example:8080/hook/s3cret?method=GET&+X-Evil=1"
    vera.client.post(TARGETS, {"name": "x", "url": url}).expect(201)
    sink.answers = [302]
    api.notify([vera.id], "import.failed", {"filename": "a.csv"})
    jobs.run_all(failures=True)
    (row,) = vera.sent("push")
    assert (row.status, row.error) == ("queued", "hooks.example answered 302")
    JobRow.update(run_at=now()).where(JobRow.status == "queued").execute()
    jobs.run_all()
    (taken,) = sink.taken
    assert (taken["path"], taken["title"], taken["type"]) == (
        "/hook/s3cret", "a.csv could not be imported", "info",
    )  # fmt: skip
    assert vera.sent("push")[0].status == "sent"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_name_that_means_this_machine_a_moment_later_gets_nothing(
    vera: Any, jobs: Any, canary: Canary, internet: Any
) -> None:
    vera.prefer(types=PUSH)
    url = f"json://hooks.example:{canary.port}/s3cret"
    vera.client.post(TARGETS, {"name": "x", "url": url}).expect(201)
    internet["hooks.example"] = "127.0.0.1"
    api.notify([vera.id], "import.failed", {})
    jobs.run_all(failures=True)
    assert canary.connections == 0
    (row,) = vera.sent("push")
    assert (row.status, row.error) == ("failed", "hooks.example is no public host")
    refused = vera.client.post(TARGETS, {"name": "x", "url": url}).expect(422)
    assert "not on the internet" in refused["errors"][0]["message"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_operators_read_of_a_failure_holds_no_token(
    vera: Any, jobs: Any, internet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(address: Any, timeout: float) -> Any:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(socket, "create_connection", refuse)
    vera.prefer(types=PUSH)
    url = "json://hooks.example/s3cret"
    vera.client.post(TARGETS, {"name": "x", "url": url}).expect(201)
    api.notify([vera.id], "import.failed", {})
    jobs.run_all(failures=True)
    (row,) = vera.sent("push")
    assert row.error == "hooks.example: nobody there"
    assert not JobRow.select().where(JobRow.error.contains("s3cret")).exists()
