"""Gift cards. This imports nothing of the addon."""
