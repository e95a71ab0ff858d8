"""The index of patient, which does nothing but wait."""
