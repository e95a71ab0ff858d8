"""Errors of the kernel that an operator meets.

::

    BodegaError (SDK)
    └── OperatorError           one sentence and a remedy; the CLI prints it and exits 1
        ├── ConfigurationError  the environment or an edition cannot be used
        ├── AddonError          an addon stands in the way: refused, exit code 3
        ├── Busy                another operator is at work: exit code 4
        ├── PlanDrift           the shop is not as it was planned for: exit code 5
        ├── Laggards            processes did not follow in time: exit code 6
        └── DatabaseUnreachable

Scripts may rely on the exit codes; 2 is a wrong call of the command line.
"""

from bodega_sdk.errors import BodegaError


class OperatorError(BodegaError):
    """Something the operator must mend; the message says what and how."""

    exit_code = 1


class ConfigurationError(OperatorError):
    """The environment, a file or an option cannot be used."""


class AddonError(OperatorError):
    """An addon stands in the way of what was asked."""

    exit_code = 3


class Busy(OperatorError):
    """Another operator is at work on this shop."""

    exit_code = 4


class PlanDrift(OperatorError):
    """The shop is no longer as it was when the plan was made; nothing was done."""

    exit_code = 5


class Laggards(OperatorError):
    """It was done, but running processes did not follow in time."""

    exit_code = 6


class DatabaseUnreachable(OperatorError):
    """The database does not answer."""
