"""Why an addon is quarantined: the culprit, the reason and the remedy."""

from dataclasses import dataclass, replace

QUARANTINED = "addon-quarantined"
PENDING = "migration-pending"


@dataclass(frozen=True, slots=True)
class Fault:
    """What keeps an addon out of the Assembly.

    Args:
        addon: who is kept out.
        culprit: whose fault it is; the same addon, or one that it depends on.
        reason: what was found, one sentence.
        remedy: what to do, one sentence.
        code: of the problem that its routes answer with.
    """

    addon: str
    culprit: str
    reason: str
    remedy: str
    code: str = QUARANTINED

    def __str__(self) -> str:
        blame = "" if self.culprit == self.addon else f" because of {self.culprit}"
        return f"{self.addon} is quarantined{blame}: {self.reason}. {self.remedy}."

    def spread_to(self, dependent: str) -> "Fault":
        """Return the fault of an addon that depends on this one."""
        return replace(self, addon=dependent)
