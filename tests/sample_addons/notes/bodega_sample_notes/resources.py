"""The routes of notes."""

from typing import Any, ClassVar

from bodega_sample_notes.models import Note
from bodega_sample_notes.schemas import NoteSchema
from bodega_sample_notes.writing import write_note

from bodega_sdk import PUBLIC, Collection, Filter, Parameter, Request


class Notes(Collection):
    """Notes."""

    model = Note
    schema = NoteSchema
    noun = "note"
    read = PUBLIC
    write = "notes.write"
    filters = (
        Filter(Parameter("title", str, "Exactly this title."), lambda title: Note.title == title),
    )
    orderings: ClassVar = {"title": Note.title}

    def create(self, request: Request, data: dict[str, Any]) -> Note:
        """Write a note."""
        return write_note(data["title"])
