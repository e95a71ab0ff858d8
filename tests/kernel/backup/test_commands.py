"""The commands `bodega backup` and `bodega restore`, and how much memory they take."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.kernel.backup.commands import command
from tests.kernel.backup.contents import files_of, row_count
from tests.kernel.backup.marks import ONE_ENGINE, Fresh

from bodega.backup import read_info
from bodega.database.connection import is_postgres
from bodega.settings import Settings
from bodega.shop import Shop
from bodega_sdk.testing.deployment import Deployment


@pytest.mark.slow
def test_the_commands_back_up_and_restore(filled: Shop, fresh: Fresh, tmp_path: Path) -> None:
    done = command(filled.settings, "backup", "--out", "shop.zip", "--json")
    assert done.returncode == 0, done.stderr
    told, other = json.loads(done.stdout), fresh()
    assert told["file"] == str(tmp_path / "shop.zip")
    assert (told["files"], told["secret_key"]) == (len(files_of(filled.settings.home)), False)
    restored = command(other, "restore", "shop.zip")
    assert restored.returncode == 0, restored.stderr
    assert restored.stderr == ""
    assert restored.stdout.startswith("Restored the shop as it was at ")
    doctor = command(other, "doctor")
    assert doctor.returncode == 0, doctor.stdout
    refused = command(other, "restore", "shop.zip")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: the database has {told['tables']} tables already")
    for given in ("n\n", ""):
        kept = command(other, "restore", "shop.zip", "--replace", given=given)
        assert kept.returncode == 1
        assert kept.stderr.endswith("Error: nothing was changed; answer y, or add --yes\n")
    for options, given in ((("--yes", "--json"), ""), (("--json",), "y\n")):
        again = command(other, "restore", "shop.zip", "--replace", *options, given=given)
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["warnings"] == []
    rekeyed = command(
        replace(other, secret_key="another key, not that of the shop"),
        "restore", "shop.zip", "--replace", "--yes",
    )  # fmt: skip
    assert rekeyed.returncode == 0
    assert "Warning: BODEGA_SECRET_KEY is not the key this shop was made with" in rekeyed.stderr


@ONE_ENGINE
@pytest.mark.from_nothing
def test_the_commands_fail_with_one_sentence_and_make_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    done = command(settings, "backup")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: there is no shop in {settings.home}; name its home")
    missing = command(settings, "restore", "missing.zip")
    assert missing.returncode == 1
    assert missing.stderr.count("\n") == 1
    assert "missing.zip: No such file or directory; name a file" in missing.stderr
    assert not (settings.home / "secret.key").exists()
    for name in ("backup", "restore"):
        assert f"Example: bodega {name} " in command(settings, name, "--help").stdout


@pytest.mark.slow
def test_a_running_shop_is_backed_up_and_its_copy_starts(
    deployment: Deployment, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    deployment.up()
    token = deployment.log_in()
    lamp = {"name": "Lamp", "sku": "L", "price": "1.00"}
    assert deployment.call("POST", "/api/v1/products", lamp, token)[0] == 201
    before = deployment.get("/api/v1/products")
    path = str(tmp_path / "shop.zip")
    done = deployment.command("backup", "--out", path, "--with-secret-key", "--json")
    assert done.returncode == 0, done.stderr
    refused = deployment.command("restore", path, "--replace", "--yes")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: the shop is running: ")
    lamp["sku"] = "later"
    assert deployment.call("POST", "/api/v1/products", lamp, token)[0] == 201
    deployment.stop()
    if "DATABASE_URL" not in deployment.environ:
        shutil.rmtree(tmp_path / "shop")
    done = deployment.command("restore", path, "--replace", "--yes")
    assert done.returncode == 0, done.stderr
    deployment.up()
    assert deployment.get("/api/v1/products") == before
    assert deployment.call("GET", "/api/v1/auth/me", token=token)[0] == 200
    assert deployment.log_in()


# Not what wait4() tells: that begins with the memory of the process that forks.
MEASURED = """
import sys
from pathlib import Path
from bodega.cli import main
main(sys.argv[1:])
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(peak.split()[1])
"""


def peak(settings: Settings, *arguments: str) -> int:
    """Run ``bodega …`` and return the most memory that it took, in MB."""
    done = command(settings, *arguments, run=("-c", MEASURED))
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1]) // 1024


@pytest.mark.slow
def test_a_table_of_200_000_rows_needs_no_more_memory_than_an_empty_one(
    shop: Shop, fresh: Fresh, tmp_path: Path
) -> None:
    small = peak(shop.settings, "backup", "--out", str(tmp_path / "small.zip"))
    insert = 'INSERT INTO bodega_event (id, "offset", name, version, key, data, occurred_at) '
    if is_postgres(shop.databases.shop):
        rows = (
            "SELECT n, n, 'big', 1, n::text, to_jsonb(repeat(md5(n::text), 20)), now() "
            "FROM generate_series(10, 200009) n"
        )
    else:
        rows = (
            "WITH RECURSIVE numbers (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM numbers "
            "WHERE n < 200009) SELECT n, n, 'big', 1, n, '\"' || hex(randomblob(320)) || '\"', "
            "'2026-01-01T00:00:00.000000Z' FROM numbers"
        )
    shop.databases.shop.execute_sql(insert + rows)
    big = tmp_path / "big.zip"
    peaks = [
        small,
        peak(shop.settings, "backup", "--out", str(big)),
        peak(fresh(), "restore", str(big)),
    ]
    print("MB at most:", peaks)
    assert max(peaks) < small + 50
    with zipfile.ZipFile(big) as bundle:
        assert sum(item.file_size for item in bundle.infolist()) > 120_000_000
    assert row_count(read_info(big), "bodega_event") > 200_000
