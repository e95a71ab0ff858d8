"""Addons: found by entry points, ordered by dependency, loaded one by one, quarantined by name."""
