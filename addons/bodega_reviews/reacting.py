"""What readers do with reviews: find them helpful, or report them. Call these in a transaction.

Who does holds the review first: what is counted is what there is.
"""

from uuid import UUID

from bodega_reviews import events
from bodega_reviews.models import Report, Review, Vote
from bodega_sdk import now
from bodega_sdk.errors import Conflict


def vote(review: Review, account: UUID) -> bool:
    """Say that somebody finds a review helpful; return whether they had not before.

    Args:
        review: held.

    Raises:
        Conflict: it is their own, or nobody sees it.
    """
    _refuse_own(review, account, "find your own review helpful")
    if voted(review, account):
        return False
    Vote.create(review=review.id, account=account)
    _count(review, 1)
    return True


def retract(review: Review, account: UUID) -> bool:
    """Take a vote back; return whether there was one."""
    mine = (Vote.review == review.id) & (Vote.account == account)
    if not Vote.delete().where(mine).execute():
        return False
    _count(review, -1)
    return True


def voted(review: Review, account: UUID) -> bool:
    """Whether somebody finds a review helpful."""
    mine = (Vote.review == review.id) & (Vote.account == account)
    found: bool = Vote.select().where(mine).exists()
    return found


def _count(review: Review, step: int) -> None:
    review.helpful += step
    Review.update(helpful=review.helpful).where(Review.id == review.id).execute()


def report(review: Review, account: UUID, reason: str, text: str) -> Report:
    """Tell the moderators of a review; told again, it is the same report with other words.

    Args:
        review: held.

    Raises:
        Conflict: it is their own, or nobody sees it.
    """
    _refuse_own(review, account, "report your own review; delete it instead")
    mine = (Report.review == review.id) & (Report.account == account)
    found: Report | None = Report.get_or_none(mine)
    if found is not None:
        found.reason, found.text, found.updated_at = reason, text, now()
        found.save()
        return found
    made: Report = Report.create(review=review.id, account=account, reason=reason, text=text)
    review.reports += 1
    Review.update(reports=review.reports).where(Review.id == review.id).execute()
    _tell(review, reason)
    return made


def _tell(review: Review, reason: str) -> None:
    data = {"id": review.id, "product": review.product, "title": review.title, "reason": reason}
    events.review_reported.publish(str(review.id), data | {"reports": review.reports})


def _refuse_own(review: Review, account: UUID, what: str) -> None:
    if review.account == account:
        raise Conflict(f"You cannot {what}.")
    if not review.counted:
        raise Conflict("This review is not shown to anybody yet.")
