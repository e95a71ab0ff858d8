"""Wishlists: what people would like to have."""
