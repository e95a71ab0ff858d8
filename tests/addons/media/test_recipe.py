"""The recipe of docs/recipes.md that keeps pictures elsewhere runs as it stands on the page.

Elsewhere is a server of our own that speaks like Cloudinary and checks the signatures; only
the hosts of the page are replaced by its address.
"""

import base64
import hashlib
import importlib
import json
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bodega.addons import lifecycle
from bodega.operator_settings import change
from bodega_media import sweeping
from bodega_media.models import Stored
from bodega_sdk import folder, now, transaction
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client

PAGE = (Path(__file__).parents[3] / "docs" / "recipes.md").read_text()
SECRET = "not told"
ENTRY = "[bodega.addons]\ncloudinary = bodega_sample_cloudinary.manifest\n"


@dataclass
class Elsewhere:
    """What the server has: the bytes of each public id, and how it ends."""

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    port: int = 0

    def post(self, action: str, body: dict[str, str]) -> int:
        """Do what a signed request asks for."""
        signed = {key: body[key] for key in sorted(body) if key not in
                  ("file", "api_key", "signature")}  # fmt: skip
        text = "&".join(f"{key}={value}" for key, value in signed.items()) + SECRET
        if body["signature"] != hashlib.sha1(text.encode()).hexdigest():
            return 401
        if action == "destroy":
            self.files.pop(body["public_id"], None)
            return 200
        head, _, data = body["file"].partition(";base64,")
        format = head.rpartition("/")[2].replace("jpeg", "jpg")
        self.files[body["public_id"]] = (format, base64.b64decode(data))
        return 200

    def found(self, path: str) -> bytes | None:
        """Return a file by the path of its delivery; as it is."""
        name, _, ending = path.removeprefix("/shop/image/upload/").rpartition(".")
        format, data = self.files.get(name, ("", b""))
        return data if format == ending else None


def _handler(elsewhere: Elsewhere) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(elsewhere.post(self.path.rpartition("/")[2], body), b"{}")

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if "/resources/" in asked.path:
                self._list(parse_qs(asked.query)["prefix"][0])
                return
            data = elsewhere.found(asked.path)
            self._answer(404 if data is None else 200, data or b"")

        do_HEAD = do_GET

        def _list(self, prefix: str) -> None:
            known = base64.b64encode(f"key:{SECRET}".encode()).decode()
            if self.headers["Authorization"] != f"Basic {known}":
                self._answer(401, b"{}")
                return
            rows = [
                {"public_id": name, "format": format}
                for name, (format, _) in elsewhere.files.items()
                if name.startswith(prefix)
            ]
            self._answer(200, json.dumps({"resources": rows}).encode())

        def _answer(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None: ...

    return Handler


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """The server."""
    found = Elsewhere()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def at_cloudinary(
    elsewhere: Elsewhere, shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Elsewhere]:
    """The addon of the page, enabled and chosen."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "bodega_sample_cloudinary"
    package.mkdir()
    (package / "__init__.py").touch()
    pieces = dict(re.findall(r"```python\n# cloudinary/(\w+)\.py\n(.*?)```", PAGE, re.DOTALL))
    for name, text in pieces.items():
        for host in ("api.cloudinary.com", "res.cloudinary.com"):
            text = text.replace(f"https://{host}", f"http://127.0.0.1:{elsewhere.port}")
            text = text.replace(host, "127.0.0.1")
        (package / f"{name}.py").write_text(text)
    described = tmp_path / "bodega_sample_cloudinary-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Name: bodega-sample-cloudinary\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(ENTRY)
    importlib.invalidate_caches()
    lifecycle.enable(shop, "cloudinary")
    for setting, value in (
        ("cloudinary.cloud", "shop"), ("cloudinary.key", "key"), ("cloudinary.secret", SECRET),
        ("media.storage", "cloudinary"),
    ):  # fmt: skip
        change(shop, setting, value)
    shop.refresh()
    assert not shop.assembly.faults
    with bound(shop.current):
        yield elsewhere
    for module in [item for item in sys.modules if item.startswith("bodega_sample_")]:
        del sys.modules[module]


def test_pictures_are_kept_and_made_smaller_at_cloudinary(
    files: Any, at_cloudinary: Elsewhere, client: Client, staff: Client, uploaded: Any
) -> None:
    made = uploaded(files.written(files.photo((800, 600)), "JPEG"))
    key = made["hash"]
    name, root = f"objects/{key[:2]}/{key}", f"http://127.0.0.1:{at_cloudinary.port}"
    assert made["url"] == f"{root}/shop/image/upload/{name}.jpg"
    assert made["sizes"]["640"] == f"{root}/shop/image/upload/w_640,c_limit/{name}.webp"
    assert made["sizes"]["320x320"] == (f"{root}/shop/image/upload/w_320,h_320,c_fill/{name}.webp")
    assert files.opened(at_cloudinary.files[name][1]).size == (800, 600)
    # The shop serves it as well, and what is private only there.
    assert files.got(client, f"/api/v1/media/{key}?w=640").size == (640, 480)
    where = f"/api/v1/media/images/{made['id']}"
    link = staff.post(f"{where}/links", {"w": 77}).expect(201)["url"]
    assert files.got(client, link).size == (77, 58)
    assert sweeping.check().unknown == sweeping.check().lost == ()
    assert sweeping.check().files == 3
    staff.delete(where).expect(204)
    Stored.update(touched_at=now() - sweeping.GRACE * 2).execute()
    assert sweeping.sweep(transaction) == 1
    assert at_cloudinary.files == {}
    assert not [path for path in folder("media").rglob("*") if path.is_file()]
