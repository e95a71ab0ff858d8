"""The manifest of notifications."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="notifications",
        version="0.1.0",
        package="bodega_notifications",
        summary="Tells people what happened, in an inbox, by mail and on their phones",
        depends=("accounts",),
        permissions={
            "notifications.templates": "See how notifications are worded",
            "notifications.outbox": "See who was told what, and by which way",
        },
        uses={"events": ("*",), "hosts": ("*",)},
        settings=(
            Setting(
                "language", str, default="en",
                help="Language (BCP 47) of those who prefer none, and of the team",
            ),
            Setting(
                "team_urls", str, default="", secret=True,
                help="Addresses of apprise, with spaces between, that the shop's own team is "
                "told at; kept in the outbox when empty",
            ),
            Setting(
                "sms_url", str, default="", secret=True,
                help="Address of apprise that sends text messages, with {phone} in it; they are "
                "kept in the outbox when empty",
            ),
            Setting(
                "personal_services", str, default="json discord slack tgram pover pbul",
                help="Services of apprise, with spaces between, that people may use for "
                "themselves; none that is told which server to connect to works but json",
            ),
            Setting(
                "private_targets", bool, default=False,
                help="Whether people's own targets may be on this machine and in its networks; "
                "for tests and closed networks only",
            ),
            Setting(
                "preferences_link", str, default="",
                help="The page where people choose what they are told, for the foot of mails",
            ),
            Setting(
                "digest_hour", int, default=8, minimum=0, maximum=23,
                help="Hour of the day, in everybody's own time zone, at which daily digests leave",
            ),
            Setting(
                "keep_days", int, default=90, minimum=1, maximum=3650,
                help="Days after which notifications are forgotten",
            ),
        ),
    )  # fmt: skip
