"""The README tells the truth: its tour pastes, its links lead somewhere, its commands exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    path
    for pattern in ("*.md", "docs/**/*.md", "sdk/*.md", "addons/*/*.md")
    for path in sorted(ROOT.glob(pattern))
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_variable_the_settings_read_is_in_the_readme() -> None:
    from bodega.settings import VARIABLES

    text = (ROOT / "README.md").read_text()
    assert [name for name in VARIABLES if f"`{name}`" not in text] == []


def test_every_problem_type_is_in_the_api_page() -> None:
    from bodega.http.errors import CATALOGUE

    text = (ROOT / "docs" / "api.md").read_text()
    told = set(re.findall(r"^\| \d+ \| `([\w-]+)`", text, re.MULTILINE))
    outside = {code for code, kind in CATALOGUE.items() if kind.status not in (428, 500)}
    assert outside <= told, outside - told


def pasted(heading: str) -> str:
    """Return what a section of the README gives to paste."""
    text = (ROOT / "README.md").read_text()
    return text.split(heading)[1].split("```sh\n")[1].split("```")[0]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_tour_the_catalogue_and_the_order_paste(deployment: Any, tmp_path: Path) -> None:
    deployment.up()
    tour, catalogue = pasted("## A tour in ten lines"), pasted("## A catalogue to look at")
    order = pasted("## An order, from a guest's cart to the parcel")
    assert len(tour.strip().splitlines()) == 10
    script = (
        (tour + "echo; echo; " + catalogue + "echo; " + order)
        .replace(":8000", f":{deployment.port}")
        .replace("$PWD/.venv/bin", str(Path(sys.executable).parent))
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=ROOT, env=deployment.environ,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"name":"Café lamp"' in done.stdout
    assert "22 rows: 20 created, 0 updated, 0 unchanged, 2 superseded, 0 errors" in done.stdout
    assert '"status":404' in done.stdout
    assert '"count":21' in done.stdout
    told = done.stdout.partition("made 19 categories, 100 products")[2]
    assert '"alt":"A teapot"' in told
    assert '"status":"approved"' in told
    assert '"corrected":{"teaopt":["teapot"]}' in told
    assert "<mark>Crème</mark> <mark>teapot</mark>" in told
    assert '"inventory":{"stock":7,' in told
    assert '"reviews":{"rating":"5.00","count":1}' in told
    assert '{"name":"Crème teapot","images":[{"id":' in told
    assert '"code":"WELCOME10"' in told or "WELCOME10" in told
    assert '"status":"succeeded"' in told
    history = told.rpartition('"results":')[2]
    for status in ("pending", "confirmed", "processing", "shipped"):
        assert f'"status":"{status}"' in history, history
