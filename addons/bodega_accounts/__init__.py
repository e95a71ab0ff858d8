"""People, their roles, and logging in."""
