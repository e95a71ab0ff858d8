"""Fixtures: somebody of every role."""

from dataclasses import replace
from typing import Any

import pytest

from bodega_sdk import ROLES

PASSWORD = "a long password"


@pytest.fixture
def password() -> str:
    """The password of everybody but the administrator."""
    return PASSWORD


@pytest.fixture
def people(admin: Any) -> dict[str, Any]:
    """A client for each role, logged in; the role is also the name in the address."""
    found: dict[str, Any] = {"nobody": replace(admin, token=None), "admin": admin}
    for role in ROLES[:-1]:
        email = f"{role}@example.com"
        made = admin.post("/api/v1/users", {"email": email, "password": PASSWORD, "role": role})
        assert made.status_code == 201, made.text
        found[role] = found["nobody"].log_in(email, PASSWORD)
    return found
