"""The routes of reviews."""

from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

import peewee

from bodega_products import api as products
from bodega_reviews import ratings, reacting, writing
from bodega_reviews.models import STATUSES, Report, Review
from bodega_reviews.schemas import (
    HelpfulSchema,
    RejectionSchema,
    ReportedSchema,
    ReportingSchema,
    ReportSchema,
    ReviewSchema,
    SummarySchema,
)
from bodega_sdk import PUBLIC, Collection, Filter, Parameter, Request, Route, audit, transaction
from bodega_sdk.errors import FieldError, NotFound, PermissionDenied

WRITE, MODERATE = "reviews.write", "reviews.moderate"
_PRODUCT = Parameter("product", UUID, "Id of a product.")
_FILTERS = (
    Filter(_PRODUCT, lambda value: Review.product == value),
    Filter(Parameter("rating", int, "Exactly so many stars.", minimum=1, maximum=5),
           lambda value: Review.rating == value),
    Filter(Parameter("verified", bool, "Only of those who have bought it, or only others."),
           lambda value: Review.verified == value),
    Filter(Parameter("status", str, "Only this status; others see approved ones only.",
                     choices=STATUSES),
           lambda value: Review.status == value),
)  # fmt: skip


class Reviews(Collection):
    """Reviews: the approved ones, one's own, and for moderators all."""

    model, schema, noun = Review, ReviewSchema, "review"
    read, write = PUBLIC, WRITE
    objects, beyond, owner, hidden = "own", MODERATE, Review.account, False
    filters = _FILTERS
    orderings: ClassVar = {"helpful": Review.helpful, "rating": Review.rating}

    def select(self, request: Request) -> peewee.ModelSelect:
        """Those that the caller may see."""
        query, identity = Review.select(), request.identity
        if identity.may(MODERATE):
            return query
        seen = (Review.status == "approved") & ~Review.withdrawn
        seen &= products.is_sold(Review.product)
        mine = _uuid(identity.subject)
        return query.where(seen if mine is None else seen | (Review.account == mine))

    def whose(self, request: Request) -> UUID | None:
        """Whose a review must be: nobody changes what others said, moderators neither."""
        if request.raw.method in ("PUT", "PATCH"):
            return me(request)
        return super().whose(request)

    def create(self, request: Request, data: dict[str, Any]) -> Review:
        """Write a review."""
        return writing.write(me(request), data)

    def change(self, request: Request, row: Review, data: dict[str, Any]) -> Review:
        """Change a review."""
        return writing.change(row, data)

    def remove(self, request: Request, row: Review) -> None:
        """Delete a review; that a moderator did is written down."""
        if row.account != me(request):
            audit("review.deleted", f"review:{row.id}", account=str(row.account))
        writing.delete(row)

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, and what readers and moderators do."""
        served = (_authors_own(route) for route in super().routes(path))
        return (*served, *self._of_readers(path), *self._of_moderators(path))

    def _of_readers(self, path: str) -> tuple[Route, ...]:
        item = f"{path}/{{id}}"
        return (
            Route("GET", f"{path}/summary", _summary, PUBLIC, "Summarize the reviews of a product",
                  parameters=(_PRODUCT,), returns=SummarySchema,
                  description="Without a product, those of all products."),
            Route("GET", f"{item}/helpful", self._read_vote, WRITE,
                  "See whether one found a review helpful", returns=HelpfulSchema),
            Route("POST", f"{item}/helpful", self._vote, WRITE, "Find a review helpful",
                  returns=HelpfulSchema),
            Route("DELETE", f"{item}/helpful", self._retract, WRITE,
                  "Find a review helpful no more", returns=HelpfulSchema),
            Route("POST", f"{item}/report", self._report, WRITE, "Report a review",
                  body=ReportingSchema, returns=ReportedSchema),
        )  # fmt: skip

    def _of_moderators(self, path: str) -> tuple[Route, ...]:
        item = f"{path}/{{id}}"
        return (
            Route("POST", f"{item}/approve", self._approve, MODERATE, "Approve a review",
                  returns=self.shape),
            Route("POST", f"{item}/reject", self._reject, MODERATE, "Reject a review",
                  body=RejectionSchema, returns=self.shape),
        )  # fmt: skip

    def _read_vote(self, request: Request) -> dict[str, Any]:
        return _helpful(self.get(request), me(request))

    def _vote(self, request: Request) -> dict[str, Any]:
        with transaction():
            review = self.get(request, lock=True)
            reacting.vote(review, me(request))
            return _helpful(review, me(request))

    def _retract(self, request: Request) -> dict[str, Any]:
        with transaction():
            review = self.get(request, lock=True)
            reacting.retract(review, me(request))
            return _helpful(review, me(request))

    def _report(self, request: Request) -> dict[str, Any]:
        with transaction():
            review = self.get(request, lock=True)
            made = reacting.report(review, me(request), **request.body)
            return {"review": review.id, "reason": made.reason, "text": made.text}

    def _approve(self, request: Request) -> dict[str, Any]:
        with transaction():
            return self.show(writing.decide(self.hold(request), "approved"), request)

    def _reject(self, request: Request) -> dict[str, Any]:
        with transaction():
            row = writing.decide(self.hold(request), "rejected", request.body["reason"])
            return self.show(row, request)


class Mine(Collection):
    """One's own reviews, whatever became of them."""

    model, schema, noun = Review, ReviewSchema, "review"
    nouns = "one's own reviews"
    read = write = WRITE
    objects, owner = "own", Review.account
    filters = _FILTERS
    orderings: ClassVar = Reviews.orderings
    verbs = ("list",)


class Reports(Collection):
    """What was reported and not decided about yet."""

    model, schema, noun = Report, ReportSchema, "report"
    read = write = MODERATE
    verbs = ("list",)
    filters = (
        Filter(Parameter("review", UUID, "Only of this review."),
               lambda value: Report.review == value),
    )  # fmt: skip


def _authors_own(route: Route) -> Route:
    """Let only authors replace or change a review."""
    return replace(route, beyond="") if route.method in ("PUT", "PATCH") else route


def me(request: Request) -> UUID:
    """Return the account that is calling.

    Raises:
        PermissionDenied: it is none.
    """
    found = _uuid(request.identity.subject)
    if found is None:
        raise PermissionDenied("You have no account here.")
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _helpful(review: Review, account: UUID) -> dict[str, Any]:
    return {"helpful": review.helpful, "voted": reacting.voted(review, account)}


def _is_shown(product: UUID, request: Request) -> bool:
    """Whether the caller may know what is said of a product."""
    found = products.products_of([product]).get(product)
    return found is not None and (found.is_active or request.identity.may(MODERATE))


def _summary(request: Request) -> dict[str, Any]:
    product = request.query.get("product")
    if product is not None and not _is_shown(product, request):
        message = "There is no product with this id."
        raise NotFound(message, [FieldError("product", message, str(product))])
    found = ratings.summary(product)
    shown: dict[str, Any] = SummarySchema().dump(
        {"product": product, "rating": found.mean, "count": found.count, "histogram": found}
    )
    return shown
