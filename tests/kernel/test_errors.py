"""Problems: every answer that is an error says what, why and where to read more."""

import inspect
from typing import Any

import peewee
import pytest
from falcon import testing
from playhouse.pool import MaxConnectionsExceeded

from bodega.addons import lifecycle
from bodega.http.errors import CATALOGUE, PROBLEMS_ROOT
from bodega.http.gate import Gate
from bodega_sdk import errors
from bodega_sdk.errors import FieldError, Problem, invalid

# How problems look is no matter of the engine.
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
PLUGIN = """
from bodega_sdk import PUBLIC, Route, hookimpl

failure = []


def fail(request):
    raise failure[0]


@hookimpl
def register_routes(routes):
    routes.add(Route("GET", "/failing", fail, PUBLIC, "Fail"))
"""


@pytest.fixture
def answer_to(empty_shop: Any, site: Any) -> Any:
    """Return what the API answers when a handler raises an error."""
    site.write("failing", PLUGIN)
    lifecycle.enable(empty_shop, "failing")
    empty_shop.refresh()
    plugin = site.module("failing", "plugin")

    def answer(error: BaseException, **options: Any) -> Any:
        plugin.failure[:] = [error]
        return testing.simulate_get(Gate(empty_shop), "/api/v1/failing", **options)

    return answer


@ONE_ENGINE
@pytest.mark.parametrize("code", CATALOGUE)
def test_every_problem_has_a_page_that_explains_it(empty_shop: Any, code: str) -> None:
    kind = CATALOGUE[code]
    answer = testing.simulate_get(Gate(empty_shop), f"{PROBLEMS_ROOT}/{code}")
    assert answer.status_code == 200
    assert answer.json["type"] == f"{PROBLEMS_ROOT}/{code}"
    assert (answer.json["title"], answer.json["status"]) == (kind.title, kind.status)
    assert answer.json["meaning"].endswith(".")


@ONE_ENGINE
def test_the_page_of_no_problem_is_a_problem(empty_shop: Any) -> None:
    answer = testing.simulate_get(Gate(empty_shop), f"{PROBLEMS_ROOT}/nonsense")
    assert answer.status_code == 404
    assert answer.json["type"] == f"{PROBLEMS_ROOT}/not-found"


def test_the_catalogue_has_every_problem_of_the_sdk_under_a_code_of_its_own() -> None:
    declared = {
        item
        for item in vars(errors).values()
        if inspect.isclass(item) and issubclass(item, Problem)
    }
    assert declared <= set(CATALOGUE.values())
    assert len(CATALOGUE) == len(set(CATALOGUE.values()))
    for code, kind in CATALOGUE.items():
        assert kind.code == code
        assert 400 <= kind.status < 600


@ONE_ENGINE
def test_a_problem_has_the_members_of_rfc_9457(answer_to: Any) -> None:
    error = errors.Conflict(
        "The name is taken.",
        [FieldError("name", "Another has it.", "lamp")],
        extra={"other": "42", "status": "open"},  # What RFC 9457 names stays what it is.
    )
    answer = answer_to(error, headers={"X-Request-ID": "abc-1"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json == {
        "type": "/api/problems/conflict",
        "title": "In conflict with what is there",
        "status": 409,
        "detail": "The name is taken.",
        "instance": "/api/v1/failing",
        "request_id": "abc-1",
        "errors": [{"field": "name", "message": "Another has it.", "found": "lamp"}],
        "other": "42",
    }


@ONE_ENGINE
def test_what_was_found_is_shown_but_not_at_length(answer_to: Any) -> None:
    answer = answer_to(invalid("name", "Too long.", "x" * 5000))
    assert len(answer.json["errors"][0]["found"]) <= 101
    assert len(answer.text) < 1000


@ONE_ENGINE
def test_a_problem_that_passes_tells_when_to_try_again(answer_to: Any) -> None:
    answer = answer_to(errors.Unavailable("The shop is busy.", retry_after=7))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


@ONE_ENGINE
def test_who_is_not_logged_in_is_told_how(answer_to: Any) -> None:
    answer = answer_to(errors.Unauthenticated("Log in."))
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@ONE_ENGINE
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ZeroDivisionError("at line 7 of secret.py"), 500),
        (AssertionError("secret"), 500),
        (peewee.IntegrityError("UNIQUE constraint failed: secret"), 409),
        (peewee.DataError("secret out of range"), 400),
        (OverflowError("secret too large"), 400),
        (peewee.OperationalError("database secret is locked"), 503),
        (peewee.InterfaceError("secret closed"), 503),
        (MaxConnectionsExceeded("secret"), 503),
    ],
)
def test_an_error_of_the_code_or_the_database_tells_nothing_about_the_inside(
    answer_to: Any, error: Exception, status: int
) -> None:
    answer = answer_to(error)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["request_id"]
    assert answer.json["detail"]
    for word in ("secret", "Traceback", ".py", "Error"):
        assert word not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)


@ONE_ENGINE
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("GET", "/nothing", 404, "not-found"),
        ("DELETE", "/api/v1/auth/login", 405, "method-not-allowed"),
        ("POST", "/health", 405, "method-not-allowed"),
        ("GET", "/api/v1/users", 401, "unauthenticated"),
    ],
)
def test_the_kernels_own_refusals_are_problems_too(
    empty_shop: Any, method: str, path: str, status: int, code: str
) -> None:
    answer = testing.simulate_request(Gate(empty_shop), method, path)
    assert answer.status_code == status
    assert answer.json["type"] == f"{PROBLEMS_ROOT}/{code}"
    assert answer.json["instance"] == path
    assert ("Allow" in answer.headers) == (status == 405)


@ONE_ENGINE
def test_every_answer_has_a_request_id_and_takes_a_sound_one(empty_shop: Any) -> None:
    gate = Gate(empty_shop)
    first = testing.simulate_get(gate, "/health").headers["X-Request-ID"]
    assert testing.simulate_get(gate, "/health").headers["X-Request-ID"] != first
    sent = testing.simulate_get(gate, "/health", headers={"X-Request-ID": "trace:1.2_3-4"})
    assert sent.headers["X-Request-ID"] == "trace:1.2_3-4"
