"""The wording of notifications: a file for each type and language."""
