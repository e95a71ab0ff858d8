"""Fixtures: a shop with something of everything, its backup, and shops to restore it into."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.backup.contents import CSV, ODD
from tests.kernel.backup.marks import Fresh

from bodega.backup import write_backup
from bodega.http.app import build_app
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.testing import servers


@pytest.fixture
def fresh(
    engine: str, settings: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Fresh]:
    """Make settings of another shop that is not there yet, on the engine of the test."""
    server = request.getfixturevalue("postgres_server") if engine == "postgres" else ""
    made: list[str] = []

    def make(name: str = "other", **more: Any) -> Settings:
        url = ""
        if server:
            made.append(f"test_{uuid.uuid4().hex}")
            url = servers.create_database(server, made[-1])
        return replace(settings, home=tmp_path / name, database_url=url, **more)

    yield make
    for database in made:
        servers.drop_database(server, database)


@pytest.fixture
def opened() -> Iterator[Callable[[Settings], Shop]]:
    """Open shops; they are closed behind the test."""
    shops: list[Shop] = []

    def make(settings: Settings) -> Shop:
        shops.append(Shop(settings, build_app, connections=5))
        return shops[-1]

    yield make
    for shop in shops:
        shop.databases.close()


@pytest.fixture
def filled(shop: Shop, admin: Any, worker: Any) -> Shop:
    """A shop with products of odd names, an import with a bad row, accounts and files."""
    for number, text in enumerate(ODD):
        body = {"name": text, "description": text * 50, "sku": f"L-{number}", "price": "29.99"}
        assert admin.post("/api/v1/products", body).status_code == 201
    gone = admin.post("/api/v1/products", {"name": "Gone", "sku": "G", "price": "1"}).json["id"]
    assert admin.delete(f"/api/v1/products/{gone}").status_code == 204
    user = {
        "email": "ada@shop.example",
        "password": "correct horse",
        "role": "staff",
        "first_name": "Ädå",
    }
    assert admin.post("/api/v1/users", user).status_code == 201
    begun = admin.post("/api/v1/imports", body=CSV.encode(), headers={"Content-Type": "text/csv"})
    assert begun.status_code == 202
    worker.run()
    for name, content in {"a/b ü.txt": b"x" * 3_000_000, "a/empty": b"", "z.bin": b"\0\n"}.items():
        path = shop.settings.home / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return shop


@pytest.fixture
def bundle(filled: Shop, tmp_path: Path) -> Path:
    """A backup of the filled shop."""
    write_backup(filled, tmp_path / "shop.zip")
    return tmp_path / "shop.zip"
