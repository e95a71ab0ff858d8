"""It declares nothing."""
