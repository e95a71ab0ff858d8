"""The suite as tests: ``pytest --bodega-verify loyalty`` makes one test of each rule."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bodega_sdk.testing.conformance.findings import Report

_ENGINES = ("sqlite", "postgres")
_REPORTS = pytest.StashKey[dict[str, "Report"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("bodega")
    group.addoption(
        "--bodega-verify",
        action="append",
        default=[],
        metavar="ADDON",
        help="Check an installed addon against every rule of 'bodega verify'.",
    )
    group.addoption(
        "--bodega-verify-engine",
        choices=_ENGINES,
        help="On this database only.",
    )
    parser.addini("bodega_verify", "Addons that are checked with every run.", "args", [])


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the tests; those of the configuration unless single files are named."""
    wanted: list[str] = list(config.getoption("bodega_verify"))
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        wanted += config.getini("bodega_verify")
    for addon in dict.fromkeys(wanted):
        items.extend(_Addon.from_parent(session, name=addon).collect())


class _Addon(pytest.Collector):
    """The tests of one addon."""

    @classmethod
    def from_parent(cls, parent: Any, **kwargs: Any) -> Any:
        """Make it, under a name that says what it is."""
        return super().from_parent(parent, nodeid=f"bodega verify {kwargs['name']}", **kwargs)

    def collect(self) -> Iterator["RuleItem"]:
        """Yield one test for each rule."""
        from bodega_sdk.testing.conformance.rules import RULES

        for rule in RULES.values():
            yield RuleItem.from_parent(self, name=rule.id, addon=self.name, title=rule.title)


class RuleItem(pytest.Item):
    """Whether an addon keeps one rule."""

    def __init__(self, *, addon: str, title: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.addon, self.title = addon, title

    def runtest(self) -> None:
        """Fail with what was found; the suite runs once for all rules of an addon."""
        found = _report(self.config, self.addon).broken().get(self.name)
        if found:
            raise RuleBroken(self.title, [f"{item.line}\n  Mend: {item.help}." for item in found])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what is wrong, without a traceback of the suite."""
        if isinstance(excinfo.value, RuleBroken):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Name the test."""
        return self.config.rootpath, None, f"bodega verify {self.addon}: {self.name} {self.title}"


class RuleBroken(Exception):
    """An addon breaks a rule."""

    def __init__(self, title: str, lines: list[str]) -> None:
        super().__init__("\n".join([title, *lines]))


def _report(config: pytest.Config, addon: str) -> "Report":
    from bodega_sdk.testing.conformance.running import verify

    reports = config.stash.setdefault(_REPORTS, {})
    if addon not in reports:
        engine = config.getoption("bodega_verify_engine")
        reports[addon] = verify(addon, (engine,) if engine else _ENGINES)
    return reports[addon]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was left out, and how long it took."""
    for report in config.stash.get(_REPORTS, {}).values():
        for note in report.notes:
            terminalreporter.write_line(f"Note: {note}")
        terminalreporter.write_line(f"bodega verify {report.counts()}")
