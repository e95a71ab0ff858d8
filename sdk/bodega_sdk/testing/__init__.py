"""Helpers for the tests of a shop and of its addons."""
