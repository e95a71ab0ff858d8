"""Storages: a bucket on a real server, one that an addon brings along, and one that fails."""

import io
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import obstore
import pytest
from obstore.store import S3Store
from PIL import Image

from bodega_media import sweeping
from bodega_media.choosing import storage
from bodega_media.models import Image as Row
from bodega_media.models import Stored
from bodega_media.storage import Missing
from bodega_sdk import database, folder, now, transaction
from bodega_sdk.testing.client import Client

IMAGES, PRODUCTS = "/api/v1/media/images", "/api/v1/products"
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
Uploaded = Callable[..., dict[str, Any]]


@pytest.fixture
def in_bucket(bucket: Any, setting: Any) -> S3Store:
    """The bucket, which the shop keeps its pictures in from now on."""
    for name, value in (
        ("s3_endpoint", bucket.url), ("s3_bucket", bucket.name), ("s3_access_key", "key"),
        ("s3_secret_key", "secret"), ("storage", "s3"),
    ):  # fmt: skip
        setting(name, value)
    return S3Store(
        bucket.name, endpoint=bucket.url, access_key_id="key", secret_access_key="secret",
        region="us-east-1", client_options={"allow_http": True},
    )  # fmt: skip


def names(store: S3Store, prefix: str) -> list[str]:
    return [item["path"] for some in obstore.list(store, prefix) for item in some]


def test_pictures_are_kept_in_a_bucket_and_served_from_it(
    files: Any, client: Client, staff: Client, uploaded: Uploaded, in_bucket: S3Store
) -> None:
    data = files.written(files.photo((3000, 2000)), "PNG")
    assert len(data) > 5 * 2**20, "a large file goes in parts"
    made = uploaded(data)
    key = made["hash"]
    name = f"objects/{key[:2]}/{key}.png"
    assert obstore.head(in_bucket, name)["size"] == made["bytes"]
    assert obstore.get(in_bucket, name).attributes["Content-Type"] == "image/png"
    assert files.got(client, made["url"]).size == (3000, 2000)
    for _ in range(2):
        assert files.got(client, made["sizes"]["640"]).size == (640, 427)
    assert names(in_bucket, f"sizes/{key[:2]}/{key}") == [
        f"sizes/{key[:2]}/{key}/640x-contain-82.webp"
    ]
    assert not [path for path in folder("media").rglob("*") if path.is_file()]
    # And away again.
    staff.delete(f"{IMAGES}/{made['id']}").expect(204)
    Stored.update(touched_at=now() - sweeping.GRACE * 2).execute()
    assert sweeping.sweep(transaction) == 1
    assert names(in_bucket, f"sizes/{key[:2]}/{key}") == []
    with pytest.raises(FileNotFoundError):
        obstore.head(in_bucket, name)


@ONE_ENGINE
def test_a_file_is_kept_although_its_folder_is_swept_away(shop: Any) -> None:
    place, over = folder("media") / "objects" / "ab", threading.Event()

    def sweep() -> None:
        while not over.is_set():
            with suppress(OSError):
                place.rmdir()
            time.sleep(0.0005)

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for number in range(300):
            name = f"objects/ab/{number}.png"
            storage().put(name, io.BytesIO(b"picture"), "image/png")
            assert storage().get(name) == b"picture"
            storage().delete(name)
    finally:
        over.set()
        sweeper.join()


@ONE_ENGINE
def test_a_bucket_keeps_the_promises_of_a_storage(in_bucket: S3Store) -> None:
    where = storage()
    where.put("sizes/ab/x/1", io.BytesIO(b"one"), "image/png")
    where.put("sizes/ab/x/1", io.BytesIO(b"another"), "image/png")
    assert where.get("sizes/ab/x/1") == b"another"
    assert where.exists("sizes/ab/x/1")
    assert list(where.names("sizes/ab/x/")) == ["sizes/ab/x/1"]
    where.delete("sizes/ab/x/1")
    where.delete("sizes/ab/x/1")
    assert not where.exists("sizes/ab/x/1")
    with pytest.raises(Missing):
        where.get("sizes/ab/x/1")


