"""The catalogue: products, their variants and categories."""
