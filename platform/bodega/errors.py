"""Errors of the kernel that an operator meets.

::

    BodegaError (SDK)
    └── OperatorError           one sentence and a remedy; the CLI prints it and exits 1
        ├── ConfigurationError  the environment or an edition cannot be used
        ├── AddonError          an addon cannot be enabled, disabled or loaded
        └── DatabaseUnreachable
"""

from bodega_sdk.errors import BodegaError


class OperatorError(BodegaError):
    """Something the operator must mend; the message says what and how."""


class ConfigurationError(OperatorError):
    """The environment, a file or an option cannot be used."""


class AddonError(OperatorError):
    """An addon stands in the way of what was asked."""


class DatabaseUnreachable(OperatorError):
    """The database does not answer."""
