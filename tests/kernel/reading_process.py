"""A process of a shop that answers GET requests; a program for the tests.

It reads a path from each line of its standard input, and writes the status and the body.
"""

import json
import sys

from falcon import testing

from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.settings import read_settings
from bodega.shop import Shop


def serve() -> None:
    """Answer until the end of the input."""
    shop = Shop(read_settings(), build_app, connections=2)
    shop.refresh()
    gate = Gate(shop)
    for line in sys.stdin:
        answer = testing.simulate_get(gate, line.strip())
        print(json.dumps([answer.status_code, answer.text]), flush=True)
    shop.databases.close()


if __name__ == "__main__":
    serve()
