"""Named places between two steps; tests end the process there, nobody else does anything."""

#: In the order in which a payment passes them.
NAMES = (
    "intent_written",  # what is wanted is committed, the provider knows nothing
    "before_provider_call",
    "after_provider_call",  # the provider has done it, we have written nothing
    "before_record_commit",  # all of it is written, and not committed
    "after_record",
)


def passing(name: str) -> None:
    """Go on."""
