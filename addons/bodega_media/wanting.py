"""Pictures that lie elsewhere, e.g. those that an imported file names: wanted, and fetched.

Each address is fetched once for a product, however often a file names it. Nothing but public
addresses is asked, whatever a name or a redirect leads to; see :mod:`bodega_sdk.outgoing`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from bodega_media.adding import Details, add
from bodega_media.models import Wanted
from bodega_media.storage import incoming
from bodega_products.api import products_of
from bodega_sdk import Fetched, JobRun, Occurrence, fetch, now, setting, transaction, uuid7
from bodega_sdk.errors import BodegaError, CapabilityError, Conflict, FetchFailed, Unavailable

WAITING, FETCHED, FAILED = "waiting", "fetched", "failed"
#: Until when whoever fetches one is not taken for dead.
_LEASE = timedelta(minutes=5)
#: When one is tried again that could not be fetched.
_AGAIN = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=2))
_SECONDS = 60.0
#: Statuses of servers that may answer otherwise in a while.
_PASSING = (408, 425, 429, 500, 502, 503, 504)


def want(events: list[Occurrence]) -> None:
    """Write down the pictures that events name, and have them fetched."""
    # The job is declared in a module that imports this one.
    from bodega_media.jobs import fetch_wanted

    if not setting("media.fetch_named"):
        return
    named = [item for event in events for item in event.data["pictures"]]
    owners = products_of(UUID(item["product"]) for item in named)
    rows = [
        _row(item, owners[key].organization)
        for item in named
        if (key := UUID(item["product"])) in owners
    ]
    for row in rows:
        target = [Wanted.product, Wanted.digest]
        Wanted.insert(row).on_conflict(conflict_target=target, action="IGNORE").execute()
    if rows:
        fetch_wanted.enqueue()


def _row(item: Mapping[str, Any], organization: UUID | None) -> dict[str, Any]:
    moment, url = now(), item["url"]
    return {
        "id": uuid7(), "created_at": moment, "updated_at": moment, "due_at": moment,
        "product": UUID(item["product"]), "organization": organization, "url": url,
        "digest": hashlib.sha256(url.encode()).hexdigest(), "alt": item["alt"][:500],
        "status": WAITING, "reason": "", "attempts": 0,
    }  # fmt: skip


def fetch_all(run: JobRun) -> None:
    """Fetch what is due, one after the other; others may do so at the same time."""
    done = 0
    while (row := _claimed()) is not None:
        _fetch(row)
        done += 1
        with run.transaction():
            run.save(done=done)


def _claimed() -> Wanted | None:
    """Return a picture that is due, ours for a while; None when there is none."""
    due = (Wanted.status == WAITING) & (Wanted.due_at <= now())
    # Those of a product in their order.
    rows: list[Wanted] = list(Wanted.select().where(due).order_by(Wanted.id).limit(20))
    for row in rows:
        taken = {Wanted.due_at: now() + _LEASE, Wanted.attempts: Wanted.attempts + 1}
        mine = (Wanted.id == row.id) & due & (Wanted.attempts == row.attempts)
        with transaction():
            if Wanted.update(taken).where(mine).execute():
                row.attempts += 1
                return row
    return None


def _fetch(row: Wanted) -> None:
    """Fetch a picture and give it to its product, or write down why not."""
    path = incoming()
    try:
        _receive(row.url, path)
        image = add(path, Details(row.product, row.organization, alt=row.alt))
    except (FetchFailed, Unavailable) as error:
        _later(row, str(error))
    except CapabilityError as error:
        # Not which addresses a name has in here.
        _end(row, FAILED, f"The shop may not ask {error.name}: it is at no public address.")
    except (BodegaError, Conflict) as error:
        _end(row, FAILED, str(error))
    else:
        _end(row, FETCHED, "", image.id)
    finally:
        path.unlink(missing_ok=True)


def _receive(url: str, path: Path) -> None:
    with closing(path.open("wb")) as file:
        answer = fetch(
            url, timeout=_SECONDS, largest=setting("media.largest_mb") * 1_000_000,
            into=lambda _: file, private=_private(), headers={"accept": "image/*"},
        )  # fmt: skip
    _check(answer)


def _check(answer: Fetched) -> None:
    told = f"The server answered {answer.status}."
    if answer.status in _PASSING:
        raise FetchFailed(told)
    if not 200 <= answer.status < 300:
        raise BodegaError(told)


def _private() -> Iterable[str]:
    told: str = setting("media.allow_hosts")
    return [item.strip().lower() for item in told.split(",") if item.strip()]


def _later(row: Wanted, reason: str) -> None:
    if row.attempts > len(_AGAIN):
        _end(row, FAILED, f"{reason} It was tried {row.attempts} times.")
        return
    due = now() + _AGAIN[row.attempts - 1]
    with transaction():
        Wanted.update(due_at=due, reason=reason[:500]).where(Wanted.id == row.id).execute()


def _end(row: Wanted, status: str, reason: str, image: UUID | None = None) -> None:
    changes = {"status": status, "reason": reason[:500], "image": image, "updated_at": now()}
    with transaction():
        Wanted.update(changes).where(Wanted.id == row.id).execute()
