"""The table of sprouts."""

from typing import Any

import peewee
from bodega_sample_growing.manifest import RELEASE

from bodega_sdk import Entity


class Sprout(Entity):
    """A sprout.

    ``tall`` is in this release's column. The column of the release before is written too,
    and read where the other is empty: that release serves beside this one for a while.
    """

    bed: Any = peewee.CharField(max_length=100, index=True)
    note: Any = peewee.CharField(max_length=200, default="")
    watered: Any = peewee.BooleanField(default=False)
    tall: Any = peewee.IntegerField(column_name=f"height_{RELEASE}", null=True)
    tall_before: Any = peewee.IntegerField(column_name=f"height_{RELEASE - 1}", null=True)

    class Meta:
        """Peewee's options."""

        table_name = "growing_sprout"

    @property
    def height(self) -> int:
        """How tall it is."""
        found: int = self.tall_before if self.tall is None else self.tall
        return found

    @property
    def code(self) -> str:
        """The version of the code that shows it."""
        return f"{RELEASE}.0.0"
