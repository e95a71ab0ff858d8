"""Another addon, for tests: it has a say in codes and prices."""
