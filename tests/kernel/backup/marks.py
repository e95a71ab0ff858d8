"""What tests of backups are marked and annotated with."""

from collections.abc import Callable

import pytest

from bodega.settings import Settings

ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
POSTGRES = pytest.mark.parametrize("engine", ["postgres"], indirect=True)
Fresh = Callable[..., Settings]
