"""Telling of many deleted products: each has its event, but not all in the one transaction."""

from datetime import datetime
from uuid import UUID

from bodega_products import events
from bodega_products.models import Product
from bodega_sdk import JobRun, job, locked

#: Deleted at once, so many are told of at once; of more, a job tells.
MOST = 1000


@job("products.tell_deletions", lane="bulk")
def tell_deletions(run: JobRun, deleted_at: str) -> None:
    """Publish ``product.deleted`` for each product that was deleted at an instant.

    One that was restored meanwhile is left out: nobody has heard that it was gone.
    """
    moment = datetime.fromisoformat(deleted_at)
    more = True
    while more:
        with run.transaction():
            told = _tell(moment, run.checkpoint.get("after"))
            more = len(told) == MOST
            if told:
                run.save({"after": str(told[-1])})


def _tell(moment: datetime, after: str | None) -> list[UUID]:
    query = Product.select().where(Product.deleted_at == moment).order_by(Product.id).limit(MOST)
    if after is not None:
        query = query.where(Product.id > UUID(after))
    # Held, so that one that is being restored is told of in the right order.
    rows = list(locked(query))
    for row in rows:
        events.publish(events.product_deleted, row)
    return [row.id for row in rows]


JOBS = (tell_deletions,)
