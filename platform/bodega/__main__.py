"""``python -m bodega`` and the command ``bodega``."""

from bodega.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
