"""Looking after pictures: sweeping, checking, backups, the console, samples, and the end."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bodega.addons import lifecycle
from bodega.backup import restore_backup, write_backup
from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.database.structure import tables_of
from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.shop import Shop
from bodega_media import drawing, sweeping
from bodega_media.jobs import sweep
from bodega_media.models import Image as Row
from bodega_media.models import ProductMedia, Stored
from bodega_products.models import Product
from bodega_sdk import folder, now, transaction
from bodega_sdk.runtime import bound
from bodega_sdk.testing import servers
from bodega_sdk.testing.client import Client

IMAGES, PRODUCTS = "/api/v1/media/images", "/api/v1/products"
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
Uploaded = Callable[..., dict[str, Any]]


@pytest.fixture
def run(shop: Shop) -> Callable[..., Any]:
    """Run ``bodega …``."""

    def invoke(*arguments: str) -> Any:
        return CliRunner().invoke(bodega, arguments, obj=Context(_shop=shop))

    return invoke


def on_disk() -> list[str]:
    return sorted(path.name for path in folder("media").rglob("*") if path.is_file())


def age() -> None:
    """Let an hour pass for what is stored."""
    Stored.update(touched_at=now() - sweeping.GRACE - timedelta(minutes=1)).execute()


def test_files_go_an_hour_after_the_last_picture_that_needed_them(
    files: Any, client: Client, staff: Client, jobs: Any, uploaded: Uploaded
) -> None:
    data = files.png((800, 600))
    one, two, kept = uploaded(data), uploaded(data), uploaded()
    client.get(one["url"], params={"w": 640})
    assert len(on_disk()) == 3
    staff.delete(f"{IMAGES}/{one['id']}").expect(204)
    age()
    assert sweeping.sweep(transaction) == 0
    staff.delete(f"{IMAGES}/{two['id']}").expect(204)
    Stored.update(touched_at=now()).execute()
    assert sweeping.sweep(transaction) == 0
    assert len(on_disk()) == 3
    age()
    with transaction():
        sweep.enqueue()
    jobs.run_all()
    assert on_disk() == [f"{kept['hash']}.png"]
    assert [row.key for row in Stored.select()] == [kept["hash"]]
    assert client.get(one["url"]).status_code == 404
    assert client.get(kept["url"]).status_code == 200


def test_what_is_uploaded_again_while_it_is_swept_is_there_afterwards(
    files: Any, client: Client, staff: Client, uploaded: Uploaded, crowd: Any
) -> None:
    data = files.png()
    for _ in range(6):
        made = uploaded(data)
        staff.delete(f"{IMAGES}/{made['id']}").expect(204)
        age()

        def sweep_now() -> int:
            with bound(client.shop.current):
                return sweeping.sweep(transaction)

        swept, answer = crowd.call(sweep_now, lambda made=made: files.upload(
            staff, made["product"], data))  # fmt: skip
        assert swept in (0, 1), swept
        again = answer.expect(201)
        assert client.get(again["url"]).status_code == 200
        staff.delete(f"{IMAGES}/{again['id']}").expect(204)


@ONE_ENGINE
def test_what_a_killed_upload_left_is_swept(uploaded: Uploaded) -> None:
    uploaded()
    old, young = (folder("media") / "incoming" / f"{name}.part" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"x")
    long_ago = time.time() - 2 * sweeping.GRACE.total_seconds()
    os.utime(old, (long_ago, long_ago))
    sweeping.sweep(transaction)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_deleted_product_keeps_its_pictures_and_one_that_ends_loses_them(
    client: Client, staff: Client, product: str, uploaded: Uploaded
) -> None:
    made = uploaded()
    staff.delete(f"{PRODUCTS}/{product}").expect(204)
    assert Row.select().count() == 1
    assert client.get(made["url"]).status_code == 200
    Product.delete().where(Product.id == product).execute()
    assert (Row.select().count(), ProductMedia.select().count()) == (0, 0)
    age()
    assert sweeping.sweep(transaction) == 1
    assert on_disk() == []


@ONE_ENGINE
def test_check_finds_what_lost_each_other(
    files: Any, uploaded: Uploaded, client: Client, run: Any
) -> None:
    lost, sound = uploaded(files.png((800, 600))), uploaded(files.png((800, 600)))
    client.get(sound["url"], params={"w": 640})
    done = run("media", "check")
    assert (done.exit_code, done.output) == (0, "2 pictures, 3 files, 0 to be swept.\n")
    (folder("media") / "objects" / lost["hash"][:2] / f"{lost['hash']}.png").unlink()
    stray = folder("media") / "objects" / "ab" / f"{'ab' * 32}.png"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")
    done = run("media", "check")
    assert done.exit_code == 1
    assert f"1 rows without their file:\n  {lost['hash']}\n" in done.output
    assert f"1 files without a row:\n  objects/ab/{'ab' * 32}.png\n" in done.output
    assert "2 faults are left" in done.output
    done = run("media", "check", "--repair")
    assert (done.exit_code, stray.exists()) == (1, False)
    assert "1 files were deleted.\nError: 1 faults are left" in done.output
    answer = client.get(lost["url"])
    assert answer.expect(404)["detail"] == "The file of this picture is lost."
    assert client.get(lost["url"], params={"w": 640}).status_code == 404


@ONE_ENGINE
def test_check_tells_of_sizes_that_are_none(run: Any, setting: Any) -> None:
    setting("sizes", "640 wide")
    assert "'wide', which is no size such as 320x320" in run("media", "check").output


def test_a_backup_takes_the_pictures_along(
    files: Any, shop: Shop, client: Client, uploaded: Uploaded, tmp_path: Path, engine: str,
    request: Any,
) -> None:  # fmt: skip
    made = uploaded(files.png((800, 600)))
    write_backup(shop, tmp_path / "shop.zip")
    url, server = "", ""
    if engine == "postgres":
        server = request.getfixturevalue("postgres_server")
        url = servers.create_database(server, f"restored_{made['id'].replace('-', '')}")
    elsewhere = Shop(replace(shop.settings, home=tmp_path / "other", database_url=url), build_app,
                     connections=3)  # fmt: skip
    try:
        restore_backup(elsewhere, tmp_path / "shop.zip")
        elsewhere.refresh()
        with bound(elsewhere.current):
            found = files.got(Client(Gate(elsewhere), elsewhere), made["url"])
            assert found.size == (800, 600)
            assert sweeping.check().lost == ()
    finally:
        elsewhere.databases.close()
        if server:
            elsewhere.databases.shop.close_all()
            servers.drop_database(server, url.rpartition("/")[2])


def test_disabled_it_vanishes_and_enabled_it_is_back(
    shop: Shop, staff: Client, product: str, uploaded: Uploaded
) -> None:
    made = uploaded()
    lifecycle.disable(shop, "media")
    shop.refresh()
    assert "media" not in staff.get(f"{PRODUCTS}/{product}").expect(200)
    for path in (made["url"], IMAGES):
        assert staff.get(path).status_code == 404
    answer = staff.get(PRODUCTS, params={"include": "images"})
    assert answer.expect(400)["errors"][0]["field"] == "include"
    assert "/media/images" not in str(staff.get("/api/schema").json["paths"].keys())
    staff.patch(f"{PRODUCTS}/{product}", {"name": "A blue lamp"}).expect(200)
    lifecycle.enable(shop, "media")
    shop.refresh()
    shown = staff.get(f"{PRODUCTS}/{product}").expect(200)["media"]
    assert shown["primary"]["id"] == made["id"]
    assert staff.get(made["url"]).status_code == 200


def test_purged_it_leaves_neither_tables_nor_files(shop: Shop, uploaded: Uploaded) -> None:
    uploaded()
    place = folder("media")
    lifecycle.apply(shop, "purge", "media")
    assert not [name for name in tables_of(shop.databases.shop) if name.startswith("media_")]
    assert not place.exists()


def at_console(who: Client) -> Any:
    """Return the page as somebody sees it who is logged in to the console."""
    cookie = who.post("/console/session").cookies["bodega_console"].value
    return who.get("/console/media", headers={"Cookie": f"bodega_console={cookie}"})


@ONE_ENGINE
def test_the_console_shows_the_pictures(
    files: Any, staff: Client, client: Client, vendor_of: Any, uploaded: Uploaded
) -> None:
    uploaded(alt="A <lamp>")
    hidden = uploaded(is_private="true")
    page = at_console(staff)
    assert page.status_code == 200
    assert page.text.count("<img ") == 2
    assert 'alt="A &lt;lamp&gt;"' in page.text
    assert "A red lamp" in page.text
    for address in page.text.split('src="')[1:]:
        url = address.partition('"')[0].replace("&amp;", "&")
        if url.startswith("/api/v1/media/"):
            assert files.got(client, url).format == "WEBP"
    assert hidden["hash"] in page.text
    assert at_console(vendor_of("Acme")).text.count("<img ") == 0
    assert at_console(client.as_user()).status_code == 403


def test_sample_products_get_pictures_and_lose_them(run: Any, client: Client) -> None:
    made = run("sample-data", "--count", "3", "--beside-real-data")
    assert made.exit_code == 0, made.output
    found = client.get(PRODUCTS).expect(200)["results"]
    assert [item["media"]["count"] for item in found] == [1, 1, 1]
    assert {item["media"]["primary"]["alt"] for item in found} == {item["name"] for item in found}
    assert client.get(found[0]["media"]["primary"]["sizes"]["640"].partition("?")[0]).content
    again = run("sample-data", "--count", "3", "--beside-real-data")
    assert (again.exit_code, Row.select().count()) == (0, 3)
    gone = run("sample-data", "--remove")
    assert (gone.exit_code, Row.select().count()) == (0, 0), gone.output


def test_pictures_are_drawn_from_names() -> None:
    lamp, again = drawing.drawn("A red lamp"), drawing.drawn("A red lamp")
    assert lamp.tobytes() == again.tobytes()
    assert lamp.getpixel((500, 300)) == (190, 48, 44)
    others = ("Oak table", "Blue mug", "Black chair", "Linen shirt", "?", "")
    assert len({drawing.drawn(name).tobytes() for name in others}) == len(others)
