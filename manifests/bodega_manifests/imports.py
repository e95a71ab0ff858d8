"""The manifest of imports."""

from bodega_sdk import Manifest, Setting, manifest_hook

#: Of files that are fetched, sent in pieces or found in a folder.
_WAYS_IN = (
    Setting(
        "allow_hosts", str, default="",
        help="Hosts at private addresses that files may be fetched from: names, "
        "'*.example.com' or '*', with commas",
    ),
    Setting(
        "fetch_minutes", int, default=30, minimum=1, maximum=720,
        help="Minutes in which a file must have been fetched",
    ),
    Setting(
        "upload_hours", int, default=24, minimum=1, maximum=168,
        help="Hours after which a resumable upload is deleted that is not gone on with",
    ),
    Setting(
        "unfinished_uploads", int, default=20, minimum=1, maximum=1000,
        help="Resumable uploads that an account may have begun at a time",
    ),
    Setting(
        "watched_folder", str, default="",
        help="Folder, with its whole path, whose files are imported for the whole shop "
        "when they appear; empty for none",
    ),
)  # fmt: skip


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="imports",
        version="0.1.0",
        package="bodega_imports",
        summary="Product catalogues from files, with progress and a reason for every bad row",
        depends=("products>=0.1",),
        routes=("imports", "exports"),
        permissions={
            "imports.read": "See the imports of one's own organization, and their progress",
            "imports.write": "Import files, for one's own organization",
            "imports.export": "Export the products of one's own organization",
            "imports.all": "The same for the whole shop",
        },
        grants={
            "vendor": ("imports.read", "imports.write", "imports.export"),
            "staff": ("imports.read", "imports.write", "imports.export", "imports.all"),
        },
        # Files are fetched from wherever somebody says, of the internet.
        uses={"hosts": ("*",)},
        settings=(
            Setting(
                "export_days", int, default=7, minimum=1, maximum=365,
                help="Days that the file of an export is kept",
            ),
            Setting(
                "exports_kept", int, default=50, minimum=1, maximum=1000,
                help="Files of exports that an organization has at most, and so the shop itself: "
                "a new one takes the place of the oldest",
            ),
            *_WAYS_IN,
            Setting(
                "largest_mb", int, default=500, minimum=1, maximum=10_000,
                help="Megabytes of a file at most",
            ),
            Setting(
                "largest_unpacked_mb", int, default=2000, minimum=1, maximum=100_000,
                help="Megabytes of a file at most, once a gzip, a zip or a workbook is unpacked",
            ),
            Setting(
                "chunk_rows", int, default=10_000, minimum=100, maximum=50_000,
                help="Rows written in one transaction at most: as many as take about a tenth "
                "of a second",
            ),
            Setting(
                "at_once", int, default=2, minimum=1, maximum=4,
                help="Transactions that are open at a time, on PostgreSQL: two take less time, "
                "one leaves more of the machine to others",
            ),
        ),
    )  # fmt: skip
