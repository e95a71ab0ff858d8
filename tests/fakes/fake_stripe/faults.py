"""What goes wrong between two machines, when a test says so."""

import re
from dataclasses import dataclass, field


@dataclass
class Fault:
    """Something that goes wrong with the next requests of a kind.

    ``kind``: ``500_before`` and ``500_after`` the effect, ``cut_before``, ``cut_after`` (the
    connection ends without an answer), ``hang`` (nothing comes), ``429``, ``503``.
    """

    kind: str
    path: str = ".*"
    method: str = "POST"
    times: int = 1

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and method == self.method and bool(re.fullmatch(self.path, path))


@dataclass
class Faults:
    planned: list[Fault] = field(default_factory=list)

    def plan(self, kind: str, path: str = ".*", method: str = "POST", times: int = 1) -> None:
        self.planned.append(Fault(kind, path, method, times))

    def next(self, method: str, path: str) -> str:
        """Return what goes wrong with a request; empty when nothing does."""
        for fault in self.planned:
            if fault.fits(method, path):
                fault.times -= 1
                return fault.kind
        return ""
