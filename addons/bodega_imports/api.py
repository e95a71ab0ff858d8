"""What other addons may call."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import peewee

from bodega_imports.models import Import

__all__ = ["ImportFacts", "counts", "recent"]


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """An import, as it stands.

    Args:
        status: queued, running, completed, failed or cancelled.
        total_rows: None until all was read.
        finished_at: None until it was.
    """

    id: UUID
    filename: str
    status: str
    total_rows: int | None
    created: int
    updated: int
    errors: int
    created_at: datetime
    finished_at: datetime | None


def recent(limit: int = 10) -> list[ImportFacts]:
    """Return the newest imports of the shop and of all organizations, the newest first."""
    rows = Import.select().order_by(Import.created_at.desc(), Import.id.desc()).limit(limit)
    return [
        ImportFacts(
            row.id, row.filename, row.status, row.total_rows, row.created, row.updated, row.errors,
            row.created_at, row.finished_at,
        )
        for row in rows
    ]  # fmt: skip


def counts() -> dict[str, int]:
    """Return how many imports have which status; those that none has lack."""
    query = Import.select(Import.status, peewee.fn.COUNT(Import.id)).group_by(Import.status)
    return dict(query.tuples())
