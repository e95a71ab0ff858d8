"""Sizes by URL: which ones anybody gets, signed ones, and making each of them once."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from falcon.uri import parse_query_string

from bodega_media import making
from bodega_media.models import Image as Row
from bodega_media.models import Making
from bodega_media.sizes import Size
from bodega_sdk import database, folder
from bodega_sdk.testing.client import Client

IMAGES = "/api/v1/media/images"
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
Uploaded = Callable[..., dict[str, Any]]


def link(client: Client, image: dict[str, Any], **wanted: Any) -> str:
    """Ask for a link to a picture."""
    made = client.post(f"{IMAGES}/{image['id']}/links", wanted).expect(201)
    return str(made["url"])


def sizes_on_disk() -> list[str]:
    return sorted(path.name for path in (folder("media") / "sizes").rglob("*") if path.is_file())


def test_anybody_gets_a_picture_in_the_declared_sizes(
    files: Any, client: Client, uploaded: Uploaded
) -> None:
    made = uploaded(files.written(files.halves((1000, 500)), "JPEG", quality=95))
    assert set(made["sizes"]) == {"160x160", "320x320", "640", "960", "1280", "1920"}
    shown = {word: files.got(client, url) for word, url in made["sizes"].items()}
    assert {word: item.size for word, item in shown.items()} == {
        "160x160": (160, 160), "320x320": (320, 320), "640": (640, 320), "960": (960, 480),
        # Never larger than it is.
        "1280": (1000, 500), "1920": (1000, 500),
    }  # fmt: skip
    assert {item.format for item in shown.values()} == {"WEBP"}
    for item in shown.values():
        wide, high = item.size
        assert files.near(item.getpixel((wide // 8, high // 2)), (220, 30, 30), by=25)
        assert files.near(item.getpixel((wide - wide // 8, high // 2)), (30, 30, 220), by=25)


@ONE_ENGINE
def test_formats_fits_and_boxes(files: Any, client: Client, uploaded: Uploaded) -> None:
    made = uploaded(files.written(files.halves((800, 400)), "PNG"))

    def shown(**query: Any) -> tuple[str | None, tuple[int, int]]:
        answer = client.get(made["url"], params=query)
        found = files.opened(answer.content)
        assert answer.headers["Content-Type"] == f"image/{found.format.lower()}"
        return found.format, found.size

    assert shown() == ("PNG", (800, 400))
    assert shown(format="jpeg") == ("JPEG", (800, 400))
    assert shown(w=640) == ("PNG", (640, 320))
    assert shown(w=320, h=320, format="avif") == ("AVIF", (320, 160))
    assert shown(w=320, h=320, fit="contain", format="webp") == ("WEBP", (320, 160))
    assert shown(w=320, h=320, fit="cover", format="webp") == ("WEBP", (320, 320))


@pytest.mark.parametrize(
    ("whole", "size", "target"),
    [
        ((800, 400), Size(400), (400, 200)),
        ((800, 400), Size(None, 100), (200, 100)),
        ((800, 400), Size(100, 100), (100, 50)),
        ((800, 400), Size(100, 100, "cover"), (100, 100)),
        ((400, 800), Size(100, 50, "cover"), (100, 50)),
        ((80, 40), Size(100, 100, "cover"), (40, 40)),
        ((80, 400), Size(100, 100, "cover"), (80, 80)),
        ((80, 40), Size(4000), (80, 40)),
        ((4000, 3), Size(100), (100, 1)),
        ((30_000, 1), Size(10, 10, "cover"), (1, 1)),
    ],
)
def test_a_picture_is_never_made_larger_and_keeps_the_shape_of_its_box(
    whole: tuple[int, int], size: Size, target: tuple[int, int]
) -> None:
    box, found = making.fitted(whole, size)
    assert found == target
    assert 0 <= box[0] < box[2] <= whole[0]
    assert 0 <= box[1] < box[3] <= whole[1]


@ONE_ENGINE
def test_no_side_of_what_is_made_is_longer_than_4096_pixels(
    files: Any, client: Client, uploaded: Uploaded
) -> None:
    made = uploaded(files.png((40, 20_000)))
    assert files.got(client, made["url"]).size == (40, 20_000)
    for address in (made["sizes"]["640"], f"{made['url']}?format=webp",
                    f"{made['url']}?format=avif", f"{made['url']}?w=640"):  # fmt: skip
        assert files.got(client, address).size == (8, 4096)


@ONE_ENGINE
def test_a_claim_that_is_gone_at_once_is_somebody_elses(shop: Any) -> None:
    # As if whoever has it were done between two statements of ours.
    database.execute_sql(
        "CREATE TRIGGER gone BEFORE INSERT ON media_making BEGIN SELECT RAISE(IGNORE); END"
    )
    assert making._claimed("a size") is None


@ONE_ENGINE
def test_what_is_not_declared_is_refused_and_costs_nothing(
    files: Any, client: Client, uploaded: Uploaded
) -> None:
    made = uploaded(files.png((800, 600)))
    for query, status, field in (
        ({"w": 641}, 400, "w"), ({"h": 640}, 400, "h"), ({"w": 640, "h": 640}, 400, "w"),
        ({"w": 640, "quality": 81}, 400, "quality"), ({"w": 0}, 400, "w"),
        ({"w": 5000}, 400, "w"), ({"fit": "stretch"}, 400, "fit"), ({"format": "bmp"}, 400,
        "format"), ({"format": "svg"}, 400, "format"), ({"x": 1}, 400, "x"),
    ):  # fmt: skip
        problem = client.get(made["url"], params=query).expect(status)
        assert problem["errors"][0]["field"] == field
    assert sizes_on_disk() == []
    for key in ("0" * 64, "x", "../../shop.sqlite", made["hash"].upper(), "é"):
        assert client.get(f"/api/v1/media/{key}").status_code == 404


@ONE_ENGINE
def test_the_operator_declares_sizes(
    files: Any, client: Client, uploaded: Uploaded, setting: Any
) -> None:
    setting("sizes", "100 x50 30x30 5000 wrong -1 0x7")
    made = uploaded(files.png((800, 600)))
    client = Client(client.gate, client.shop)
    assert set(client.get(f"{IMAGES}").expect(401) and made["sizes"]) == {"100", "x50", "30x30"}
    assert files.got(client, made["sizes"]["x50"]).size == (67, 50)
    assert "100, x50, 30x30" in client.get(made["url"], params={"w": 640}).expect(400)["detail"]


def test_signed_addresses_give_any_size_until_they_end(
    files: Any, client: Client, staff: Client, uploaded: Uploaded
) -> None:
    made = uploaded(files.png((800, 600)))
    url = link(staff, made, w=123, h=45, fit="cover", format="jpeg", quality=33, minutes=5)
    found = files.got(client, url)
    assert (found.size, found.format) == ((123, 45), "JPEG")
    path, _, query = url.partition("?")
    sent = parse_query_string(query)
    for change in (
        {"w": "124"}, {"quality": "34"}, {"format": "png"}, {"fit": "contain"},
        {"expires": str(int(sent["expires"]) + 1)}, {"signature": "0" * 64}, {"signature": "é"},
        {"signature": ""},
    ):  # fmt: skip
        answer = client.get(path, params=sent | change)
        assert answer.expect(403)["errors"][0]["field"] == "signature", change
    for gone in ("signature", "expires", "w"):
        left = {name: value for name, value in sent.items() if name != gone}
        assert client.get(path, params=left).status_code == 403, gone
    other = uploaded(files.png((80, 60)))
    assert client.get(other["url"], params=sent).status_code == 403


@ONE_ENGINE
def test_a_signed_address_that_has_ended_is_refused(
    client: Client, staff: Client, uploaded: Uploaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = link(staff, uploaded(is_private="true"), minutes=1)
    path, _, query = url.partition("?")
    assert client.get(path, query_string=query).status_code == 200
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 61)
    answer = client.get(path, query_string=query)
    assert answer.expect(403)["errors"][0]["field"] == "expires"


def test_a_private_picture_is_seen_by_its_signed_address_only(
    client: Client, staff: Client, uploaded: Uploaded
) -> None:
    made = uploaded(is_private="true")
    assert (made["url"], made["sizes"], made["is_primary"]) == (None, {}, False)
    plain = f"/api/v1/media/{made['hash']}"
    assert client.get(plain).expect(403)["detail"].startswith("This picture is private")
    assert client.get(plain, params={"w": 640}).status_code == 403
    url = link(staff, made)
    path, _, query = url.partition("?")
    answer = client.get(path, query_string=query)
    assert answer.status_code == 200
    assert re.fullmatch(r"private, max-age=\d+", answer.headers["Cache-Control"])
    assert client.post(f"{IMAGES}/{made['id']}/links", {}).status_code == 401


@ONE_ENGINE
def test_pictures_are_kept_for_ever_by_whoever_got_them(
    files: Any, client: Client, uploaded: Uploaded
) -> None:
    made = uploaded(files.png((800, 600)))
    for query in ({}, {"w": 320, "h": 320, "fit": "cover"}):
        answer = client.get(made["url"], params=query)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        tag = answer.headers["ETag"]
        again = client.get(made["url"], params=query, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        head = client.request("HEAD", made["url"], params=query)
        assert (head.status_code, head.headers["ETag"]) == (200, tag)


def test_a_size_is_made_once_however_many_ask_for_it_first(
    files: Any, client: Client, uploaded: Uploaded, crowd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = uploaded(files.written(files.photo((1600, 1200)), "PNG"))
    drawn, begun = making.drawn, []

    def counted(*given: Any) -> bytes:
        begun.append(given[1])
        time.sleep(0.3)
        return drawn(*given)

    monkeypatch.setattr(making, "drawn", counted)
    answers = crowd.call(*[lambda: client.get(made["sizes"]["640"].partition("?")[0],
                           query_string=made["sizes"]["640"].partition("?")[2])] * 8)  # fmt: skip
    assert [item.status_code for item in answers] == [200] * 8
    assert len({item.content for item in answers}) == 1
    assert len(begun) == 1
    assert len(sizes_on_disk()) == 1
    assert not Making.select().exists()


@ONE_ENGINE
def test_whoever_dies_while_making_a_size_holds_it_up_for_a_while_only(
    client: Client, uploaded: Uploaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = uploaded()
    name = Size(640).name(made["hash"], "png")
    from datetime import timedelta

    from bodega_sdk import now

    Making.create(name=name, token="dead", until=now() + timedelta(seconds=60))
    monkeypatch.setattr(making, "PATIENCE", 0.3)
    answer = client.get(made["url"], params={"w": 640})
    assert answer.expect(503)["detail"].startswith("This size")
    assert answer.headers["Retry-After"]
    Making.update(until=now() - timedelta(seconds=1)).execute()
    assert client.get(made["url"], params={"w": 640}).status_code == 200


@ONE_ENGINE
def test_many_sizes_at_once_keep_to_the_memory(
    files: Any, client: Client, uploaded: Uploaded, setting: Any
) -> None:
    setting("memory_mb", 64)
    made = uploaded(files.written(files.photo((2000, 1500)), "PNG"))
    with ThreadPoolExecutor(4) as pool:
        queries = [{"w": 640, "format": name} for name in ("jpeg", "png", "webp", "avif")]
        found = list(pool.map(lambda q: client.get(made["url"], params=q).status_code, queries))
    assert found == [200] * 4
    assert Row.select().count() == 1
