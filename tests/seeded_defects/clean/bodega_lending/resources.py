"""The routes of lending."""

from typing import Any, ClassVar
from uuid import UUID

from bodega_lending import loans
from bodega_lending.models import Loan, Offer
from bodega_lending.schemas import LoanSchema, OfferSchema

from bodega_sdk import Collection, Filter, Parameter, Request, Route, transaction


class Offers(Collection):
    """Offers."""

    model = Offer
    schema = OfferSchema
    noun = "offer"
    read = "lending.read"
    write = "lending.write"
    filters = (
        Filter(Parameter("product", UUID, "Of this product."), lambda key: Offer.product == key),
        Filter(
            Parameter("is_open", bool, "Only open, or only closed ones."),
            lambda value: Offer.is_open == value,
        ),
    )

    def create(self, request: Request, data: dict[str, Any]) -> Offer:
        """Offer a product."""
        return loans.save_offer(Offer(), data, new=True)

    def change(self, request: Request, row: Offer, data: dict[str, Any]) -> Offer:
        """Change an offer."""
        return loans.save_offer(row, data, new=False)


class Loans(Collection):
    """Loans, and taking back what was lent out."""

    model = Loan
    schema = LoanSchema
    noun = "loan"
    read = "lending.read"
    write = "lending.write"
    verbs = ("list", "create", "read", "delete")
    filters = (
        Filter(Parameter("offer", UUID, "Of this offer."), lambda key: Loan.offer == key),
        Filter(
            Parameter("borrower", str, "Of exactly this borrower."),
            lambda name: Loan.borrower == name,
        ),
        Filter(
            Parameter("is_open", bool, "Only those that are out, or only those that came back."),
            lambda value: Loan.returned_at.is_null(value),
        ),
    )
    orderings: ClassVar = {"due_at": Loan.due_at}

    def create(self, request: Request, data: dict[str, Any]) -> Loan:
        """Lend a product out."""
        return loans.lend(data["offer_id"], data["borrower"])

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs, and taking back."""
        taking_back = Route(
            "POST", f"{path}/{{id}}/return", self.take_back, self.write, "Take a product back",
            description="A loan that came back already answers 409.", returns=LoanSchema,
        )  # fmt: skip
        return (*super().routes(path), taking_back)

    def take_back(self, request: Request) -> dict[str, Any]:
        """Take a product back."""
        with transaction():
            return self.show(loans.take_back(request.params["id"]))
