"""Planting sprouts, and what follows from it."""

from uuid import UUID

from bodega_sample_growing.models import Sprout

from bodega_sdk import Event, JobRun, job

sprout_planted = Event("sprout.planted", "A sprout was planted.", {"height": "how tall it is"})


def plant(bed: str, height: int, note: str) -> Sprout:
    """Plant a sprout, say so, and have it watered. Call it in a transaction."""
    sprout: Sprout = Sprout.create(bed=bed, note=note, tall=height, tall_before=height)
    sprout_planted.publish(bed, {"height": height})
    water.enqueue(sprout_id=str(sprout.id))
    return sprout


@job("growing.water")
def water(run: JobRun, sprout_id: str) -> None:
    """Water a sprout."""
    with run.transaction():
        Sprout.update(watered=True).where(Sprout.id == UUID(sprout_id)).execute()
