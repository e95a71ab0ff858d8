"""The second factor: time-based one-time passwords (RFC 6238), and recovery codes."""

import secrets
import time
from hashlib import sha256
from typing import Any

import pyotp
import segno

from bodega_accounts.models import Account, RecoveryCode
from bodega_sdk import now, seal, transaction, unseal
from bodega_sdk.errors import Conflict, invalid

_PURPOSE = "accounts second factor"
_PERIOD = 30
_RECOVERY_CODES = 10
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def begin(account: Account, issuer: str) -> dict[str, str]:
    """Make a secret for an authenticator app; it counts once :func:`confirm` saw a code.

    Returns:
        The secret, the ``otpauth`` address, and that as a QR code (SVG as a data address).

    Raises:
        Conflict: the account has a second factor.
    """
    if account.second_factor:
        raise Conflict("Your account has a second factor already; remove that one first.")
    secret = pyotp.random_base32()
    account.totp_secret, account.totp_step = seal(_PURPOSE, secret), 0
    changes = {"totp_secret": account.totp_secret, "totp_step": 0}
    without = (Account.id == account.id) & Account.totp_since.is_null()
    Account.update(changes).where(without).execute()
    uri = pyotp.TOTP(secret, name=account.email, issuer=issuer).provisioning_uri()
    picture = segno.make(uri, error="m").svg_data_uri(scale=4)
    return {"secret": secret, "uri": uri, "qr": picture}


def confirm(account: Account, code: str) -> list[str]:
    """Turn the second factor on, and return recovery codes; call it in a transaction.

    Raises:
        Conflict: there is nothing to confirm.
        InvalidInput: the code is wrong.
    """
    if account.second_factor or not account.totp_secret:
        raise Conflict("There is no second factor that waits for its first code.")
    if not _accepts_totp(account, _plain(code)):
        raise invalid("code", "This is not the code that the app shows now.")
    _update(account, totp_since=now())
    return renew_recovery_codes(account)


def accepts(account: Account, code: str) -> bool:
    """Whether a code, or a recovery code, is good; it is used up with that."""
    if not account.totp_secret:
        return False
    with transaction():
        plain = _plain(code)
        return _accepts_totp(account, plain) or _accepts_recovery(account, plain)


def _plain(code: str) -> str:
    return "".join(code.split()).lower()


def _accepts_totp(account: Account, code: str) -> bool:
    totp = pyotp.TOTP(unseal(_PURPOSE, account.totp_secret))
    present = int(time.time()) // _PERIOD
    for step in (present - 1, present, present + 1):
        if secrets.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return _use(account, step)
    return False


def _use(account: Account, step: int) -> bool:
    """Use a time step up: a code that was seen over a shoulder is not good again."""
    later = (Account.id == account.id) & (Account.totp_step < step)
    return bool(Account.update(totp_step=step).where(later).execute())


def _accepts_recovery(account: Account, code: str) -> bool:
    mine = (RecoveryCode.digest == _digest(account, code)) & RecoveryCode.used_at.is_null()
    return bool(RecoveryCode.update(used_at=now()).where(mine).execute())


def renew_recovery_codes(account: Account) -> list[str]:
    """Return new recovery codes, each good once; the old ones are good no more."""
    codes = [_make_code() for _ in range(_RECOVERY_CODES)]
    RecoveryCode.delete().where(RecoveryCode.account == account.id).execute()
    for code in codes:
        RecoveryCode.create(digest=_digest(account, code), account=account)
    return codes


def _make_code() -> str:
    """Return 80 bits as four groups of four letters."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def _digest(account: Account, code: str) -> str:
    return sha256(f"{account.id} {code}".encode()).hexdigest()


def remove(account: Account) -> None:
    """Turn the second factor off; call it in a transaction."""
    RecoveryCode.delete().where(RecoveryCode.account == account.id).execute()
    _update(account, totp_secret="", totp_since=None, totp_step=0)


def left(account: Account) -> int:
    """Return how many recovery codes are unused."""
    unused = (RecoveryCode.account == account.id) & RecoveryCode.used_at.is_null()
    number: int = RecoveryCode.select().where(unused).count()
    return number


def _update(account: Account, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(account, name, value)
    Account.update(changes).where(Account.id == account.id).execute()
