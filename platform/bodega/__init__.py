"""The kernel: it discovers addons and assembles them into one shop. It names none of them."""

__version__ = "0.1.0"
