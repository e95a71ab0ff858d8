"""Payments: providers, intents, refunds, and the ledger."""
