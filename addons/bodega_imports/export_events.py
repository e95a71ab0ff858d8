"""The events of exports."""

from bodega_imports.export_models import Export
from bodega_sdk import Event

_FIELDS = {
    "id": "UUID",
    "filename": "as whoever downloads it sees it",
    "started_by": "id of an account, or what began it",
    "format": "csv, tsv, jsonl or xlsx",
    "status": "running, completed or failed",
    "total_rows": "products of the file",
    "processed_rows": "those that are written",
    "size": "bytes of the file, null until it is done",
    "sha256": "hash of the file, empty until it is done",
    "message": "why it failed",
}
export_progressed = Event("export.progressed", "An export got on.", _FIELDS)
export_completed = Event("export.completed", "An export can be downloaded.", _FIELDS)
export_failed = Event("export.failed", "An export could not be written.", _FIELDS)
ALL = (export_progressed, export_completed, export_failed)


def publish(event: Event, run: Export) -> None:
    """Publish where an export stands."""
    event.publish(str(run.id), {name: getattr(run, name) for name in _FIELDS})
