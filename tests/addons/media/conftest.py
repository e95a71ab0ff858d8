"""Fixtures: a shop with pictures, products in it, files made by Pillow, a server like S3."""

import io
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image, ImageCms
from tests import copied_shop

from bodega.addons import lifecycle
from bodega.http.gate import Gate
from bodega.shop import Shop
from bodega_accounts import sessions
from bodega_accounts.models import Account, Organization
from bodega_sdk import transaction, uuid7
from bodega_sdk.testing.client import Answer, Client

IMAGES = "/api/v1/media/images"
PRODUCTS = "/api/v1/products"

settings, shop, new_shop = copied_shop.settings, copied_shop.shop, copied_shop.new_shop


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of the shop."""
    return ("accounts", "products", "media")


@pytest.fixture
def staff(client: Client) -> Client:
    """Somebody who looks after all products."""
    return client.as_user("staff")


@pytest.fixture
def setting(set_to: Callable[[str, Any], None]) -> Callable[[str, Any], None]:
    """Change a setting of the addon, as an operator does."""
    return set_to


@pytest.fixture
def product(staff: Client) -> str:
    """The id of a product of the shop's own."""
    return make_product(staff)


def make_product(client: Client, **members: Any) -> str:
    """Make a product; return its id."""
    body = {"name": "A red lamp", "sku": uuid7().hex, "price": "9.99"} | members
    return str(client.post(PRODUCTS, body).expect(201)["id"])


@pytest.fixture
def vendor_of(client: Client) -> Callable[[str], Client]:
    """Return a client of a vendor of an organization."""

    def make(name: str) -> Client:
        organization = Organization.get_or_none(name=name) or Organization.create(name=name)
        account = Account.create(
            email=f"{uuid7().hex}@shop.example", role="vendor", password="-", preferences={},
            organization=organization,
        )  # fmt: skip
        with transaction():
            pair = sessions.begin(account, "127.0.0.1", "test")
        return Client(client.gate, client.shop, pair["access"])

    return make


def upload(client: Client, product: str, data: bytes, media: str = "image/png", **query: Any) -> (
    Answer
):  # fmt: skip
    """Upload a picture as the whole body."""
    params = {"product": product} | query
    return client.post(IMAGES, body=data, headers={"Content-Type": media}, params=params)


@pytest.fixture
def uploaded(staff: Client, product: str) -> Callable[..., dict[str, Any]]:
    """Upload a picture for the product; return what it became."""

    def send(data: bytes = b"", **query: Any) -> dict[str, Any]:
        of = query.pop("product", product)
        found: dict[str, Any] = upload(staff, of, data or png(), **query).expect(201)
        return found

    return send


# Files.


def written(picture: Image.Image, format: str, **options: Any) -> bytes:
    """Return a picture as a file."""
    made = io.BytesIO()
    picture.save(made, format, **options)
    return made.getvalue()


_number = iter(range(1, 2**24))


def png(size: tuple[int, int] = (64, 48), colour: Any = None) -> bytes:
    """Return a small PNG, another one each time."""
    number = next(_number)
    made = Image.new("RGB", size, colour or "teal")
    made.putpixel((0, 0), (number >> 16, number >> 8 & 255, number & 255))
    return written(made, "PNG")


