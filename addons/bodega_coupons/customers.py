"""Who used a coupon: an account, an e-mail address, or both."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bodega_coupons.models import REDEEMED, Redemption


def counted(email: str) -> str:
    """Return what an e-mail address is counted as: mails for ``ada+two@`` reach ``ada@``.

    Args:
        email: as it was given; empty stays so.

    Example::

        >>> counted(" Ada+Spring@Shop.Example")
        'ada@shop.example'
    """
    local, at, domain = email.strip().lower().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose uses are counted together.

    Args:
        account: None for a guest.
        emails: as they are counted, the account's own too; empty while none is known.
        addresses: the same as they were given, in lower case.
    """

    account: UUID | None
    emails: frozenset[str]
    addresses: frozenset[str]

    @classmethod
    def of(cls, account: UUID | None, *emails: str) -> "Customer":
        """Return the customer with an account and addresses, as they were given."""
        given = frozenset(item.strip().lower() for item in emails if item)
        return cls(account, frozenset(map(counted, given)), given)

    @property
    def is_known(self) -> bool:
        """Whether anything is known to count by."""
        return self.account is not None or bool(self.emails)

    @property
    def names(self) -> list[str]:
        """All that they are counted by."""
        return [*self.emails, *([str(self.account)] if self.account else [])]

    def redeemed(self, table: Any = Redemption) -> Any:
        """Return the condition that a redemption is theirs, and was not released."""
        theirs = table.email.in_(sorted(self.emails))
        if self.account is not None:
            theirs |= table.account == self.account
        return theirs & (table.state == REDEEMED)
