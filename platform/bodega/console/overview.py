"""The kernel's pages about what the shop is made of: overview, addons, processes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bodega.addons.listing import AddonState, listing
from bodega.console import activity
from bodega.database.connection import is_postgres
from bodega_sdk.console import Badge, Block, ConsolePage, Facts, Heading, Notice, Table, Text
from bodega_sdk.http import Request

if TYPE_CHECKING:
    from bodega.shop import Session

READ = "bodega.read"
_TONES = {"enabled": "good", "quarantined": "bad"}
#: Rows of each list on the overview.
FEW = 10


def pages(session: "Session") -> tuple[ConsolePage, ...]:
    """Return the pages."""
    shown = Overview(session)
    return (
        ConsolePage("", "Overview", READ, shown.overview, "How the shop is doing."),
        ConsolePage("addons", "Addons", READ, shown.addons, "What the shop is made of."),
        ConsolePage(
            "processes", "Processes", READ, shown.processes,
            "Who was heard of in the last ten seconds.",
        ),
    )  # fmt: skip


class Overview:
    """The pages of one Assembly."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def overview(self, request: Request) -> Iterator[Block]:
        """A little of everything."""
        yield self._facts()
        yield Heading("Addons")
        states = listing(self._session.shop)
        yield from _faults(states)
        yield _addons(states)
        yield Heading("Processes")
        yield from self.processes(request)
        yield Heading("Jobs")
        yield from activity.jobs_at_a_glance(FEW)
        yield Heading("Last events")
        yield activity.events_table(activity.last_events(self._session, 1, FEW)[0])

    def _facts(self) -> Facts:
        session = self._session
        engine = "PostgreSQL" if is_postgres(session.databases.shop) else "SQLite"
        return Facts((
            ("Generation", str(session.assembly.generation)),
            ("Addons enabled", len(session.assembly.addons)),
            ("Addons quarantined", len(session.assembly.faults)),
            ("Database", engine),
        ))  # fmt: skip

    def addons(self, request: Request) -> Iterator[Block]:
        """Every addon, and what is wrong with it."""
        states = listing(self._session.shop)
        yield from _faults(states)
        yield _addons(states)
        yield Text("Switch them with 'bodega addons enable NAME' and 'bodega addons disable NAME'.")

    def processes(self, request: Request) -> Iterator[Block]:
        """The living processes."""
        session = self._session
        living = session.shop.register.living()
        if not any(process.kind == "worker" for process in living):
            yield Notice("No worker lives: jobs wait. Start one with 'bodega worker'.", "bad")
        current = session.assembly.generation
        rows = [
            (
                process.kind, process.host, str(process.pid),
                Badge(str(process.generation), _tone(process.generation, current)),
                process.draining,
            )
            for process in living
        ]  # fmt: skip
        columns = ("Kind", "Host", "Process", "Generation", "Draining")
        yield Table(columns, rows, empty="No process says that it lives.")


def _tone(generation: int, current: int) -> str:
    return "good" if generation == current else "warning"


def _faults(states: list[AddonState]) -> Iterator[Block]:
    for state in states:
        if state.fault is not None:
            yield Notice(str(state.fault), "bad")


def _addons(states: list[AddonState]) -> Table:
    rows = [
        (
            state.name, Badge(state.state, _TONES.get(state.state, "plain")), state.version,
            state.summary, ", ".join(state.depends) or None,
        )
        for state in states
    ]  # fmt: skip
    columns = ("Addon", "State", "Version", "What it is", "Depends on")
    return Table(columns, rows)
