"""What a start made is left alone when garbage is looked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from bodega_sdk.testing.deployment import environment

ASKING = """
import atexit, gc, sys
usual = gc.get_threshold()
from bodega import startup
from bodega.__main__ import main
later = (startup.OFTEN, *usual[1:])
began = gc.get_threshold()[0] > 100 * usual[0]
atexit.register(lambda: print(began, gc.get_threshold() == later, gc.get_freeze_count()))
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("command", "settled", "least"),
    [(["addons", "list"], True, 100_000), (["--version"], False, 0)],
)
def test_garbage_is_looked_for_once_a_shop_is_loaded_and_not_among_what_was_there(
    command: list[str], settled: bool, least: int, tmp_path: Path
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ASKING, *command], env=environment(tmp_path / "shop"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    began, is_settled, frozen = ran.stdout.splitlines()[-1].split()
    assert (began, is_settled) == ("True", str(settled)), (ran.stdout, ran.stderr)
    assert int(frozen) >= least
