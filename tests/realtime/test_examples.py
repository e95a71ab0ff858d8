"""The examples of the page for client authors do what it says."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bodega.shop import Shop
from bodega_imports.events import import_completed
from bodega_sdk.runtime import bound

PAGE = Path(__file__).parents[2] / "docs" / "realtime.md"


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_python_example_follows_an_import_to_its_end(
    shop: Shop, server: Any, door: Any, publisher: Any
) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    address = f"ws://127.0.0.1:{server.port}/ws"
    command = [sys.executable, "-c", found[1], address, door.token, publisher.channel]
    example = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert example.stdout is not None
    with publisher.publishing(pause=0.05):
        assert example.stdout.readline().startswith("import.progressed {'number': ")
    with bound(shop.current), shop.transaction():
        import_completed.publish(publisher.channel.removeprefix("imports."), {})
    assert example.communicate(timeout=10)[0].splitlines()[-1] == "import.completed {}"
    assert example.returncode == 0
