"""Avatars: real pictures, made small, and nothing of the file that was sent is kept."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from bodega_sdk import folder

PATH, ME = "/api/v1/auth/me/avatar", "/api/v1/auth/me"
MAKE, MODEL, ORIENTATION, GPS = 0x010F, 0x0110, 0x0112, 0x8825
RED, BLUE = (220, 20, 20), (20, 20, 220)


def drawn(width: int = 800, height: int = 400) -> Image.Image:
    """A picture whose upper half is red and whose lower half is blue."""
    picture = Image.new("RGB", (width, height), BLUE)
    picture.paste(RED, (0, 0, width, height // 2))
    return picture


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    made = BytesIO()
    picture.save(made, form, **options)
    return made.getvalue()


def send(person: Any, data: bytes, **options: Any) -> Any:
    headers = {"Content-Type": "image/jpeg"}
    return person.api.request("PUT", PATH, body=data, headers=headers, **options)


def kept(person: Any) -> Image.Image:
    """Return the picture as everybody sees it."""
    answer = person.api.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return Image.open(BytesIO(answer.content), formats=["WEBP"])


def files() -> list[Path]:
    return sorted(folder("accounts").iterdir())


def is_like(found: Any, wanted: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(found[:3], wanted, strict=True))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_picture_is_kept_small_and_as_webp(vera: Any, form: str) -> None:
    assert vera.api.get(PATH).status_code == 404
    assert vera.api.get(ME).json["avatar"] is None
    me = send(vera, encoded(drawn(), form)).expect(200)
    picture = kept(vera)
    assert picture.size == (512, 256)
    assert is_like(picture.convert("RGB").getpixel((256, 20)), RED)
    assert vera.api.get(me["avatar"]).status_code == 200


def test_a_transparent_picture_stays_so_and_a_small_one_is_not_enlarged(vera: Any) -> None:
    send(vera, encoded(Image.new("RGBA", (40, 60), (0, 0, 0, 0)), "PNG")).expect(200)
    picture = kept(vera).convert("RGBA")
    assert (picture.size, picture.getpixel((5, 5))[3]) == ((40, 60), 0)


def test_another_picture_has_another_address_and_the_old_one_is_deleted(vera: Any) -> None:
    first = send(vera, encoded(drawn(), "PNG")).expect(200)["avatar"]
    (before,) = files()
    second = send(vera, encoded(drawn(90, 90), "PNG")).expect(200)["avatar"]
    (after,) = files()
    assert (first != second, before != after) == (True, True)
    vera.api.delete(PATH).expect(204)
    assert (files(), vera.api.get(ME).json["avatar"]) == ([], None)


def test_of_two_at_once_one_file_stays(vera: Any, at_once: Any) -> None:
    data = encoded(drawn(), "PNG")
    answers = at_once(*[lambda: send(vera, data)] * 6)
    assert {answer.status_code for answer in answers} == {200}
    assert len(files()) == 1
    kept(vera)


def test_it_goes_with_its_account(vera: Any, admin: Any) -> None:
    send(vera, encoded(drawn(), "PNG")).expect(200)
    admin.delete(f"/api/v1/users/{vera.id}").expect(204)
    assert files() == []


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_picture_is_turned_upright_and_loses_what_the_camera_wrote(
    vera: Any, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE], exif[MODEL] = orientation, "Secretcam", "Spy 1"
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[2] = (52.0, 31.0, 12.0)
    turned = {1: 0, 3: 180, 6: 90, 8: 270}[orientation]
    data = encoded(drawn().rotate(turned, expand=True), "JPEG", exif=exif)
    assert b"Secretcam" in data
    send(vera, data).expect(200)
    picture = kept(vera)
    assert picture.size == (512, 256)
    assert is_like(picture.convert("RGB").getpixel((256, 20)), RED)
    assert is_like(picture.convert("RGB").getpixel((256, 236)), BLUE)
    assert not picture.getexif()
    (file,) = files()
    assert b"Secretcam" not in file.read_bytes()


def test_comments_profiles_and_texts_are_dropped(vera: Any) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "<script>alert(1)</script>")
    data = encoded(drawn(), "PNG", pnginfo=texts, icc_profile=b"secret profile") + b"<?php ?>"
    send(vera, data).expect(200)
    (file,) = files()
    for left in (b"script", b"secret", b"php"):
        assert left not in file.read_bytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int) -> bytes:
    """A PNG of so many black pixels that is a thousandth of that."""
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(b"\0" * (side // 8 + 1)) for _ in range(side)) + packer.flush()
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def broken() -> Iterator[tuple[str, bytes]]:
    png, jpeg = encoded(drawn(), "PNG"), encoded(drawn(), "JPEG")
    yield "empty", b""
    yield "text", b"not a picture"
    yield "svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    yield "html", b"<!doctype html><script>alert(1)</script>" + png
    yield "a picture that is html as well", b"GIF89a/*<script>*/=alert(1)//</script>;"
    yield "cut off", png[: len(png) // 2]
    yield "cut off in its head", png[:20]
    yield "cut off jpeg", jpeg[: len(jpeg) // 2]
    yield "another format", encoded(drawn(), "BMP")
    yield "tiff", encoded(drawn(), "TIFF")
    yield "postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run"
    yield "changed", png[:60] + bytes(200) + png[260:]
    yield "no pixels", png[:16] + bytes(8) + png[24:]


def test_what_is_no_picture_is_refused(vera: Any) -> None:
    for what, data in broken():
        answer = send(vera, data)
        assert answer.status_code in (415, 422), (what, answer)
        assert answer.json["errors"][0]["field"] == "body"
        assert files() == []


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(vera: Any) -> None:
    for side in (7000, 30_000):
        data = bomb(side)
        assert len(data) < 2**20
        assert send(vera, data).status_code in (415, 422), side
    assert files() == []


def test_a_file_that_is_too_large_is_refused_with_and_without_a_length(vera: Any) -> None:
    data = encoded(drawn(), "PNG") + bytes(6 * 2**20)
    assert send(vera, data).status_code == 413
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert send(vera, data, extras=chunked).status_code == 413
    assert files() == []


def test_only_administrators_see_those_of_others(
    vera: Any, signed_up: Any, admin: Any, people: Any
) -> None:
    send(vera, encoded(drawn(), "PNG")).expect(200)
    path = f"/api/v1/users/{vera.id}/avatar"
    assert admin.get(path).headers["Content-Type"] == "image/webp"
    for who, status in (("nobody", 401), ("user", 403), ("staff", 200)):
        assert people[who].get(path).status_code == status
    assert people["user"].get(PATH).status_code == 404
