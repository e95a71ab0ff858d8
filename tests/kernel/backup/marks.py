"""What tests of backups are marked and annotated with."""

from collections.abc import Callable

import pytest

from bodega.settings import Settings

ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
#: Where it matters that a shop was never started.
FROM_NOTHING = pytest.mark.parametrize("from_nothing", [True], ids=["from_nothing"])
POSTGRES = pytest.mark.parametrize("engine", ["postgres"], indirect=True)
Fresh = Callable[..., Settings]
