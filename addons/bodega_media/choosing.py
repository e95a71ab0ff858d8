"""The storage that the operator chose, and what it means when it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO

from bodega_media.hookspecs import provide_storage
from bodega_media.sizes import Size
from bodega_media.storage import LocalStorage, Missing, Storage
from bodega_sdk import setting
from bodega_sdk.errors import Problem, Unavailable


class Guarded(Storage):
    """A storage whose failures are an answer: it is unavailable, and will be back."""

    def __init__(self, name: str, storage: Storage) -> None:
        self._name, self._storage = name, storage

    def put(self, name: str, source: IO[bytes], media: str) -> None:
        """Keep a file."""
        with self._told():
            self._storage.put(name, source, media)

    def get(self, name: str) -> bytes:
        """Return a file's bytes."""
        with self._told():
            return self._storage.get(name)

    def exists(self, name: str) -> bool:
        """Whether there is a file."""
        with self._told():
            return self._storage.exists(name)

    def delete(self, name: str) -> None:
        """Delete a file."""
        with self._told():
            self._storage.delete(name)

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of files."""
        with self._told():
            yield from self._storage.names(prefix)

    def url(self, name: str, size: Size, expires: datetime | None) -> str | None:
        """Return where the storage itself serves a picture."""
        # Lists ask this often, and most storages have nothing to say.
        if type(self._storage).url is Storage.url:
            return None
        with self._told():
            return self._storage.url(name, size, expires)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (Missing, Problem):
            raise
        # Every client library has errors of its own, and whoever wrote it some more.
        except Exception as error:
            raise Unavailable(
                f"The storage '{self._name}' of pictures does not answer: {type(error).__name__}.",
                retry_after=10,
            ) from error


def storage() -> Storage:
    """Return the storage in use.

    Raises:
        Unavailable: the setting names one that is not there.
    """
    name = setting("media.storage")
    if name == "local":
        return Guarded(name, LocalStorage())
    found = _bucket() if name == "s3" else provide_storage(name)
    if found is None:
        raise Unavailable(f"No addon provides the storage '{name}' that media.storage names.")
    return Guarded(name, found)


def _bucket() -> Storage:
    # It takes 16 MB, which most shops have no use for.
    from bodega_media import s3

    if not setting("media.s3_bucket"):
        raise Unavailable("The storage 's3' needs a bucket: set media.s3_bucket.")
    return s3.from_settings()
