"""A load on a running shop, in a process of its own: clients that read, write and listen.

    python load.py '{"port": 8000, "realtime_port": 8001, "token": "…", "roles": {"read": 3}}'

``roles`` says how many clients do what, ``below`` where those that read stay (everywhere when
left out), ``slower`` how many times longer than usual all of them pause. Says ``ready`` when it
knows every address, runs until its standard input ends, then prints what it saw as JSON. It is
paced: a late answer does not delay the calls due after it.
"""

import http.client
import itertools
import json
import random
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

#: What a client meets that sends on a connection which the server has just closed.
CLOSED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)
#: What the shop serves beside the routes of its OpenAPI document.
PAGES = (
    "/", "/api/schema", "/api/docs", "/api/redoc", "/api/problems/not-found", "/metrics",
    "/.well-known/jwks.json", "/health", "/health/live", "/health/ready", "/health/detailed",
)  # fmt: skip
#: What is rationed even for staff, since a provider is asked: read once, not over and over.
RATIONED = "/api/v1/payments/usage"
#: Nothing has this id or name.
NOBODY = "00000000-0000-7000-8000-000000000000"
BED = "soak"
#: Begin of the address of things → the list that shows them, and the member that they go by.
LISTED = {"/api/v1/media": ("/api/v1/media/images", "hash")}
#: Calls on one connection; then another, perhaps to another process.
_LIFE = 40
_NUMBERS = itertools.count()


@dataclass
class Seen:
    """What the load saw; lists only grow, so that threads need no lock."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    heights: dict[str, int] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)
    renewed: list[float] = field(default_factory=list)
    events: list[tuple[int, int]] = field(default_factory=list)
    socket: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Slowly:
    """A body that is sent piece by piece, so that its request is under way for a while."""

    data: bytes
    seconds: float

    def __iter__(self) -> Iterator[bytes]:
        pieces = 10
        size = -(-len(self.data) // pieces)
        for start in range(0, len(self.data), size):
            time.sleep(self.seconds / pieces)
            yield self.data[start : start + size]


@dataclass
class Caller:
    """A client that keeps its connection, as all of them do.

    Args:
        due: when the next call should be sent.
    """

    port: int
    token: str
    seen: Seen
    due: float = 0.0
    calls: int = 0
    number: int = 0
    _connection: http.client.HTTPConnection | None = None

    def call(
        self, method: str, path: str, body: Any = None, *, route: str = "", expected: int = 200
    ) -> tuple[int, Any]:
        """Call the shop and write down what came of it."""
        began = time.monotonic()
        timing = {"at": began, "late": max(0.0, began - self.due) if self.due else 0.0}
        answer, text, again = self._send(method, path, body)
        timing["seconds"] = time.monotonic() - began
        status = answer.status if answer else 0
        media = (answer.getheader("Content-Type", "") if answer else "").partition(";")[0]
        generation = answer.getheader("X-Assembly-Generation", "0") if answer else "0"
        found = json.loads(text) if media.endswith("json") else text.decode(errors="replace")
        self.seen.answers.append(
            timing | {
                "method": method, "route": route or path, "status": status, "media": media,
                "expected": expected, "again": again, "connection": self.number,
                "generation": int(generation), "told": "" if status == expected else found,
                "code": found.get("code", "") if isinstance(found, dict) else "",
            }
        )  # fmt: skip
        return status, found

    def _send(self, method: str, path: str, body: Any) -> tuple[Any, bytes, bool]:
        """Return the answer, its body, and whether a connection was lost; None if two were."""
        for again in (False, True):
            kept = self._keep()
            try:
                return *self._exchange(method, path, body), again
            except (http.client.HTTPException, OSError) as error:
                self._drop()
                lost = type(error).__name__.encode()
                # Once more, and only if nothing was answered on an old one: those end some day.
                if not (kept and isinstance(error, CLOSED)):
                    break
        return None, lost, True

    def _keep(self) -> bool:
        """Have a connection; True if it is an old one, which looked alive just now."""
        self.calls += 1
        if self.calls % _LIFE == 0:
            self._drop()
        if self._connection is not None and self._connection.sock is not None:
            if not select.select([self._connection.sock], [], [], 0)[0]:
                return True
            self.seen.renewed.append(time.monotonic())
            self._drop()
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.number = next(_NUMBERS)
        return False

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _exchange(self, method: str, path: str, body: Any) -> tuple[Any, bytes]:
        assert self._connection is not None
        headers = {"Authorization": f"Bearer {self.token}"}
        if isinstance(body, Slowly):
            headers |= {"Content-Type": "text/csv", "Content-Length": str(len(body.data))}
        elif body is not None:
            headers["Content-Type"], body = "application/json", json.dumps(body).encode()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        try:
            return answer, answer.read()
        except OSError as error:
            raise http.client.IncompleteRead(b"") from error


Step = Iterator[None]


def tour(caller: Caller) -> list[tuple[str, str, int]]:
    """Return every address that can be read: its template, a real path and its status now."""
    _, document = caller.call("GET", "/api/schema")
    found = [(item, _real(caller, item)) for item, has in document["paths"].items() if "get" in has]
    paths = [*found, *((page, page) for page in PAGES)]
    return [(item, path, caller.call("GET", path)[0]) for item, path in paths]


def _real(caller: Caller, template: str) -> str:
    """Fill a template with what the list before each parameter shows first."""
    before, brace, rest = template.partition("/{")
    if not brace:
        return template
    name, _, rest = rest.partition("}")
    place, member = LISTED.get(before, (before, name))
    # Of some things there are items but no list.
    results = caller.call("GET", place)[1].get("results")
    return _real(caller, f"{before}/{results[0][member] if results else NOBODY}{rest}")


def read(caller: Caller, addresses: list[tuple[str, str, int]]) -> Step:
    """Read every address, over and over, each client beginning elsewhere."""
    addresses = [address for address in addresses if address[0] != RATIONED]
    begin = next(_NUMBERS) * 7 % len(addresses)
    for template, path, status in itertools.cycle(addresses[begin:] + addresses[:begin]):
        caller.call("GET", path, route=template, expected=status)
        yield


def write(caller: Caller, addresses: list[tuple[str, str, int]]) -> Step:
    """Make, change and delete products, categories and accounts; log in."""
    for number in itertools.count():
        mark = f"{next(_NUMBERS)}-{number}"
        product = {"name": f"Load {mark}", "sku": f"load-{mark}", "price": "4.20"}
        yield from _life(caller, "/api/v1/products", product, {"price": "4.30"})
        for path in ("categories", "tags", "wishlists"):
            names = {"name": f"C {mark}"}, {"name": f"D {mark}"}
            yield from _life(caller, f"/api/v1/{path}", *names)
        yield from _life(caller, "/api/v1/reviews", *_review(caller))
        if number % 5:
            continue
        person = {"email": f"load-{mark}@example.com", "password": f"a long one {mark}"}
        yield from _life(caller, "/api/v1/users", person, {"first_name": "Ada"})
        caller.call("POST", "/api/v1/auth/login", LOGIN)
        yield


def _review(caller: Caller) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a review of what the shop has had from the beginning, and how it is changed."""
    status, product = caller.call("GET", "/api/v1/products/first")
    assert status == 200, product
    return {"product": product["id"], "rating": 4}, {"text": "Still good."}


