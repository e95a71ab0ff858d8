"""The process that runs an addon's code: it writes what it finds, line by line, to a file.

``python -m bodega_sdk.testing.conformance.child`` with one argument, the task as JSON. The
parent reads the file also when this process is gone.
"""

import json
import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.rules import STOPPING


class Journal:
    """The file that the parent reads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def write(self, kind: str, value: Any) -> None:
        """Write one line, at once."""
        self._file.write(json.dumps({kind: value}) + "\n")
        self._file.flush()

    def doing(self, what: str) -> None:
        """Say what is done now, should the process not survive it."""
        self.write("doing", what)


def main() -> None:
    """Run the parts that the task names."""
    task = json.loads(sys.argv[1])
    journal = Journal(Path(task["journal"]))
    part = _parts(task, journal)
    for stage in task["stages"]:
        journal.write("stage", stage)
        if not _run(journal, part(stage)):
            break
        journal.write("done", stage)
    journal.write("end", "")
    # What an addon's threads or exit functions would do now is not waited for.
    os._exit(0)


def _run(journal: Journal, findings: Iterable[Finding]) -> bool:
    """Write down what a part finds; False when nothing can be looked at any further."""
    found = True
    for item in findings:
        journal.write("finding", asdict(item))
        found = found and item.rule not in STOPPING
    return found


def _parts(task: dict[str, Any], journal: Journal) -> Any:
    from bodega_sdk.testing.conformance.subject import Subject

    subject = Subject(task["addon"])
    if not task["engine"]:
        return _looking(subject, journal)
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return _living(subject, task, journal)


def _looking(subject: Any, journal: Journal) -> Any:
    from bodega_sdk.testing.conformance import declarations, importing, manifests, sources

    def part(stage: str) -> Iterable[Finding]:
        found = {
            "manifest": manifests.check,
            "sources": sources.check,
            "importing": importing.check,
            "assembling": declarations.assemble,
            "declarations": declarations.check,
        }[stage](subject)
        yield from found
        if stage == "manifest" and not subject.fault:
            journal.write("version", subject.manifest.version)

    return part


def _living(subject: Any, task: dict[str, Any], journal: Journal) -> Any:
    from bodega_sdk.testing.conformance import (
        asking,
        booting,
        lifecycles,
        migrating,
        scheduling,
    )
    from bodega_sdk.testing.conformance.shops import Engine

    engine = Engine(task["engine"], task["server"])

    def part(stage: str) -> Iterable[Finding]:
        if stage == "api":
            return asking.check(subject, engine, journal.doing)
        return {
            "boot": booting.check,
            "migrations": migrating.check,
            "lifecycle": lifecycles.check,
            "jobs": scheduling.check,
        }[stage](subject, engine)

    return part


if __name__ == "__main__":
    main()
