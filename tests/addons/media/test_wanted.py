"""Pictures that imported files name by their addresses: fetched once, from real servers."""

import io
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image as Picture

from bodega.http.app import build_app
from bodega.http.gate import Gate
from bodega.operator_settings import change
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_media.models import Image, Wanted
from bodega_sdk import now, transaction
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.deployment import ADMIN
from bodega_sdk.testing.working import Jobs

IMPORTS, WANTED = "/api/v1/imports", "/api/v1/media/wanted"
SHOPIFY = """\
Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Image Alt Text
tee,Tee,Size,S,T-S,9.00,{0}/front.jpg,From the front
tee,,,M,T-M,9.00,{0}/back.jpg,From behind
tee,,,,,,{0}/gone.jpg,
tee,,,,,,{0}/busy.jpg,Later
"""


class Site:
    """A web server with pictures; it notes what it was asked for."""

    def __init__(self, picture: bytes) -> None:
        self.asked: list[str] = []
        self.busy = True
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                busy = self.path == "/busy.jpg" and site.busy
                status = 404 if self.path == "/gone.jpg" else 503 if busy else 200
                # Bytes behind its end change the picture's hash, not the picture.
                body = picture + self.path.encode() if status == 200 else b"no"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server with pictures."""
    file = io.BytesIO()
    Picture.new("RGB", (60, 40), "#aa3322").save(file, "JPEG")
    found = Site(file.getvalue())
    thread = threading.Thread(target=found.server.serve_forever, args=(0.05,))
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def edition() -> tuple[str, ...]:
    """The addons of a shop that imports, and keeps pictures."""
    return ("accounts", "products", "imports", "media")


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """The shop, which may ask this machine for pictures."""
    found = Shop(settings, build_app, connections=10)
    found.refresh()
    assert not found.assembly.faults
    with bound(found.current):
        change(found, "media.allow_hosts", "localhost")
    found.refresh()
    with bound(found.current):
        Jobs(found).begin_to_listen()
        yield found
    found.databases.close()


@pytest.fixture
def admin(shop: Shop) -> Client:
    """Somebody who may do everything."""
    return Client(Gate(shop), shop).log_in(*ADMIN)


def imported(admin: Client, shop: Shop, text: str) -> dict[str, Any]:
    begun = admin.post(IMPORTS, headers={"Content-Type": "text/csv"}, body=text.encode())
    Jobs(shop).run_all()
    found: dict[str, Any] = admin.get(f"{IMPORTS}/{begun.expect(202)['id']}").expect(200)
    assert (found["status"], found["errors"]) == ("completed", 0), found
    return found


def _due() -> None:
    with transaction():
        Wanted.update(due_at=now() - timedelta(seconds=1)).execute()


def test_pictures_of_a_file_are_fetched_once(admin: Client, shop: Shop, site: Site) -> None:
    imported(admin, shop, SHOPIFY.format(site.url))
    shown = admin.get("/api/v1/products/T-S?include=images").expect(200)
    assert [item["alt"] for item in shown["images"]] == ["From the front", "From behind"]
    assert shown["image_url"] == f"{site.url}/front.jpg"
    assert shown["media"]["count"] == 2
    results = admin.get(WANTED).expect(200)["results"]
    listed = {item["url"].rpartition("/")[2]: item for item in results}
    assert listed["gone.jpg"]["status"] == "failed"
    assert "404" in listed["gone.jpg"]["reason"]
    assert listed["front.jpg"]["image"] == shown["images"][0]["id"]
    assert (listed["busy.jpg"]["status"], listed["busy.jpg"]["attempts"]) == ("waiting", 1)
    assert site.asked == ["/front.jpg", "/back.jpg", "/gone.jpg", "/busy.jpg"]
    # The same file again: nothing of it is asked for again; what was busy comes when it is due.
    assert imported(admin, shop, SHOPIFY.format(site.url))["unchanged"] == 1
    assert len(site.asked) == 4
    site.busy = False
    _due()
    imported(admin, shop, SHOPIFY.format(site.url))
    assert site.asked[4:] == ["/busy.jpg"]
    assert [row.alt for row in Image.select().order_by(Image.position)][2] == "Later"


def test_a_list_of_addresses_is_all_of_them_in_order(admin: Client, shop: Shop, site: Site) -> None:
    at = site.url
    text = f'sku,name,price,images\nL,Lamp,9.00,"{at}/1.jpg, {at}/2.jpg|{at}/3.jpg"\n'
    imported(admin, shop, text)
    assert site.asked == ["/1.jpg", "/2.jpg", "/3.jpg"]
    shown = admin.get("/api/v1/products/L").expect(200)
    assert (shown["image_url"], shown["media"]["count"]) == (f"{at}/1.jpg", 3)


def test_what_is_at_a_private_address_is_not_asked(admin: Client, shop: Shop, site: Site) -> None:
    with bound(shop.current):
        change(shop, "media.allow_hosts", "")
    shop.refresh()
    with bound(shop.current):
        imported(admin, shop, f"sku,name,price,images\nL,Lamp,9.00,{site.url}/1.jpg\n")
        found = admin.get(WANTED).expect(200)["results"][0]
    assert (found["status"], site.asked) == ("failed", [])
    assert "public address" in found["reason"]


def test_nothing_is_fetched_where_that_is_switched_off(
    admin: Client, shop: Shop, site: Site
) -> None:
    with bound(shop.current):
        change(shop, "media.fetch_named", False)
    shop.refresh()
    with bound(shop.current):
        imported(admin, shop, f"sku,name,price,images\nL,Lamp,9.00,{site.url}/1.jpg\n")
        assert (admin.get(WANTED).expect(200)["count"], site.asked) == (0, [])
