"""The real-time server: it streams the shop's events to WebSocket clients, in a process of its own.

``python -m bodega_realtime`` runs it; docs/realtime.md is the protocol. From the log to
a client: ``feed`` reads the log (``reader``) or the Redis Stream (``stream``), the hub
(``subscriptions``) knows who listens to what, ``connection`` talks to one client,
``replay`` gives a returning client what it missed.
"""
