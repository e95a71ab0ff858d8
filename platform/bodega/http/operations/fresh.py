"""Doing a verb in a fresh process: this one may hold an addon's older code."""

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import structlog

from bodega.addons import codes
from bodega.addons.plans import read_id
from bodega.errors import AddonError, Busy, Laggards, OperatorError, PlanDrift

if TYPE_CHECKING:
    from bodega.shop import Shop

log = structlog.get_logger(__name__)
_REFUSALS = {kind.exit_code: kind for kind in (OperatorError, AddonError, Busy, PlanDrift)}


def is_needed(shop: "Shop") -> bool:
    """Whether the code of an addon on disk is other than what this process imported."""
    return any(
        codes.current(manifest).fingerprint != codes.on_disk(manifest).fingerprint
        for manifest in shop.catalogue.manifests.values()
    )


def run(shop: "Shop", verb: str, name: str, how: dict[str, Any]) -> dict[str, Any]:
    """Do a verb, or plan it, as the command line does; return what it prints as JSON.

    Raises:
        OperatorError: it was refused.
    """
    bodega = (sys.executable, "-m", "bodega", "--home", str(shop.settings.home))
    command = [*bodega, "addons", *_arguments(verb, name, how)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode not in (0, Laggards.exit_code):
        lines = [line for line in ran.stderr.splitlines() if line.startswith("Error: ")]
        log.warning("a verb failed in its own process", verb=verb, code=ran.returncode,
                    stderr=ran.stderr[-2000:])  # fmt: skip
        kind = _REFUSALS.get(ran.returncode, OperatorError)
        raise kind(lines[-1].removeprefix("Error: ") if lines else "the log has the reason")
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def _arguments(verb: str, name: str, how: dict[str, Any]) -> list[str]:
    if how["plan"]:
        return [verb, name, "--plan", "--json", *_cascade(how)]
    # Nobody waits here: this very process may be among those that are to be replaced.
    waiting = ["--json", "--timeout", "0", *_approve(verb, how)]
    if how["expected"] is None:
        return [verb, name, *waiting, *_cascade(how)]
    asked = (verb, name, how["cascade"])
    if read_id(how["expected"]) != asked:
        raise PlanDrift(f"{how['expected']} is the plan of something else")
    return ["apply", "--plan", how["expected"], *waiting]


def _approve(verb: str, how: dict[str, Any]) -> list[str]:
    return ["--approve"] if how["approve"] and verb in ("enable", "upgrade") else []


def _cascade(how: dict[str, Any]) -> list[str]:
    return ["--cascade"] if how["cascade"] else []
