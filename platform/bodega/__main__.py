"""``python -m bodega`` and the command ``bodega``."""

from bodega import startup

startup.begin()

from bodega.cli import main  # noqa: E402

__all__ = ["main"]

if __name__ == "__main__":
    main()
