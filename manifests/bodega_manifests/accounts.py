"""The manifest of accounts."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="accounts",
        version="0.1.0",
        package="bodega_accounts",
        summary="People, their roles, and logging in",
        routes=("auth", "users", "organizations", "addresses", "api-keys"),
        permissions={
            "accounts.read": "See all accounts",
            "accounts.write": "Create, change and delete accounts",
        },
        grants={"staff": ("accounts.read",)},
        settings=(
            Setting(
                "access_minutes", int, default=15, minimum=1, maximum=1440,
                help="Minutes that an access token is good",
            ),
            Setting(
                "refresh_days", int, default=7, minimum=1, maximum=365,
                help="Days that a refresh token is good, so that long may one be away",
            ),
            Setting(
                "session_days", int, default=90, minimum=1, maximum=3650,
                help="Days after which one logs in again, however often one was here",
            ),
            Setting(
                "refresh_grace_seconds", int, default=30, minimum=0, maximum=300,
                help="Seconds in which a refresh token can be used again, by a second tab or "
                "after an answer that was lost; later its session ends as stolen",
            ),
            Setting("registration", bool, default=True, help="Whether people can register"),
            Setting(
                "confirmation", str, default="required", choices=("required", "optional"),
                help="Whether an address must be confirmed before one can log in; only then "
                "can nobody find out by registering who has an account",
            ),
            Setting(
                "confirm_link", str, default="",
                help="The page that confirms an address, with {token} in it; empty tells the API",
            ),
            Setting(
                "reset_link", str, default="",
                help="The page that sets a new password, with {token} in it; empty tells the API",
            ),
            Setting(
                "email_link", str, default="",
                help="The page that confirms a changed address, with {token} in it; empty tells "
                "the API",
            ),
            Setting(
                "issuer", str, default="",
                help="The shop's name in authenticator apps; its address when empty",
            ),
        ),
    )  # fmt: skip
