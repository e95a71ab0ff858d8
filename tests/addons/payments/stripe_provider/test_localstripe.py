"""A second witness: localstripe, which we did not write, in a process of its own (GPL-3).

What it lacks (confirming with a method, ``amount_received``, idempotency, declines of test cards
when they are confirmed) is not asked of it. Where both can answer, it and our own Stripe must
answer the real library the same.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import Request, urlopen

import pytest

from bodega_manifests.payments import addon_manifest
from bodega_payments.providers import BadSignature, IntentRequest
from bodega_payments.stripe_provider import reading, webhooks
from bodega_payments.stripe_provider.provider import StripeProvider
from bodega_sdk.capabilities import Grant
from bodega_sdk.runtime import bound
from fake_stripe.server import KEY, FakeStripe

pytestmark = pytest.mark.slow
SECRET = "whsec_local"  # Of a process that ends with the test.


@pytest.fixture(scope="module")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a localstripe that knows nothing yet."""
    if find_spec("localstripe") is None:
        pytest.fail("localstripe is missing: pip install -e '.[test]' installs it for these tests")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("localstripe")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localstripe", "--from-scratch", "--port", str(port)],
            stdout=log, stderr=log, cwd=folder, env=os.environ | {"TMPDIR": str(folder)},
        )  # fmt: skip
    try:
        _wait_for(port, process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"localstripe does not start:\n{log.read_text()[-2000:]}")


def provider_at(base: str) -> StripeProvider:
    return StripeProvider(KEY, (SECRET,), base, pause=0.001)


@pytest.fixture(autouse=True)
def at_work() -> Iterator[None]:
    """What is called works for the addon."""
    grant = Grant("payments", addon_manifest().uses)
    runtime: Any = SimpleNamespace(grant=lambda: grant)
    with bound(runtime):
        yield


class Journeys:
    """The same journeys by the real library, whichever Stripe answers."""

    def __init__(self, base: str) -> None:
        self.provider = provider_at(base)
        self.calls = self.provider._calls
        self.told: list[object] = []

    def tell(self, found: dict[str, Any]) -> dict[str, Any]:
        """Note what both can answer."""
        kept = ("object", "status", "amount", "currency", "metadata", "type", "livemode")
        self.told.append({name: found[name] for name in kept if found.get(name) is not None})
        return found

    def method(self, number: str) -> str:
        card = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
        made = self.calls.get(
            self.calls.client.payment_methods.create, {"type": "card", "card": card}
        )
        return str(self.tell(made)["id"])

    def intent(self, key: str, **more: Any) -> str:
        params = {
            "amount": 2999, "currency": "eur", "payment_method_types": ["card"],
            "metadata": {reading.PAYMENT: key},
            "payment_method": self.method("4242424242424242"), **more,
        }  # fmt: skip
        made = self.calls.post(self.calls.client.payment_intents.create, params, key=key)
        return str(self.tell(made)["id"])

    def look(self, intent: str) -> dict[str, Any]:
        service = self.calls.client.payment_intents
        found = self.tell(self.calls.get(service.retrieve, intent, {"expand": ["latest_charge"]}))
        charge = found["latest_charge"]
        if charge:
            # Stripe gives a charge its intent's metadata; localstripe does not.
            self.tell(charge | {"metadata": None})
            kept = ("captured", "paid", "amount_refunded", "refunded", "payment_intent")
            shown = {name: charge[name] for name in kept}
            self.told.append(shown | {"payment_intent": charge["payment_intent"] == intent})
        return found

    def all(self) -> list[object]:
        """Pay, hold and take, hold and let go, be asked by the bank, give back, keep a customer."""
        paid = self.intent("paid")
        self.told.append(self.provider.confirm(paid, "", "", "confirm paid").status)
        refund = self.calls.client.refunds.create
        for amount in (1000, 500):
            params = {"payment_intent": paid, "amount": amount, "metadata": {reading.REFUND: "r"}}
            back = self.calls.post(refund, params, key=f"refund {amount}")
            self.told.append(self.tell(back)["payment_intent"] == paid)
            self.told.append(reading.refund_from(back).status)
        self.look(paid)

        taken = self.intent("taken", capture_method="manual")
        self.told.append(self.provider.confirm(taken, "", "", "confirm taken").status)
        self.look(taken)
        self.calls.post(self.calls.client.payment_intents.capture, taken, {}, key="capture")
        self.look(taken)

        left = self.intent("left", capture_method="manual")
        self.told.append(self.provider.confirm(left, "", "", "confirm left").status)
        self.told.append(self.provider.cancel(left, "cancel").status)
        self.told.append(self.provider.cancel(left, "cancel again").status)

        asked = self.intent("asked", payment_method=self.method("4000002760003184"))
        found = self.provider.confirm(asked, "", "", "confirm asked")
        self.told.append((found.status, found.action_url, found.captured))

        made = self.provider.create_customer("account-1", "ada@shop.example", "customer")
        self.told.append(self.provider.retrieve_customer(made.id) == made)
        begun = self.provider.create_intent(IntentRequest("begun", 500, "JPY"), "begun")
        self.told.append((begun.status, begun.amount, begun.currency, begun.reference))
        return self.told


def test_localstripe_and_our_stripe_answer_the_same(localstripe: str) -> None:
    with FakeStripe.started() as ours:
        said_by_ours = Journeys(ours.base).all()
    said_by_theirs = Journeys(localstripe).all()
    assert said_by_ours == said_by_theirs
    for status in ("succeeded", "requires_capture", "canceled"):
        assert status in said_by_theirs
    assert ("requires_action", "", 0) in said_by_theirs


def test_what_localstripe_tells_is_signed_as_we_read_it(localstripe: str) -> None:
    parcels: list[tuple[dict[str, str], bytes]] = []
    came, intents = threading.Event(), ["none yet"]

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            parcels.append(({name.lower(): text for name, text in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()
            if intents[-1].encode() in body:
                came.set()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{receiver.server_address[1]}/"
        told = {"url": url, "secret": SECRET, "events": ["payment_intent.succeeded"]}
        request = Request(
            f"{localstripe}/_config/webhooks/bodega", json.dumps(told).encode(),
            {"Content-Type": "application/json"}, method="POST",
        )  # fmt: skip
        urlopen(request, timeout=10).close()
        journeys = Journeys(localstripe)
        intent = journeys.intent("told")
        intents.append(intent)
        journeys.provider.confirm(intent, "", "", "confirm told")
        assert came.wait(20), "localstripe told nothing"
        receiver.shutdown()

    # What an earlier test did may be told of as well: localstripe takes its second.
    [(headers, body)] = [parcel for parcel in parcels if intent.encode() in parcel[1]]
    event = journeys.provider.read_event(headers, body)
    assert (event.type, event.intent) == ("payment_intent.succeeded", intent)
    with pytest.raises(BadSignature):
        webhooks.read((SECRET,), headers, body.replace(b"2999", b"9992"))
