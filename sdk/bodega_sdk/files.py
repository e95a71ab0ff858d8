"""Folders for what an addon keeps outside the database."""

from pathlib import Path

from bodega_sdk.runtime import runtime


def folder(name: str) -> Path:
    """Return the addon's folder below the shop's home, made if need be.

    Web and worker processes of one shop share it.

    Args:
        name: of the folder, e.g. the addon's.

    Example::

        >>> place = folder("loyalty") / "points.csv"
        >>> place.write_text("order,points", "utf-8")
        12
    """
    return runtime().folder(name)
