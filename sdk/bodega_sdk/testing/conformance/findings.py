"""What is found: one finding for each place where a rule is broken, and the report of all."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bodega_sdk.testing.conformance.rules import RULES


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken.

    Args:
        rule: its id.
        message: what was found, one sentence.
        place: ``file:line``, relative to the folder of the package; empty where there is none.
        engine: the one it was found on; empty when that makes no difference.
        remedy: what to do; the rule's when empty.
    """

    rule: str
    message: str
    place: str = ""
    engine: str = ""
    remedy: str = ""

    @property
    def help(self) -> str:
        """What to do."""
        return self.remedy or RULES[self.rule].remedy

    @property
    def line(self) -> str:
        """The finding as one line."""
        place = f"{self.place}: " if self.place else ""
        return f"{place}{self.message}{f' [{self.engine}]' if self.engine else ''}"


@dataclass(frozen=True, slots=True)
class Report:
    """What the suite found.

    Args:
        addon: its name.
        version: of its manifest, empty when that could not be read.
        rules: ids of those that were looked at.
        engines: that were tried.
        notes: what was left out, and why.
        seconds: that it took.
    """

    addon: str
    version: str
    findings: tuple[Finding, ...]
    rules: tuple[str, ...]
    engines: tuple[str, ...]
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def broken(self) -> dict[str, list[Finding]]:
        """Return the findings of each broken rule, by its id."""
        found: dict[str, list[Finding]] = {}
        for item in self.findings:
            found.setdefault(item.rule, []).append(item)
        return dict(sorted(found.items()))

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return {
            "addon": self.addon,
            "version": self.version,
            "clean": self.clean,
            "findings": [
                asdict(item) | {"title": RULES[item.rule].title, "remedy": item.help}
                for item in self.findings
            ],
            "rules": list(self.rules),
            "engines": list(self.engines),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 1),
        }

    def lines(self) -> Iterator[str]:
        """Yield the report for people."""
        yield f"{self.addon} {self.version}".strip()
        for rule, found in self.broken().items():
            yield ""
            yield f"{rule} {RULES[rule].title}"
            yield from _grouped(found)
        if self.findings or self.notes:
            yield ""
        yield from (f"Note: {note}" for note in self.notes)
        yield self.counts()

    def counts(self) -> str:
        """Return the last line."""
        engines = f" on {' and '.join(self.engines)}" if self.engines else ""
        broken = len(self.broken())
        told = f"{len(self.findings)} finding(s), {broken} of {len(self.rules)} rules broken"
        told = f"clean: {len(self.rules)} rules kept" if self.clean else told
        return f"{self.addon}: {told}{engines}, {self.seconds:.1f} s"


def _grouped(found: Sequence[Finding]) -> Iterator[str]:
    """Yield findings, those with one remedy together."""
    by_help: dict[str, list[Finding]] = {}
    for item in found:
        by_help.setdefault(item.help, []).append(item)
    for help, items in by_help.items():
        yield from (f"  - {item.line}" for item in items)
        yield f"    Mend: {help}."
