"""Pictures in a bucket of S3, or of any server that speaks like it."""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import IO, TYPE_CHECKING

import obstore
from obstore.store import S3Store

from bodega_media.storage import Missing, Storage
from bodega_sdk import setting

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config


class BucketStorage(Storage):
    """A bucket, which stays private: the shop serves what is in it."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def put(self, name: str, source: IO[bytes], media: str) -> None:
        """Keep a file; a large one goes in parts."""
        obstore.put(self._store, name, source, attributes={"Content-Type": media})

    def get(self, name: str) -> bytes:
        """Return a file's bytes."""
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError:
            raise Missing(name) from None

    def exists(self, name: str) -> bool:
        """Whether there is a file."""
        try:
            obstore.head(self._store, name)
        except FileNotFoundError:
            return False
        return True

    def delete(self, name: str) -> None:
        """Delete a file."""
        with suppress(FileNotFoundError):
            obstore.delete(self._store, name)

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of the files below a folder, a thousand at a time."""
        for some in obstore.list(self._store, prefix):
            yield from (item["path"] for item in some)


def from_settings() -> BucketStorage:
    """Return the bucket that the settings name."""
    return _bucket(
        setting("media.s3_endpoint"), setting("media.s3_bucket"), setting("media.s3_region"),
        setting("media.s3_access_key"), setting("media.s3_secret_key"),
    )  # fmt: skip


# A client keeps its connections; another one is made when a setting changes.
@lru_cache(maxsize=4)
def _bucket(endpoint: str, bucket: str, region: str, access: str, secret: str) -> BucketStorage:
    config: S3Config = {"region": region}
    if endpoint:
        config["endpoint"] = endpoint
    if access:
        config["access_key_id"], config["secret_access_key"] = access, secret
    plain = endpoint.startswith("http://")
    options: ClientConfig = {"allow_http": plain, "timeout": "20s", "connect_timeout": "3s"}
    store = S3Store(bucket, config=config, client_options=options, retry_config={"max_retries": 2})
    return BucketStorage(store)
