"""The routes of sprouts."""

from typing import Any, ClassVar

from bodega_sample_growing.models import Sprout
from bodega_sample_growing.planting import plant
from bodega_sample_growing.schemas import SproutSchema

from bodega_sdk import PUBLIC, Collection, Filter, Parameter, Request
from bodega_sdk.errors import invalid


class Sprouts(Collection):
    """Sprouts; they get notes, and are never cut."""

    model = Sprout
    schema = SproutSchema
    noun = "sprout"
    read = PUBLIC
    write = "growing.write"
    verbs = ("list", "create", "read", "change")
    filters = (Filter(Parameter("bed", str, "Only of this bed."), lambda bed: Sprout.bed == bed),)
    orderings: ClassVar = {"bed": Sprout.bed}

    def create(self, request: Request, data: dict[str, Any]) -> Sprout:
        """Plant a sprout."""
        return plant(data["bed"], data["height"], data["note"])

    def change(self, request: Request, row: Sprout, data: dict[str, Any]) -> Sprout:
        """Write another note."""
        if data.keys() - {"note"}:
            raise invalid("note", "Only this can be changed.", sorted(data))
        row.note = data["note"]
        row.save(only=[Sprout.note])
        return row
