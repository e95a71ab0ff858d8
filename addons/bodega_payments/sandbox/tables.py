"""The engine's store in the shop's database."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from bodega_payments.models import SandboxAnswer, SandboxEvent, SandboxObject
from bodega_payments.sandbox import delivering
from bodega_payments.sandbox.store import Thing
from bodega_sdk import locked, now, setting, transaction


class Tables:
    """Things as rows; a thing that is read is locked until the commit."""

    def atomic(self) -> AbstractContextManager[None]:
        """Open a transaction."""
        return transaction()

    def get(self, key: str) -> Thing | None:
        """Return a thing, locked."""
        query = SandboxObject.select().where(SandboxObject.id == key)
        row = locked(query).first()
        return None if row is None else dict(row.data)

    def put(self, thing: Thing, parent: str = "") -> None:
        """Write a thing."""
        SandboxObject.insert(
            id=thing["id"], kind=thing["object"], parent=parent, data=thing, changed_at=now()
        ).on_conflict(
            conflict_target=[SandboxObject.id],
            preserve=[SandboxObject.parent, SandboxObject.data, SandboxObject.changed_at],
        ).execute()
        if thing["object"] == "plan":
            delivering.advance.enqueue(run_at=datetime.fromtimestamp(thing["due"], UTC))

    def drop(self, key: str) -> None:
        """Delete a thing."""
        SandboxObject.delete().where(SandboxObject.id == key).execute()

    def below(self, kind: str, parent: str = "") -> list[Thing]:
        """Return the things of a kind with a parent, the oldest first."""
        query = SandboxObject.select().where(
            SandboxObject.kind == kind, SandboxObject.parent == parent
        )
        things = [dict(row.data) for row in query]
        return sorted(things, key=lambda thing: (thing.get("created", 0), thing["id"]))

    def changed(self, kind: str, since: int) -> Iterable[str]:
        """Yield ids of things that were written since then."""
        instant = datetime.fromtimestamp(since, UTC)
        query = (
            SandboxObject.select(SandboxObject.id)
            .where(SandboxObject.kind == kind, SandboxObject.changed_at >= instant)
            .order_by(SandboxObject.changed_at)
        )
        return [row.id for row in query]

    def claim(self, key: str, fingerprint: str) -> tuple[str, dict[str, Any]] | None:
        """Take a key; another who has it is waited for."""
        row = {"key": key, "fingerprint": fingerprint, "answer": {}, "created_at": now()}
        SandboxAnswer.insert(row).on_conflict_ignore().execute()
        found = locked(SandboxAnswer.select().where(SandboxAnswer.key == key)).get()
        return (found.fingerprint, dict(found.answer)) if found.answer else None

    def answer(self, key: str, fingerprint: str, answer: dict[str, Any]) -> None:
        """Keep the answer to a key."""
        SandboxAnswer.update(answer=answer).where(SandboxAnswer.key == key).execute()

    def tell(self, type: str, thing: Thing, intent: str) -> None:
        """Have the job of the sandbox deliver it in a moment."""
        due = now() + timedelta(seconds=setting("payments.sandbox_delay"))
        event = SandboxEvent.create(
            type=type, intent=intent, data=thing, created_at=now(), due_at=due
        )
        delivering.tell.enqueue(run_at=due, event_id=str(event.id))
