"""What a job of the kernel raises that knows itself when to be tried again."""

from datetime import timedelta

from bodega.errors import OperatorError


class Later(OperatorError):
    """Try this job again, but not before some time has passed.

    Args:
        reason: in words, as the job's error.
        wait: how long.
    """

    def __init__(self, reason: str, wait: timedelta) -> None:
        super().__init__(reason)
        self.wait = wait
