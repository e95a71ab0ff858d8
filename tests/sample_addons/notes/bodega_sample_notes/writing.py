"""Writing notes, and what follows from it."""

from datetime import timedelta
from uuid import UUID

from bodega_sample_notes.models import Note

from bodega_sdk import Event, JobRun, job, setting
from bodega_sdk.errors import invalid

note_created = Event("note.created", "A note was written.", {"title": "its title"})


def write_note(title: str) -> Note:
    """Write a note, say so, and have its words counted. Call it in a transaction."""
    longest = setting("notes.longest")
    if len(title) > longest:
        raise invalid("title", f"Must be at most {longest} characters long.", title)
    note: Note = Note.create(title=title)
    note_created.publish(str(note.id), {"title": title})
    count_words.enqueue(note_id=str(note.id))
    return note


@job("notes.count_words")
def count_words(run: JobRun, note_id: str) -> None:
    """Count the words of a note."""
    with run.transaction():
        note = Note.find(UUID(note_id), lock=True)
        if note is not None:
            note.words = len(note.title.split())
            note.save()


@job("notes.forget_empty", every=timedelta(hours=1))
def forget_empty(run: JobRun) -> None:
    """Delete notes without a word."""
    with run.transaction():
        Note.delete().where(Note.words == 0).execute()
