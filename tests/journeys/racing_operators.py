"""Operators that begin at once, each in a process of its own; a program for the tests.

It reads a line of JSON for each race from its standard input: a list of commands, each
the arguments of ``bodega``. Every command runs in a fork of this process, which has
imported all that it needs, and all of them are let go at the same moment. A line of
JSON tells what came of each.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bodega.addons import journal
from bodega.cli import main


def serve() -> None:
    """Run races until the end of the input."""
    for line in sys.stdin:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(_race(json.loads(line), Path(folder))), flush=True)


def _race(commands: list[list[str]], folder: Path) -> list[dict[str, Any]]:
    gate, start = os.pipe()
    pids = [_fork(arguments, (gate, start), folder) for arguments in commands]
    os.close(gate)
    os.close(start)  # Now reading from the gate ends in every fork.
    return [_ended(pid, folder) for pid in pids]


def _fork(arguments: list[str], gate: tuple[int, int], folder: Path) -> int:
    pid = os.fork()
    if pid == 0:
        _be_operator(arguments, gate, folder)
    return pid


def _be_operator(arguments: list[str], gate: tuple[int, int], folder: Path) -> None:
    output = os.open(folder / str(os.getpid()), os.O_CREAT | os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(output, stream)
    _watch(folder / "at work")
    os.close(gate[1])
    os.read(gate[0], 1)
    code = 0
    try:
        main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}")
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _watch(marker: Path) -> None:
    """Say so when two operators are at work: the first thing they do under the lock overlaps."""
    real = journal.recover

    def watched(*args: Any, **kwargs: Any) -> bool:
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            print("TWO AT WORK")
        time.sleep(0.02)
        marker.unlink(missing_ok=True)
        return real(*args, **kwargs)

    journal.recover = watched


def _ended(pid: int, folder: Path) -> dict[str, Any]:
    _, status = os.waitpid(pid, 0)
    text = (folder / str(pid)).read_text()
    return {"pid": pid, "code": os.waitstatus_to_exitcode(status), "text": text}


if __name__ == "__main__":
    serve()
