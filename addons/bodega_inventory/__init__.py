"""Inventory: what is in stock, what moved it, and what of it is promised."""
