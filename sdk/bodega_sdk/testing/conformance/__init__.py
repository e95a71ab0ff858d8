"""The conformance suite: what every addon must keep, whoever wrote it; see docs/verify.md.

``bodega_sdk.testing.conformance.running.verify`` runs it.
"""
