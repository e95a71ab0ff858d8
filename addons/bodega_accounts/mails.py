"""What is mailed to people: each function writes one mail in the open transaction."""

from bodega_accounts.mailed_tokens import HOURS
from bodega_accounts.models import Account
from bodega_sdk import public_url, send_mail, setting

_PAGES = {
    "confirm": "accounts.confirm_link",
    "reset": "accounts.reset_link",
    "email": "accounts.email_link",
}
_API = "/api/v1/auth"
_END = "\n\nIf this was not you, somebody typed your address; you need do nothing."
_ALARM = "\n\nIf this was not you, reset your password at once, and tell us."


def confirm_registration(email: str, token: str) -> None:
    """Ask whether an address was registered by who reads it."""
    how = _way("confirm", "register/confirm", token)
    send_mail(email, "Confirm your address", f"Welcome! Confirm your address:\n\n{how}{_END}")


def confirm_by_choosing(account: Account, token: str) -> None:
    """Ask the same once more, and for a password."""
    how = way_to_reset(token)
    text = (
        f"Welcome! Confirm your address by choosing a password within {HOURS['reset']} hour, "
        "the one you thought of or another:"
    )
    send_mail(account.email, "Confirm your address", f"{text}\n\n{how}{_END}")


def already_registered(account: Account) -> None:
    """Tell somebody that their address was registered once more."""
    text = (
        "Somebody registered with your address, which has an account already. If it was you, "
        "log in as before, or reset your password."
    )
    send_mail(account.email, "You have an account already", text + _END)


def reset_password(account: Account, token: str) -> None:
    """Let somebody choose a new password."""
    how = way_to_reset(token)
    text = f"Choose a new password within {HOURS['reset']} hour:\n\n{how}{_END}"
    send_mail(account.email, "Choose a new password", text)


def way_to_reset(token: str) -> str:
    """Return how to choose a new password with a token."""
    return _way("reset", "password/reset/confirm", token)


def password_changed(account: Account) -> None:
    """Tell somebody that their password was changed."""
    text = "Your password was changed, and you were logged out elsewhere."
    send_mail(account.email, "Your password was changed", text + _ALARM)


def confirm_email(email: str, token: str) -> None:
    """Ask whether somebody's new address is read by them."""
    how = _way("email", "email/confirm", token)
    send_mail(email, "Confirm your new address", f"Confirm your new address:\n\n{how}{_END}")


def email_changed(old: str, new: str) -> None:
    """Tell the old address that it is none any more."""
    text = f"Your account's address is {new} from now on."
    send_mail(old, "Your address was changed", text + _ALARM)


def session_stolen(account: Account, address: str) -> None:
    """Tell somebody that a session of theirs was ended because it looks stolen."""
    text = (
        f"A login of yours was continued twice, the second time from {address}. One of the two "
        "was not your device, so it was ended; log in again."
    )
    send_mail(account.email, "One of your logins was ended", text + _ALARM)


def second_factor_changed(account: Account, what: str) -> None:
    """Tell somebody that their second factor was changed."""
    text = f"The second factor of your account was {what}."
    send_mail(account.email, "Your second factor was changed", text + _ALARM)


def _way(purpose: str, path: str, token: str) -> str:
    """Return how to send a token back: the shop's own page, or the API where there is none."""
    page: str = setting(_PAGES[purpose])
    if page:
        return page.replace("{token}", token)
    return f"POST {public_url()}{_API}/{path} with this token:\n\n{token}"
