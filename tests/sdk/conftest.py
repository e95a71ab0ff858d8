"""Settings of hypothesis for the tests of the SDK."""

import hypothesis

# How long one example takes says nothing on a machine that others use too.
hypothesis.settings.register_profile("bodega", deadline=None)
hypothesis.settings.load_profile("bodega")
