"""Pulses: what is measured of products, over time."""
