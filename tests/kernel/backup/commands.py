"""The commands, in processes of their own."""

import subprocess
import sys
from typing import Any

from bodega.settings import Settings
from bodega_sdk.testing.deployment import environment


def command(
    settings: Settings, *arguments: str, given: str = "", run: tuple[str, ...] = ("-m", "bodega")
) -> Any:
    """Run ``bodega …`` on a shop to its end."""
    environ = environment(settings.home) | {
        "DATABASE_URL": settings.database_url,
        "BODEGA_SECRET_KEY": settings.secret_key,
    }
    return subprocess.run(
        [sys.executable, *run, *arguments],
        env=environ, input=given, capture_output=True, text=True, timeout=90, check=False,
        cwd=settings.home.parent,
    )  # fmt: skip
