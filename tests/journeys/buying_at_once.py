"""A process of a shop that orders as fast as it can; run by ``test_overselling``.

Usage: ``python buying_at_once.py HOME DATABASE_URL PLAN``; PLAN is JSON: bodies of checkouts.
Says ``ready``, waits for a line, orders all of them in threads, and prints what became of each.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.shop import Shop
from bodega_sdk import uuid7
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.shop import settings_for

HANDS = 5


def main(home: str, url: str, plan: str) -> None:
    """Order what the plan says."""
    shop = Shop(settings_for(Path(home), url), build_app, connections=HANDS + 1)
    shop.refresh()
    client, bodies = Client(Gate(shop), shop), iter(json.loads(plan))
    outcomes: list[str] = []
    print("ready", flush=True)
    sys.stdin.readline()
    hands = [threading.Thread(target=work, args=(client, bodies, outcomes)) for _ in range(HANDS)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    print(json.dumps(outcomes), flush=True)


_NEXT = threading.Lock()


def work(client: Client, bodies: Iterator[Any], outcomes: list[str]) -> None:
    """Order until nothing is left to be ordered."""
    while True:
        with _NEXT:
            body = next(bodies, None)
        if body is None:
            client.shop.databases.close()
            return
        outcomes.append(order(client, body))


def order(client: Client, body: Any) -> str:
    """Order, and again when the shop asks for patience; return what came of it."""
    headers = {"Idempotency-Key": str(uuid7())}
    for _ in range(200):
        answer = client.post("/api/v1/orders", body, headers=headers)
        if answer.status_code != 503:
            break
        assert answer.headers["retry-after"]
        time.sleep(0.05)
    kind = answer.json.get("type", "").rpartition("/")[2]
    return f"{answer.status_code} {kind}".strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