def photo(size: tuple[int, int] = (600, 400)) -> Image.Image:
    """Return something with as much in it as a photo."""
    made = Image.effect_noise((size[0] // 4 or 1, size[1] // 4 or 1), 70).resize(size)
    return Image.merge("RGB", (made, made.transpose(Image.Transpose.FLIP_LEFT_RIGHT), made))


def halves(size: tuple[int, int] = (400, 200)) -> Image.Image:
    """Return a picture that is red on the left and blue on the right."""
    made = Image.new("RGB", size, (220, 30, 30))
    made.paste((30, 30, 220), (size[0] // 2, 0, size[0], size[1]))
    return made


def bomb(width: int, height: int) -> bytes:
    """Return a PNG that says it is huge, and holds what little that takes when compressed."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data)
        )  # fmt: skip

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 30_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", head), chunk(b"IDAT", data), chunk(b"IEND", b""))
    )


def opened(data: bytes) -> Image.Image:
    """Return the picture in a file, loaded."""
    made = Image.open(io.BytesIO(data))
    made.load()
    return made


def near(found: Any, wanted: tuple[int, ...], by: int = 12) -> bool:
    """Whether a pixel has nearly a colour."""
    return all(abs(one - other) <= by for one, other in zip(found, wanted, strict=True))


def got(client: Client, address: str) -> Image.Image:
    """Get a picture from an address that the shop told."""
    path, _, query = address.partition("?")
    answer = client.get(path, query_string=query)
    assert answer.status_code == 200, answer
    return opened(answer.content)


def form(data: bytes, filename: str = "x.png", media: str = "image/png") -> bytes:
    """Return a form with a file in it."""
    head = (
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        f"Content-Type: {media}\r\n\r\n"
    )
    return head.encode() + data + b"\r\n--b--\r\n"


def swapped_profile() -> bytes:
    """Return a colour profile that says that red is blue and blue is red."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(data[128:132], "big")
    places = {bytes(data[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, blue = places[b"rXYZ"], places[b"bXYZ"]
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    # Under its own name it would not be looked at.
    return bytes(data).replace("sRGB".encode("utf-16-be"), "odd1".encode("utf-16-be"))


class Files:
    """The functions above, for tests: they are not imported from a conftest."""

    written, png, photo, halves, bomb = map(staticmethod, (written, png, photo, halves, bomb))
    opened, near, got, form = map(staticmethod, (opened, near, got, form))
    upload, make_product = map(staticmethod, (upload, make_product))
    swapped_profile = staticmethod(swapped_profile)


@pytest.fixture
def files() -> type[Files]:
    """What makes files, and sends them."""
    return Files


# A storage elsewhere.


@dataclass
class Bucket:
    """A server that speaks like S3, and a bucket on it."""

    url: str
    process: subprocess.Popen[bytes]
    name: str = "pictures"

    def make(self) -> None:
        """Make the bucket."""
        request = urllib.request.Request(f"{self.url}/{self.name}", method="PUT")
        urllib.request.urlopen(request).close()


@pytest.fixture(scope="session")
def bucket() -> Iterator[Bucket]:
    """A real server that speaks like S3: moto, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = Bucket(f"http://127.0.0.1:{port}", process)
    end = time.monotonic() + 60
    while True:
        try:
            found.make()
            break
        except OSError:
            assert process.poll() is None, "moto does not start"
            assert time.monotonic() < end, "moto does not answer"
            time.sleep(0.2)
    yield found
    process.terminate()
    process.wait(10)


@dataclass
class Crowd:
    """Calls functions at once, each in a thread with a connection of its own."""

    shop: Shop
    answers: list[Any] = field(default_factory=list)

    def call(self, *functions: Callable[[], Any]) -> list[Any]:
        """Call them; return their results in their order."""
        results: list[Any] = [None] * len(functions)
        start = threading.Barrier(len(functions))

        def run(place: int, function: Callable[[], Any]) -> None:
            start.wait()
            try:
                results[place] = function()
            except Exception as error:
                results[place] = error
            finally:
                self.shop.databases.close()

        threads = [threading.Thread(target=run, args=item) for item in enumerate(functions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)
        return results


@pytest.fixture
def crowd(shop: Shop) -> Crowd:
    """Many at once."""
    return Crowd(shop)


@pytest.fixture
def without_media(shop: Shop) -> Client:
    """The shop's staff after the addon was disabled."""
    lifecycle.disable(shop, "media")
    shop.refresh()
    return Client(Gate(shop), shop).as_user("staff")
