"""The addon's index: every hook it implements, and where."""
