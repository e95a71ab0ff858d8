"""A manifest module that raises when it is imported."""

raise RuntimeError("the author forgot something")
