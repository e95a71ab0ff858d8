"""Passwords, their hashes and tokens: in no answer, no event and no line of the log."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bodega.database.tables import EventRow, JobRow
from bodega.shop import Shop

SECRET = "Tr0ub4dor-and-3"
USERS, LOGIN = "/api/v1/users", "/api/v1/auth/login"


@pytest.fixture
def vera(admin: Any) -> dict[str, Any]:
    """An account with the secret for its password."""
    made = admin.post(USERS, {"email": "vera@example.com", "password": SECRET})
    found: dict[str, Any] = made.json
    return found


def _answers(admin: Any, vera: dict[str, Any]) -> list[Any]:
    """Call everything that takes a password, well and badly."""
    path, email = f"{USERS}/{vera['id']}", "vera@example.com"
    long, bad = SECRET + "x" * 128, ([SECRET], {"a": SECRET}, SECRET + "\0", SECRET + "x" * 128)
    found = [
        admin.get(USERS),
        admin.get(path),
        admin.post(LOGIN, {"email": email, "password": long}),
    ]
    found += [admin.post(LOGIN, {"email": email, "password": SECRET + tail}) for tail in ("", "!")]
    for value in bad:
        found += [
            admin.post(LOGIN, {"email": email, "password": value}),
            admin.post(USERS, {"email": "n@example.com", "password": value}),
            admin.post(USERS, {"email": email, "password": SECRET}),
            admin.put(path, {"email": email, "password": value}),
            admin.patch(path, {"password": value}),
            admin.post("/api/v1/auth/refresh", {"refresh": value}),
        ]
    found += [admin.post(LOGIN, body) for body in (SECRET, [email, SECRET])]
    found.append(admin.patch(path, {"password": SECRET, "name": 5}))
    return found


def test_no_answer_shows_a_password_or_its_hash(admin: Any, vera: dict[str, Any]) -> None:
    for answer in _answers(admin, vera):
        assert answer.status_code < 500
        assert SECRET not in answer.text, answer.text[:300]
        assert "argon2" not in answer.text


def test_no_line_of_the_log_shows_a_password_or_a_token(admin: Any, vera: dict[str, Any]) -> None:
    with capture_logs() as lines:
        answers = _answers(admin, vera)
    written = repr(lines)
    assert len(lines) >= len(answers), "the log was not captured"
    assert SECRET not in written
    assert "argon2" not in written
    assert admin.token not in written


def test_no_event_or_job_holds_a_password_or_its_hash(
    shop: Shop, admin: Any, vera: dict[str, Any]
) -> None:
    admin.patch(f"{USERS}/{vera['id']}", {"password": SECRET + "!"})
    rows = [row for model in (EventRow, JobRow) for row in model.select().dicts()]
    assert any(row["name"] == "account.created" for row in rows)
    assert SECRET not in repr(rows)
    assert "argon2" not in repr(rows)


_FAIL = """
import sys
from pathlib import Path
import structlog
from bodega.settings import Settings
from bodega.telemetry.logging import configure_logging

def log_in(email, password):
    raise RuntimeError("something went wrong")

configure_logging(Settings(home=Path(sys.argv[1]), log_format=sys.argv[2]), "web")
try:
    log_in("vera@example.com", "".join(reversed("3-dna-rod4bu0rT")))
except RuntimeError as error:
    structlog.get_logger().error("request failed", exc_info=error)
"""


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_logged_failure_shows_its_place_but_not_the_values_there(
    tmp_path: Path, form: str
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _FAIL, str(tmp_path), form],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "log_in" in ran.stderr
    assert SECRET not in ran.stderr


def test_the_schema_marks_the_password_as_written_only(client: Any) -> None:
    schemas = json.loads(client.get("/api/schema").text)["components"]["schemas"]
    found = [s["properties"]["password"] for s in schemas.values() if "password" in s["properties"]]
    assert found
    assert all(item["writeOnly"] is True for item in found)
