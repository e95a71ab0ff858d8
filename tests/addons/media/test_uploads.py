"""Uploads: pictures of every kind become right ones, and everything else a clear refusal."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageCms

from bodega_media.models import Image as Row
from bodega_media.models import Stored
from bodega_sdk import folder
from bodega_sdk.testing.client import Client

IMAGES = "/api/v1/media/images"
Uploaded = Callable[..., dict[str, Any]]


def test_a_photo_becomes_a_jpeg_of_the_same_size(
    files: Any, staff: Client, uploaded: Uploaded
) -> None:
    made = uploaded(files.written(files.photo(), "JPEG", quality=95))
    assert (made["width"], made["height"], made["media"]) == (600, 400, "image/jpeg")
    found = files.got(staff, made["url"])
    assert (found.size, found.format) == ((600, 400), "JPEG")
    assert made["bytes"] == Stored.get().bytes
    assert made["colour"].startswith("#")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_every_format_is_shown_as_what_it_shows(
    files: Any, staff: Client, uploaded: Uploaded, format: str
) -> None:
    made = uploaded(files.written(files.halves(), format))
    found = files.got(staff, made["url"]).convert("RGB")
    assert files.near(found.getpixel((50, 100)), (220, 30, 30))
    assert files.near(found.getpixel((350, 100)), (30, 30, 220))
    exact = format in ("PNG", "GIF")
    assert made["media"] == ("image/png" if exact else "image/jpeg")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_stands_upright_and_says_no_more(
    files: Any, staff: Client, uploaded: Uploaded, orientation: int
) -> None:
    upright = files.halves()
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "The camera's name"
    exif.get_ifd(0x8825)[1] = "N"
    made = uploaded(files.written(stored, "JPEG", exif=exif, quality=95, comment=b"secret"))
    assert (made["width"], made["height"]) == (400, 200)
    answer = staff.get(made["url"])
    found = files.opened(answer.content)
    assert files.near(found.getpixel((50, 100)), (220, 30, 30), by=30)
    assert not found.getexif()
    assert b"camera" not in answer.content
    assert b"secret" not in answer.content


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_metadata_of_a_png_is_left_out(files: Any, staff: Client, uploaded: Uploaded) -> None:
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_text("Author", "Somebody secret")
    told.add_itxt("XML:com.adobe.xmp", "<secret/>")
    exif = Image.Exif()
    exif[0x010F] = "secret camera"
    data = files.written(files.halves(), "PNG", pnginfo=told, exif=exif, dpi=(300, 300))
    answer = staff.get(uploaded(data)["url"])
    assert b"secret" not in answer.content
    assert set(files.opened(answer.content).info) <= {"srgb", "gamma"}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_another_colour_space_is_turned_into_srgb(
    files: Any, staff: Client, uploaded: Uploaded
) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    wide = files.swapped_profile()
    data = files.written(Image.new("RGB", (20, 20), (200, 100, 50)), "PNG", icc_profile=wide)
    found = files.got(staff, uploaded(data)["url"])
    # The profile says that red is blue and blue is red.
    assert files.near(found.getpixel((5, 5)), (50, 100, 200), by=6)
    assert "icc_profile" not in found.info
    # One that is of other colours, or broken, is left out of account.
    for odd in (lab.tobytes(), b"no profile at all"):
        data = files.written(Image.new("RGB", (20, 20), (200, 100, 50)), "PNG", icc_profile=odd)
        found = files.got(staff, uploaded(data)["url"])
        assert files.near(found.getpixel((5, 5)), (200, 100, 50), by=0)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_cmyk_sixteen_bits_palettes_and_transparency_come_out_right(
    files: Any, staff: Client, uploaded: Uploaded
) -> None:
    def shown(data: bytes) -> Any:
        return files.got(staff, uploaded(data)["url"])

    cmyk = Image.new("CMYK", (20, 20), (0, 255, 255, 0))
    assert files.near(shown(files.written(cmyk, "JPEG")).getpixel((5, 5)), (255, 0, 0), by=3)
    deep = Image.new("I;16", (20, 20), 0x8000)
    assert shown(files.written(deep, "PNG")).getpixel((5, 5)) == (128, 128, 128)
    folded = Image.new("P", (20, 20), 1)
    folded.putpalette([255, 0, 0, 0, 128, 0])
    folded.putpixel((0, 0), 0)
    found = shown(files.written(folded, "PNG", transparency=0))
    assert (found.mode, found.getpixel((0, 0))[3]) == ("RGBA", 0)
    assert found.getpixel((5, 5)) == (0, 128, 0, 255)
    assert shown(files.written(Image.new("L", (9, 9), 7), "PNG")).getpixel((5, 5)) == (7, 7, 7)
    seen = Image.new("LA", (9, 9), (90, 40))
    assert shown(files.written(seen, "PNG")).getpixel((5, 5)) == (90, 90, 90, 40)
    bits = Image.new("1", (9, 9), 1)
    assert shown(files.written(bits, "PNG")).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_the_first_frame_is_kept(
    files: Any, staff: Client, uploaded: Uploaded, format: str
) -> None:
    first, *others = (Image.new("RGB", (40, 30), name) for name in ("red", "lime", "blue"))
    moving = files.written(first, format, save_all=True, append_images=others, duration=100)
    assert getattr(Image.open(io.BytesIO(moving)), "n_frames", 1) == 3
    found = files.got(staff, uploaded(moving)["url"])
    assert getattr(found, "n_frames", 1) == 1
    assert files.near(found.convert("RGB").getpixel((20, 15)), (255, 0, 0), by=8)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_names_and_types_that_lie_do_no_harm(
    files: Any, staff: Client, product: str, uploaded: Uploaded
) -> None:
    data = files.written(files.halves(), "JPEG")
    for media in ("image/svg+xml", "text/html", "application/x-sh", ""):
        assert uploaded(data, media=media)["media"] == "image/jpeg"
    form = files.form(data, filename="../../../etc/passwd.html", media="text/html")
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    params = {"product": product}
    made = staff.post(IMAGES, body=form, headers=headers, params=params).expect(201)
    answer = staff.get(made["url"])
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def _refused(files: Any, what: str) -> tuple[bytes, int, str]:
    photo = files.written(files.photo((1200, 900)), "JPEG", quality=90)
    picture = files.written(files.photo((300, 200)), "PNG")
    webp = files.written(files.photo((300, 200)), "WEBP")
    large = bytearray(files.written(Image.new("RGB", (64, 64)), "WEBP", lossless=True))
    large[21:25] = ((16383 | 16383 << 14) | 1 << 28).to_bytes(4, "little")
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>'
    return {
        "nothing": (b"", 400, "empty"),
        "text": (b"hello " * 100, 415, "Expected a picture"),
        "SVG with a script": (svg, 415, "SVG is not accepted"),
        "SVG behind a comment": (b"<!-- x -->\n" + svg[21:], 415, "SVG is not accepted"),
        "HTML": (b"<html><script>x()</script>", 415, "Expected a picture"),
        "a zip": (b"PK\x03\x04" + b"\0" * 300, 415, "Expected a picture"),
        "a TIFF": (files.written(files.halves(), "TIFF"), 415, "Expected a picture"),
        "half a photo": (photo[: len(photo) // 2], 422, "damaged"),
        "a photo without its last tenth": (photo[: len(photo) * 9 // 10], 422, "damaged"),
        "the first bytes of a photo": (photo[:20], 422, "damaged"),
        "half a PNG": (picture[: len(picture) // 2], 422, "damaged"),
        "half a WebP": (webp[: len(webp) // 2], 422, "damaged"),
        "noise that begins like a JPEG": (b"\xff\xd8\xff\xe0" + b"\x17" * 5000, 422, "damaged"),
        "a PNG of nothing": (b"\x89PNG\r\n\x1a\n", 422, "damaged"),
        "a GIF of nothing": (b"GIF89a", 422, "damaged"),
        "a PNG bomb": (files.bomb(50_000, 50_000), 422, "pixels"),
        "a small PNG bomb": (files.bomb(9_000, 9_000), 422, "megapixels"),
        "a PNG that is too long": (files.bomb(60_000, 2), 422, "pixels a side"),
        "a PNG without width": (files.bomb(0, 10), 422, "damaged"),
        "a WebP that says it is huge": (bytes(large), 422, "megapixels"),
    }[what]


_BAD = (
    "nothing", "text", "SVG with a script", "SVG behind a comment", "HTML", "a zip", "a TIFF",
    "half a photo", "a photo without its last tenth", "the first bytes of a photo", "half a PNG",
    "half a WebP", "noise that begins like a JPEG", "a PNG of nothing", "a GIF of nothing",
    "a PNG bomb", "a small PNG bomb", "a PNG that is too long", "a PNG without width",
    "a WebP that says it is huge",
)  # fmt: skip


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", _BAD)
def test_what_is_no_sound_picture_is_refused_and_leaves_nothing(
    files: Any, staff: Client, product: str, what: str
) -> None:
    data, status, told = _refused(files, what)
    answer = files.upload(staff, product, data)
    problem = answer.expect(status)
    assert told in problem["detail"]
    assert problem["errors"][0]["field"] == "file"
    assert not Row.select().exists()
    assert not [path for path in folder("media").rglob("*") if path.is_file()]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_file_that_is_too_large_is_refused_while_it_comes(
    files: Any, staff: Client, product: str, setting: Any
) -> None:
    setting("largest_mb", 1)
    data = files.written(files.photo(), "PNG") + b"\0" * 1_000_001
    for body, media in ((data, "image/png"), (files.form(data), "multipart/form-data; boundary=b")):
        answer = files.upload(staff, product, body, media)
        assert answer.expect(413)["errors"][0]["field"] == "file"
    assert not [path for path in folder("media").rglob("*") if path.is_file()]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "form is malformed"),
        (b"--b--\r\n", "part 'file'"),
        (b"--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--b--\r\n", "'file'"),
        (b"--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx", "malformed"),
        (b"no form", "malformed"),
    ],
)  # fmt: skip
def test_a_form_without_a_file_is_refused(
    files: Any, staff: Client, product: str, body: bytes, told: str
) -> None:
    answer = files.upload(staff, product, body, "multipart/form-data; boundary=b")
    assert told in answer.expect(400)["detail"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_is_said_of_it_is_checked(files: Any, staff: Client, product: str) -> None:
    for query, status, field in (
        ({"variant": "00000000-0000-7000-8000-000000000000"}, 422, "variant"),
        ({"alt": "x" * 501}, 422, "alt"),
        ({"is_primary": "true", "is_private": "true"}, 422, "is_primary"),
        ({"colour": "red"}, 400, "colour"),
    ):
        answer = files.upload(staff, product, files.png(), **query)
        assert answer.expect(status)["errors"][0]["field"] == field
    gone = "00000000-0000-7000-8000-000000000000"
    assert files.upload(staff, gone, files.png()).expect(422)["errors"][0]["field"] == "product"
    assert files.upload(staff, "x", files.png()).expect(400)["errors"][0]["field"] == "product"
    answer = staff.post(IMAGES, body=files.png(), headers={"Content-Type": "image/png"})
    assert answer.expect(422)["errors"][0]["field"] == "product"


def test_a_form_says_in_parts_what_the_query_does(files: Any, staff: Client, product: str) -> None:
    def part(name: str, data: bytes) -> bytes:
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        return head.encode() + data + b"\r\n"

    def sent(*parts: bytes) -> Any:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        return staff.post(IMAGES, body=b"".join(parts) + b"--b--\r\n", headers=headers)

    file, of = part("file", files.png()), part("product", product.encode())
    made = sent(file, of, part("alt", "Ein schönes Licht".encode())).expect(201)
    assert (made["product"], made["alt"]) == (product, "Ein schönes Licht")
    assert sent(file).expect(422)["errors"][0]["field"] == "product"
    assert sent(part("product", b"x"), file).expect(400)["errors"][0]["field"] == "product"
    assert sent(of, part("alt", b"\xff"), file).status_code == 400
    assert sent(of, part("alt", b"x" * 5000), file).expect(400)["errors"][0]["field"] == "alt"


def test_equal_pictures_share_one_file(
    files: Any, staff: Client, product: str, uploaded: Uploaded
) -> None:
    data = files.png()
    one, two = uploaded(data), uploaded(data, product=files.make_product(staff))
    assert one["hash"] == two["hash"]
    assert one["url"] == two["url"]
    assert one["id"] != two["id"]
    assert Stored.select().count() == 1
    assert len([path for path in (folder("media") / "objects").rglob("*") if path.is_file()]) == 1


def test_a_variant_has_pictures_of_its_own(
    files: Any, staff: Client, product: str, uploaded: Uploaded
) -> None:
    body = {"product": product, "sku": "v-1", "options": {"Size": "L"}}
    variant = staff.post("/api/v1/variants", body).expect(201)["id"]
    made = uploaded(variant=variant, alt="  The large one ")
    assert (made["variant"], made["alt"]) == (variant, "The large one")
    uploaded()
    found = staff.get(IMAGES, params={"variant": variant}).expect(200)
    assert [item["id"] for item in found["results"]] == [made["id"]]
