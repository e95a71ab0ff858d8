"""How often one may try, so that passwords cannot be guessed and nobody is flooded.

Nobody can lock another one out: an account that is attacked from everywhere can still be
logged in to from the addresses that its owner used before.
"""

from contextlib import suppress

from bodega_accounts.models import Account, Session
from bodega_sdk import RateLimit, network_of
from bodega_sdk.errors import TooManyRequests

#: Wrong passwords for one account from one address.
GUESSES = RateLimit("accounts.guesses", 5, 300)
#: Wrong passwords from one address, for whichever account.
FROM_ADDRESS = RateLimit("accounts.guesses_from_address", 50, 300)
#: Wrong passwords for one account, from addresses that it was never used from.
FOR_ACCOUNT = RateLimit("accounts.guesses_for_account", 30, 3600)
#: Registrations from one address.
REGISTRATIONS = RateLimit("accounts.registrations", 20, 3600)
#: Mails that one can have sent: from one address, and to one.
MAILS_FROM_ADDRESS = RateLimit("accounts.mails_from_address", 10, 3600)
MAILS_TO = RateLimit("accounts.mails_to", 3, 3600)
#: Registrations of one address that are mailed to it: each by somebody else, perhaps.
REGISTRATION_MAILS_TO = RateLimit("accounts.registration_mails_to", 10, 3600)
#: Proofs of identity by somebody who is logged in: passwords, and codes apart from them,
#: so that who knows the password does not try all the codes.
PROOFS = RateLimit("accounts.proofs", 10, 300)
CODES = RateLimit("accounts.codes", 10, 300)


def before_guess(account: Account | None, login: str, address: str) -> None:
    """Count an attempt to log in.

    Raises:
        TooManyRequests: there were too many; the same whether or not there is the account.
    """
    name, network = _name(account, login), network_of(address)
    if not FROM_ADDRESS.left(network):
        FROM_ADDRESS.hit(network)
    if not FOR_ACCOUNT.left(name) and not _is_familiar(account, address):
        FOR_ACCOUNT.hit(name)
    # Counted before the password is looked at: many at once are no way around it.
    GUESSES.hit(f"{name} {network}")


def after_wrong_guess(account: Account | None, login: str, address: str) -> None:
    """Count a wrong one where only those count; it is refused for another reason already."""
    for limit, key in ((FROM_ADDRESS, network_of(address)), (FOR_ACCOUNT, _name(account, login))):
        with suppress(TooManyRequests):
            limit.hit(key)


def after_right_guess(account: Account, address: str) -> None:
    """Forget the wrong ones of an address that has found the right one."""
    GUESSES.reset(f"{account.id} {network_of(address)}")


def plain(login: str) -> str:
    """Return an e-mail address or username as it is stored, however it was typed."""
    return login.strip().lower()


def _name(account: Account | None, login: str) -> str:
    return str(account.id) if account is not None else plain(login)


def _is_familiar(account: Account | None, address: str) -> bool:
    """Whether an account was logged in to from an address before."""
    if account is None:
        return False
    used = Session.select(Session.address).where(Session.account == account.id).distinct()
    return network_of(address) in {network_of(row.address) for row in used}
