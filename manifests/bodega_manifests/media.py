"""The manifest of media."""

from bodega_sdk import Manifest, Setting, manifest_hook

_SETTINGS = (
    Setting(
        "storage", str, default="local",
        help="Where pictures are kept: local, s3, or what an addon provides",
    ),
    Setting(
        "s3_endpoint", str, default="",
        help="Address of the S3-compatible server; Amazon's own when empty",
    ),
    Setting("s3_bucket", str, default="", help="Name of the bucket, which must exist"),
    Setting("s3_region", str, default="us-east-1", help="Region of the bucket"),
    Setting("s3_access_key", str, default="", secret=True, help="Id of its access key"),
    Setting("s3_secret_key", str, default="", secret=True, help="Secret of its access key"),
    Setting(
        "largest_mb", int, default=25, minimum=1, maximum=100,
        help="Megabytes of an uploaded file at most",
    ),
    Setting(
        "memory_mb", int, default=512, minimum=64, maximum=700,
        help="Megabytes that pictures may take in one process while they are decoded, "
        "however many are; a picture that would need more is refused",
    ),
    Setting(
        "pictures_per_product", int, default=50, minimum=1, maximum=500,
        help="Pictures of one product at most",
    ),
    Setting(
        "sizes", str, default="160x160 320x320 640 960 1280 1920",
        help="Sizes that anybody may ask for, with spaces between: '640' is a width, "
        "'x480' a height, '320x320' a box; others must be signed",
    ),
    Setting(
        "quality", int, default=82, minimum=30, maximum=95,
        help="Quality of JPEG, WebP and AVIF, where a signed address says no other",
    ),
    Setting(
        "fetch_named", bool, default=True,
        help="Whether pictures are fetched that imported files name by their addresses",
    ),
    Setting(
        "allow_hosts", str, default="",
        help="Hosts that they may be fetched from at private addresses, for development: "
        "names, '*.example.com' or '*', with commas",
    ),
    Setting(
        "link_minutes", int, default=60, minimum=1, maximum=525_600,
        help="Minutes that a signed address is good, where nobody says otherwise",
    ),
)  # fmt: skip


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="media",
        version="0.1.0",
        package="bodega_media",
        summary="Pictures of products, in every size that a storefront needs",
        depends=("products",),
        permissions={
            "media.read": "See the pictures of one's own organization's products, private ones too",
            "media.write": "Add, change and remove them",
            "media.write_all": "The same with the pictures of everybody's products",
        },
        grants={
            "vendor": ("media.read", "media.write"),
            "staff": ("media.read", "media.write", "media.write_all"),
        },
        # The operator says where a bucket is.
        uses={"events": ("product.updated", "product.pictures_named"), "hosts": ("*",)},
        settings=_SETTINGS,
    )
