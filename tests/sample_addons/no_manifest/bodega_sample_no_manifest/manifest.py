"""A manifest module without a manifest."""
