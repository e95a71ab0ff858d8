"""The hook that this addon publishes; other addons implement it in their plugins."""

from bodega_media.storage import Storage
from bodega_sdk import hook


@hook("provide", budget=1.0)
def provide_storage(name: str) -> Storage:
    """Return the storage of a name, the one that the setting ``media.storage`` says.

    Called for every use of a storage that is neither ``local`` nor ``s3``: keep what is costly,
    such as a client. Return None for names that are not yours.
    """
    raise AssertionError("a specification is not called")
