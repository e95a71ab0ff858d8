"""Pictures of products: verified, made plain, kept wherever the operator wants, served in sizes."""