LOGIN: dict[str, str] = {}


def _life(caller: Caller, path: str, made: dict[str, str], changed: dict[str, str]) -> Step:
    status, row = caller.call("POST", path, made, expected=201)
    yield
    if status != 201:
        return
    item, route = f"{path}/{row['id']}", f"{path}/{{id}}"
    for method, body, expected in (
        ("GET", None, 200), ("PATCH", changed, 200), ("PUT", made | changed, 200),
        ("DELETE", None, 204),
    ):  # fmt: skip
        caller.call(method, item, body, route=route, expected=expected)
        yield


def upload(caller: Caller, addresses: list[tuple[str, str, int]]) -> Step:
    """Import small files, every other one over a slow line, and look how far they are."""
    for number in itertools.count():
        rows = "".join(f"file-{number}-{row},Row {row},1.50\n" for row in range(20))
        file = Slowly(f"sku,name,price\n{rows}".encode(), number % 2 * 1.5)
        status, run = caller.call("POST", "/api/v1/imports", file, expected=202)
        if status == 202:
            caller.seen.imports.append(run["id"])
        yield
        if status != 202:
            continue
        for _ in range(3):
            caller.call("GET", f"/api/v1/imports/{run['id']}", route="/api/v1/imports/{id}")
            yield


def plant(caller: Caller, addresses: list[tuple[str, str, int]]) -> Step:
    """Plant sprouts, taller and taller, and write notes."""
    path = "/api/v1/growing/sprouts"
    for height in itertools.count():
        status, row = caller.call("POST", path, {"bed": BED, "height": height}, expected=201)
        if status == 201:
            caller.seen.heights[row["id"]] = height
        yield
        if status != 201:
            continue
        note = {"note": f"note {height}"}
        for method, body in (("PATCH", note), ("GET", None)):
            caller.call(method, f"{path}/{row['id']}", body, route=f"{path}/{{id}}")
            yield


