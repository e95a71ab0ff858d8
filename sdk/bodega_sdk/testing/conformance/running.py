"""Running the suite: child processes with time limits, and the report of what they found."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from bodega_sdk.testing import servers
from bodega_sdk.testing.conformance.findings import Finding, Report
from bodega_sdk.testing.conformance.rules import LIVING, LOOKING, RULES, STOPPING, chosen

#: Seconds that a part may take.
LIMITS = {"importing": 10.0, "assembling": 10.0}
LIMIT = 60.0
ENGINES = ("sqlite", "postgres")


@dataclass
class _Told:
    """What children have written so far."""

    findings: list[Finding] = field(default_factory=list)
    version: str = ""
    stage: str = ""
    doing: str = ""
    ended: bool = False


def verify(addon: str, engines: Iterable[str] = ENGINES, rules: Iterable[str] = ()) -> Report:
    """Check an addon that is installed; nothing of it is imported in this process.

    Args:
        engines: ``sqlite``, ``postgres``; the latter is left out where there is no server.
        rules: ids or what they begin with; all when empty.

    Raises:
        ValueError: there is no such rule.
    """
    begun, wanted = time.monotonic(), chosen(rules)
    engines = tuple(engine for engine in ENGINES if engine in tuple(engines))
    with ThreadPoolExecutor(2) as pool, _Servers(pool, engines, wanted) as servers_:
        stages = [s for s in LOOKING if s == "manifest" or _is_needed(s, wanted)]
        looked = _child(addon, stages)
        findings, tried = list(looked.findings), []
        if not any(map(_stops, findings)):
            tried = servers_.usable()
            for made in [pool.submit(_on_engine, addon, *item, wanted) for item in tried]:
                findings += made.result()
    kept = _merged(item for item in findings if item.rule in wanted or _stops(item))
    ids = tuple(rule for rule in RULES if rule in wanted)
    names, seconds = tuple(name for name, _ in tried), time.monotonic() - begun
    return Report(addon, looked.version, kept, ids, names, tuple(servers_.notes), seconds)


def _stops(finding: Finding) -> bool:
    """Whether a finding keeps others from being looked for, so that it is always told."""
    return finding.rule in STOPPING


def _is_needed(stage: str, wanted: frozenset[str]) -> bool:
    if stage in ("assembling", "sources"):
        return True  # What needs a shop is looked at when it can be assembled only.
    return any(RULES[rule].stage == stage for rule in wanted)


def _on_engine(addon: str, engine: str, server: str, wanted: frozenset[str]) -> list[Finding]:
    stages = [s for s in LIVING if s == "boot" or any(RULES[r].stage == s for r in wanted)]
    if stages == ["boot"] and not wanted & {"V201", "V202", "V126"}:
        return []
    first = _child(addon, stages[:1], engine, server)
    if any(map(_stops, first.findings)):
        return first.findings
    # Another process: whether disabling takes everything back is seen before it was ever loaded.
    return first.findings + _child(addon, stages[1:], engine, server).findings


def _merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Tell a finding once that was made on both engines."""
    seen: dict[Finding, list[str]] = {}
    for item in findings:
        seen.setdefault(replace(item, engine=""), []).append(item.engine)
    made = [
        replace(item, engine="" if len(set(engines)) > 1 else engines[0])
        for item, engines in seen.items()
    ]
    return tuple(sorted(made, key=lambda item: (item.rule, item.place, item.message)))


class _Servers:
    """The databases to try; PostgreSQL is started while the addon itself is looked at."""

    def __init__(self, pool: Executor, engines: tuple[str, ...], wanted: frozenset[str]) -> None:
        living = any(RULES[rule].stage in LIVING or rule in ("V126", "V201") for rule in wanted)
        self._engines = engines if living else ()
        self.notes: list[str] = []
        postgres = "postgres" in self._engines
        self._starting = pool.submit(servers.postgres) if postgres else None

    def __enter__(self) -> "_Servers":
        return self

    def usable(self) -> list[tuple[str, str]]:
        """Return the engines with the address of their server; what is not there is noted."""
        found = [("sqlite", "")] if "sqlite" in self._engines else []
        if self._starting is None:
            return found
        try:
            return [*found, ("postgres", self._starting.result().url)]
        except (servers.ServerNotFound, servers.ServerFailed) as error:
            self.notes.append(f"PostgreSQL was left out: {error}")
            return found

    def __exit__(self, *_: object) -> None:
        if self._starting is not None and self._starting.exception() is None:
            self._starting.result().stop()


def _child(addon: str, stages: list[str], engine: str = "", server: str = "") -> _Told:
    """Run parts in a child; when it dies in one, go on with the next in another child."""
    told = _Told()
    while stages:
        told.ended = False
        with tempfile.TemporaryDirectory(prefix="bodega-verify-") as folder:
            task = {"addon": addon, "stages": stages, "engine": engine, "server": server}
            why = _run(Path(folder), task, told)
        if not why:
            return told
        part = told.doing or told.stage or stages[0]
        told.findings.append(Finding("V126", f"{part}: {why}", engine=engine))
        if not engine or part == "boot":
            return told
        stages = stages[stages.index(told.stage) + 1 :] if told.stage in stages else []
    return told


def _run(folder: Path, task: dict[str, Any], told: _Told) -> str:
    """Run one child to its end; return why it did not come to it, empty if it did."""
    journal, output = folder / "journal", folder / "output"
    journal.touch()
    task = task | {"journal": str(journal)}
    command = [sys.executable, "-m", "bodega_sdk.testing.conformance.child", json.dumps(task)]
    with output.open("wb") as out, journal.open(encoding="utf-8") as lines:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(folder), stdin=subprocess.DEVNULL,
            stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
        why = _follow(process, _Lines(lines), told)
    if not why and not told.ended:
        tail = output.read_text(errors="replace").strip().splitlines()[-1:]
        return f"the process ends with status {process.returncode} {' '.join(tail)}".strip()
    return why


def _environment(folder: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BODEGA_", "PYTEST_")) and name not in ("DATABASE_URL", "REDIS_URL")
    }
    return kept | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "BODEGA_HOME": str(folder / "shop"),
    }


class _Lines:
    """The lines of a file that another process still writes."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._rest = file, ""

    def new(self) -> list[str]:
        """Return the lines that were finished since the last time."""
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        return lines


def _follow(process: "subprocess.Popen[bytes]", lines: _Lines, told: _Told) -> str:
    """Read what a child writes until it ends, or until a part of it takes too long."""
    begun = time.monotonic()
    while True:
        ended = process.poll() is not None
        for line in lines.new():
            begun = time.monotonic() if _take(json.loads(line), told) else begun
        if ended:
            return ""
        limit = LIMITS.get(told.stage, LIMIT)
        if time.monotonic() - begun > limit:
            _kill(process)
            return f"it takes longer than {limit:g} s"
        time.sleep(0.02)


def _take(line: dict[str, Any], told: _Told) -> bool:
    """Take one line; True when a new part begins."""
    for kind, value in line.items():
        if kind == "finding":
            told.findings.append(Finding(**value))
        elif kind == "end":
            told.ended = True
        elif kind != "done":
            setattr(told, kind, value)
    if "stage" in line:
        told.doing = ""
    return "stage" in line


def _kill(process: "subprocess.Popen[bytes]") -> None:
    # What the addon has started belongs to the child's session.
    os.killpg(process.pid, 9)
    process.wait()
