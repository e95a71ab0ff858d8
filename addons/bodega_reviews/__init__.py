"""Reviews: what people who have a product say of it."""
