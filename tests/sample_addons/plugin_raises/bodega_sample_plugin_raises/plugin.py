"""A plugin that raises when it is imported."""

raise RuntimeError("no such thing as a shop")
