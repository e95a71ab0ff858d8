"""Webhooks: what happens in the shop, told to other systems over HTTP."""
