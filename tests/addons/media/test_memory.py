"""A large photo takes a bounded amount of memory, measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

#: Megapixels of the photo, and megabytes above what an idle shop has that it may take:
#: two copies of four bytes a pixel, the encoder's own, and the file in pieces.
MEGAPIXELS, MOST = 24, 240
_PROGRAM = """
import json, resource, sys, threading
from pathlib import Path
from bodega.addons import lifecycle
from bodega.editions import Edition
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.shop import Shop
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.shop import settings_for


def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def upload(client, product, path):
    with path.open("rb") as file:
        # As a server does: the body is read from a stream, and never whole in memory.
        return client.post("/api/v1/media/images", params={"product": product},
                           headers={"Content-Type": "image/jpeg", "Content-Length": str(
                               path.stat().st_size)}, extras={"wsgi.input": file})


home, small, *large = map(Path, sys.argv[1:])
shop = Shop(settings_for(home), build_app, connections=5)
lifecycle.prepare(shop, Edition("test", ("accounts", "products", "media")))
shop.refresh()
with bound(shop.current):
    staff = Client(Gate(shop), shop).as_user("staff")
    body = {"name": "Lamp", "sku": "L-1", "price": "1.00"}
    product = staff.post("/api/v1/products", body).expect(201)["id"]
    warm = upload(staff, product, small).expect(201)
    staff.get(warm["url"], params={"w": 640, "format": "webp"})
    before, answers = most(), []

    def one(path):
        answers.append(upload(staff, product, path))
        shop.databases.close()

    threads = [threading.Thread(target=one, args=(path,)) for path in large]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    uploaded, made = most(), [answer.expect(201) for answer in answers]
    got = [staff.get(item["url"], params={"w": 640, "format": "webp"}) for item in made]
    print(json.dumps({"before": before, "uploaded": uploaded, "sized": most(),
                      "sizes": [(item["width"], item["height"]) for item in made],
                      "statuses": [item.status_code for item in got]}))
shop.databases.close()
"""


def photo(path: Path, size: tuple[int, int], format: str = "JPEG", **options: Any) -> Path:
    """Write a photo as large as cameras make them, lying on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    # In blocks: what is all noise is no photo, and larger as a PNG than anybody may send.
    noise = Image.effect_noise((size[0] // 4, size[1] // 4), 60)
    made = noise.resize(size, Image.Resampling.NEAREST).convert("RGB")
    made.save(path, format, exif=exif, **options)
    return path


def measured(tmp_path: Path, *large: Path) -> dict[str, Any]:
    """Upload photos, all at once, in a process of its own; return what it took."""
    small = photo(tmp_path / "small.jpg", (64, 48))
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "shop"), str(small)]
    done = subprocess.run(
        [*command, *map(str, large)], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert set(found["statuses"]) == {200}
    return found


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_24_megapixel_photo_takes_two_copies_of_it_at_most(tmp_path: Path, format: str) -> None:
    options = {"compress_level": 6} if format == "PNG" else {"quality": 92}
    found = measured(tmp_path, photo(tmp_path / "large", (6000, 4000), format, **options))
    assert found["sizes"] == [[4000, 6000]]
    assert found["uploaded"] - found["before"] < MOST, found
    assert found["sized"] - found["before"] < MOST, found


@pytest.mark.slow
def test_six_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """Three of 24 megapixels would fit into 700 MB, two do into the 512 MB of the setting."""
    photos = [photo(tmp_path / f"{n}", (6000, 4000), quality=60 + n) for n in range(6)]
    found = measured(tmp_path, *photos)
    assert found["uploaded"] - found["before"] < 2 * MOST, found
