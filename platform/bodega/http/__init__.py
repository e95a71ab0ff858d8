"""The API: a view of the Assembly on Falcon."""
