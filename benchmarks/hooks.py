"""What calling a hook costs, beside a plain function and pluggy: interleaved rounds, medians.

    .venv/bin/python benchmarks/hooks.py [--calls 20000] [--rounds 15]

A call of each kind of caller with the same two arguments, one after the other in every
round: a plain function that returns its argument; a hook and pluggy's with no
implementation; with one; with five. Implementations return their argument. pluggy's
calls are its own, without a policy: no guard, no budget, no breaker, no metrics, no copy
of arguments. The number of the plain function is what all ratios are to.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pluggy

from bodega.addons.loading import LoadedAddon
from bodega.assembly import Assembly
from bodega.hooks.chain import chains
from bodega.hooks.implementations import Implementation
from bodega.settings import Settings
from bodega.shop import Session, Shop
from bodega_sdk import Manifest, hook
from bodega_sdk.runtime import bound

spec, impl = pluggy.HookspecMarker("bench"), pluggy.HookimplMarker("bench")


@hook("filter")
def heard(text: str, count: int) -> str:
    """Return the text."""
    raise AssertionError("a specification is not called")


def plain(text: str, count: int) -> str:
    return text


def addon(name: str, *implementations: Implementation) -> LoadedAddon:
    manifest = Manifest(name=name, version="1.0", package=f"bodega_{name}", summary="For this")
    return LoadedAddon(
        manifest, hooks=(heard,) if name == "publisher" else (), implementations=implementations
    )


def session(shop: Shop, implementers: int) -> Session:
    names = [f"addon{number}" for number in range(implementers)]
    addons = (addon("publisher"),
              *(addon(name, Implementation(name, "heard", plain)) for name in names))  # fmt: skip
    return Session(shop, Assembly(0, addons, chains=chains(addons)))


def ours(made: Session) -> Callable[[int], float]:
    def run(calls: int) -> float:
        with bound(made):
            return timed(heard, calls)

    return run


def pluggys(implementers: int) -> Callable[[int], float]:
    manager = pluggy.PluginManager("bench")
    manager.add_hookspecs(SimpleNamespace(heard=spec(heard.function)))
    for _ in range(implementers):
        manager.register(SimpleNamespace(heard=impl(lambda text, count: text)))
    caller = manager.hook.heard
    return lambda calls: timed(lambda text, count: caller(text=text, count=count), calls)


def timed(function: Callable[..., Any], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        function("a", 1)
    return (time.perf_counter() - began) / calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        shop = Shop(Settings(home=Path(name), log_level="error"))
        callers: dict[str, Callable[[int], float]] = {
            "plain function": lambda calls: timed(plain, calls)
        }
        for number in (0, 1, 5):
            callers[f"hook, {number} implementations"] = ours(session(shop, number))
            callers[f"pluggy, {number} implementations"] = pluggys(number)
        measured: dict[str, list[float]] = {label: [] for label in callers}
        for _ in range(args.rounds):
            for label, run in callers.items():
                measured[label].append(run(args.calls))
        shop.databases.close()
    base = statistics.median(measured["plain function"])
    for label, times in measured.items():
        middle = statistics.median(times)
        print(f"{label:28} {middle * 1e9:8,.0f} ns  {middle / base:6.1f} x plain function")


if __name__ == "__main__":
    main()