@dataclass
class Listener:
    """A WebSocket client that follows one bed and resumes where it was."""

    address: str
    token: str
    seen: Seen
    stopping: threading.Event
    offset: int | None = None
    epoch: str = ""

    def run(self) -> None:
        """Listen until the end; come back after every farewell."""
        while not self.stopping.is_set():
            try:
                with connect(
                    self.address, proxy=None, compression=None,
                    additional_headers={"Authorization": f"Bearer {self.token}"},
                ) as socket:  # fmt: skip
                    self._follow(socket)
            except ConnectionClosed as end:
                self._note("closed", code=end.rcvd.code if end.rcvd else 1006)
            except (OSError, InvalidHandshake) as error:
                self._note("refused", reason=type(error).__name__)
            time.sleep(0.2)

    def _follow(self, socket: ClientConnection) -> None:
        self._subscribe(socket)
        while not self.stopping.is_set():
            with suppress(TimeoutError):
                self._take(socket, json.loads(socket.recv(timeout=0.2)))

    def _subscribe(self, socket: ClientConnection) -> None:
        place = {} if self.offset is None else {"offset": self.offset, "epoch": self.epoch}
        socket.send(json.dumps({"type": "subscribe", "channel": f"growing.{BED}", **place}))

    def _take(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        match message["type"]:
            case "event":
                self.offset = message["offset"]
                self.seen.events.append((message["offset"], message["data"]["height"]))
            case "subscribed":
                self._note("subscribed", recovered=message["recovered"], first=not self.epoch)
                if self.offset is None:
                    self.offset = message["offset"]
                self.epoch = message["epoch"]
            case "unsubscribed" | "error":
                self._note(**message)
                time.sleep(0.2)
                self._subscribe(socket)

    def _note(self, type: str, **members: Any) -> None:
        self.seen.socket.append({"at": time.monotonic(), "type": type, **members})


#: What a client can be, and the seconds between two of its calls.
ROLES: dict[str, tuple[Callable[..., Step], float]] = {
    "read": (read, 0.06),
    "visit": (read, 1.5),
    "write": (write, 0.08),
    "upload": (upload, 0.3),
    "plant": (plant, 0.1),
}


def pace(caller: Caller, steps: Step, pause: float, stopping: threading.Event) -> None:
    """Take steps at their times until the end; one that is late does not move the others."""
    # Clients that kept step with one another would meet at every turn.
    chance = random.Random(caller.calls)
    caller.due = time.monotonic() + pause * chance.random()
    for _ in steps:
        # Far behind there is no catching up: it would be a burst that nobody asked for.
        wait = pause * chance.uniform(0.5, 1.5)
        caller.due = max(caller.due + wait, time.monotonic() - 1)
        if stopping.wait(max(0.0, caller.due - time.monotonic())):
            return


def main() -> None:
    """Run the clients."""
    told = json.loads(sys.argv[1])
    LOGIN.update(told.get("login", {}))
    seen, calling, listening = Seen(), threading.Event(), threading.Event()
    below = tuple(told.get("below", ("/",)))
    found = tour(Caller(told["port"], told["token"], Seen()))
    addresses = [address for address in found if address[0].startswith(below)]
    threads = []
    for name, clients in told["roles"].items():
        role, pause = ROLES[name]
        pause *= told.get("slower", 1)
        for _ in range(clients):
            caller = Caller(told["port"], told["token"], seen, calls=len(threads))
            steps = role(caller, addresses)
            threads.append(threading.Thread(target=pace, args=(caller, steps, pause, calling)))
    address = f"ws://127.0.0.1:{told.get('realtime_port')}/ws"
    listener = threading.Thread(target=Listener(address, told["token"], seen, listening).run)
    if told.get("realtime_port"):
        listener.start()
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    calling.set()
    for thread in threads:
        thread.join()
    if told.get("realtime_port"):
        time.sleep(3)  # What was published last is on its way.
        listening.set()
        listener.join()
    json.dump(vars(seen) | {"tour": addresses}, sys.stdout)


if __name__ == "__main__":
    main()
