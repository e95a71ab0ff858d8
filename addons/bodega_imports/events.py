"""The events of imports."""

from bodega_imports.models import Import
from bodega_sdk import Event

_FIELDS = {
    "id": "UUID",
    "filename": "as its sender called it",
    "started_by": "id of an account, or what began it",
    "status": "queued, running, completed, failed or cancelled",
    "dry_run": "true or false",
    "read_rows": "rows read so far",
    "read_bytes": "bytes read so far",
    "whole_bytes": "bytes to read, null before reading",
    "phase": "fetching, reading or writing",
    "total_rows": "rows of the file, null while it is being read",
    "processed_rows": "rows whose outcome is known",
    "created": "how many",
    "updated": "how many",
    "unchanged": "how many",
    "superseded": "how many",
    "errors": "how many",
    "undone": "how many products were brought back",
    "conflicts": "how many could not be",
    "message": "why it failed",
}
import_progressed = Event("import.progressed", "An import got on.", _FIELDS)
import_completed = Event("import.completed", "An import is done.", _FIELDS)
import_failed = Event("import.failed", "A file could not be imported.", _FIELDS)
import_cancelled = Event("import.cancelled", "Somebody cancelled an import.", _FIELDS)
import_reverted = Event("import.reverted", "What an import had changed was brought back.", _FIELDS)
ALL = (import_progressed, import_completed, import_failed, import_cancelled, import_reverted)


def publish(event: Event, run: Import) -> None:
    """Publish where an import stands."""
    event.publish(str(run.id), {name: getattr(run, name) for name in _FIELDS})