@ONE_ENGINE
@pytest.mark.parametrize("storage", ["s3", "nobody"])
def test_a_storage_that_does_not_answer_is_a_503_and_changes_nothing(
    files: Any, client: Client, staff: Client, product: str, uploaded: Uploaded, setting: Any,
    storage: str,
) -> None:  # fmt: skip
    made = uploaded()
    for name, value in (("s3_endpoint", "http://127.0.0.1:9"), ("s3_bucket", "x"),
                        ("storage", storage)):  # fmt: skip
        setting(name, value)
    refused = files.upload(staff, product, files.png())
    assert storage in refused.expect(503)["detail"]
    assert client.get(f"/api/v1/media/{made['hash']}").status_code == 503
    assert Row.select().count() == 1


# As somebody else would write it, with a picture service behind it.
FOREIGN = '''
from urllib.parse import urlencode

from bodega_media.api import Missing, Storage

FILES = {{}}
PUT = []


class Elsewhere(Storage):
    """A picture service that serves its pictures itself, in every size."""

    def put(self, name, source, media):
        PUT.append(name)
        FILES[name] = source.read()

    def get(self, name):
        if name not in FILES:
            raise Missing(name)
        return FILES[name]

    def exists(self, name):
        return name in FILES

    def delete(self, name):
        FILES.pop(name, None)

    def names(self, prefix):
        return [name for name in FILES if name.startswith(prefix)]

    def url(self, name, size, expires):
        steps = [f"w_{{size.width}}"] if size.width else []
        steps += [f"h_{{size.height}}"] if size.height else []
        steps += ["c_fill"] if size.fit == "cover" else []
        steps += [f"f_{{size.format}}"] if size.format else []
        path = "/".join(["https://pictures.example", ",".join(steps) or "as-is", name])
        return f"{{path}}?until={{int(expires.timestamp())}}" if expires else path


@hookimpl
def provide_storage(name):
    return Elsewhere() if name == "elsewhere" else None
'''.replace("{{", "{").replace("}}", "}")


def test_an_addon_brings_a_storage_that_builds_its_own_addresses(
    files: Any, addon: Any, client: Client, staff: Client, uploaded: Uploaded, setting: Any
) -> None:
    addon("elsewhere", FOREIGN, depends=("media",))
    setting("storage", "elsewhere")
    made = uploaded(files.png((800, 600)), is_primary="true")
    name = f"objects/{made['hash'][:2]}/{made['hash']}.png"
    assert made["url"] == f"https://pictures.example/as-is/{name}"
    assert made["sizes"]["320x320"] == (
        f"https://pictures.example/w_320,h_320,c_fill,f_webp/{name}"
    )
    assert made["sizes"]["640"] == f"https://pictures.example/w_640,f_webp/{name}"
    shown = client.get(f"{PRODUCTS}/{made['product']}").expect(200)["media"]["primary"]
    assert (shown["url"], shown["sizes"]) == (made["url"], made["sizes"])
    asked = {"w": 99, "minutes": 5}
    link = staff.post(f"{IMAGES}/{made['id']}/links", asked).expect(201)
    assert link["url"].startswith(f"https://pictures.example/w_99/{name}?until=")
    # The shop's own address works too, e.g. in the console.
    assert files.got(client, f"/api/v1/media/{made['hash']}?w=640").size == (640, 480)
    assert not [path for path in folder("media").rglob("*") if path.is_file()]


@ONE_ENGINE
def test_equal_pictures_are_put_once(
    files: Any, addon: Any, staff: Client, product: str, uploaded: Uploaded, setting: Any,
    crowd: Any,
) -> None:  # fmt: skip
    addon("elsewhere", FOREIGN, depends=("media",))
    setting("storage", "elsewhere")
    import bodega_test_elsewhere.plugin as plugin  # type: ignore[import-not-found]

    data = files.png()
    uploaded(data)
    answers = crowd.call(*[lambda: files.upload(staff, product, data)] * 4)
    assert [item.status_code for item in answers] == [201] * 4
    assert len(plugin.PUT) == 1
    assert Image.open(io.BytesIO(next(iter(plugin.FILES.values())))).format == "PNG"
    assert database.obj is not None
