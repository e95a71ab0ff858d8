"""Where the processes of a shop leave their metrics for each other.

A module of its own: prometheus_client decides when it is imported whether it counts
for one process or for several, so this must run before anything imports it.
"""

import os
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def collect_in(folder: Path, *, empty: bool = False) -> None:
    """Have this process and its children leave their metrics in a folder.

    Args:
        empty: start from zero; only for the first process of a shop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if empty:
        for file in folder.glob("*.db"):
            file.unlink(missing_ok=True)
    os.environ[VARIABLE] = str(folder)
