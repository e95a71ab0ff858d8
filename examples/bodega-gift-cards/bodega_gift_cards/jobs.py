"""What a worker does."""

from datetime import timedelta

from bodega_sdk import JobRun, job, now

from bodega_gift_cards.models import Card
from bodega_gift_cards.spending import expire, hold

#: Cards in one transaction.
BATCH = 200


@job("gift_cards.expire_cards", every=timedelta(days=1))
def expire_cards(run: JobRun) -> None:
    """Take what is left from cards whose time is over, a few at a time."""
    over = (Card.expires_at <= now()) & (Card.balance_minor > 0)
    more = True
    while more:
        with run.transaction():
            # Always in the order of ids, so that two runs do not wait for each other.
            ids = [
                card.id for card in Card.select(Card.id).where(over).order_by(Card.id).limit(BATCH)
            ]
            for card_id in ids:
                expire(hold(card_id))
        more = len(ids) == BATCH
