"""Hooks of addons: chains, the policy of a call, breakers, quarantine, explanations."""
