"""What the policy of each kind of hook makes of failures."""

from typing import Any

import pytest
from tests.kernel.hooks.ballroom import CLOSED, HOOKS, Ballroom, outcome

from bodega_sdk.errors import HookFailed
from bodega_sdk.models import transaction

#: What a body does wrong → what is told of it.
WRONGS = {
    "raise ValueError('no ' + guest)": "ValueError: no Ada",
    "raise SystemExit(3)": "SystemExit: 3",
    "import sys; sys.exit()": "SystemExit",
    "raise BaseException('odd')": "BaseException: odd",
    "return object()": "WrongResult: returned object, the hook states",
    "raise type('E', (Exception,), {'__str__': lambda e: 1 / 0})()": "E",
    "raise ValueError('\\0 and \\ud800')": "ValueError: \ufffd and ?",
}
#: What a wrapper does wrong → what is told of it.
WRONG_WRAPPERS = {
    "if False: yield": "WrongResult: did not yield",
    "yield; yield": "WrongResult: yielded more than once",
    "raise ValueError('early'); yield": "ValueError: early",
    "yield; raise ValueError('late')": "ValueError: late",
    "yield; raise SystemExit(1)": "SystemExit: 1",
    "yield; return object()": "WrongResult: returned object",
}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", CLOSED)
@pytest.mark.parametrize(("body", "told"), WRONGS.items())
def test_a_failure_of_a_closed_hook_fails_the_operation_and_names_the_addon(
    ballroom: Ballroom, kind: str, body: str, told: str, logs: list[Any]
) -> None:
    ballroom.implement("bad", kind, body)
    failed = outcome(kind, "bad", "failed")
    with pytest.raises(HookFailed) as caught:
        ballroom.call(kind)
    assert (caught.value.addon, caught.value.hook) == ("bad", f"ballroom.{HOOKS[kind][0]}")
    (line,) = (item for item in logs if item["event"] == "hook failed")
    assert line["addon"] == "bad"
    assert line["hook"] == f"ballroom.{HOOKS[kind][0]}"
    assert line["at"] == f"{ballroom.site.package('bad')}/plugin.py:6"
    assert told in line["reason"]
    assert f"{ballroom.site.package('bad')}/plugin.py:" in line["reason"]
    assert outcome(kind, "bad", "failed") == failed + 1


@pytest.mark.parametrize(("body", "told"), WRONGS.items())
def test_a_failure_of_an_open_hook_is_logged_and_the_next_one_is_called(
    ballroom: Ballroom, body: str, told: str, logs: list[Any]
) -> None:
    ballroom.implement("bad", "observe", body)
    ballroom.implement("good", "observe", "Guest.create(name='good')")
    failed = outcome("observe", "bad", "failed")
    assert ballroom.call("observe") is None
    (line,) = (item for item in logs if item["event"] == "hook failed")
    assert line["addon"] == "bad"
    assert told in line["reason"]
    assert ballroom.guests() == ["good"]
    assert outcome("observe", "bad", "failed") == failed + 1


@pytest.mark.parametrize("kind", CLOSED)
def test_a_failure_answers_503_naming_addon_and_hook_and_nothing_was_written(
    ballroom: Ballroom, kind: str
) -> None:
    ballroom.implement("good", "observe", "return None")
    ballroom.implement("bad", kind, "Guest.create(name='bad'); raise ValueError('secret')")
    answer = ballroom.come_in()
    assert answer.status_code == 503
    assert answer.json["type"] == "/api/problems/hook-failed"
    assert answer.json["addon"] == "bad"
    assert answer.json["hook"] == f"ballroom.{HOOKS[kind][0]}"
    assert int(answer.headers["Retry-After"]) > 0
    assert "secret" not in answer.text
    assert ballroom.guests() == []


def test_a_failing_observer_loses_its_own_writes_only(ballroom: Ballroom) -> None:
    ballroom.implement("a", "observe", "Guest.create(name='a')")
    ballroom.implement("b", "observe", "Guest.create(name='b'); Guest.create(name=None)")
    ballroom.implement("c", "observe", "Guest.create(name='c')")
    with transaction():
        ballroom.call("observe")
    assert ballroom.guests() == ["a", "c"]
    assert ballroom.come_in().status_code == 200
    assert ballroom.guests() == ["a", "c", "Ada", "a", "c"]


def test_bad_sql_of_an_addon_is_its_own_fault_and_does_not_break_the_transaction(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("bad", "observe", "Guest.raw('SELECT nothing FROM nowhere').execute()")
    for _ in range(5):
        assert ballroom.come_in().status_code == 200
    assert ballroom.shop.breakers.of("bad", "ballroom.guest_arrived").open


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", HOOKS)
@pytest.mark.parametrize(("body", "told"), WRONG_WRAPPERS.items())
def test_whatever_a_wrapper_does_wrong_is_a_failure(
    ballroom: Ballroom, kind: str, body: str, told: str, logs: list[Any]
) -> None:
    ballroom.implement("good", kind, f"Guest.create(name='good'); return {HOOKS[kind][2]}")
    ballroom.implement("bad", kind, body, "wrapper=True")
    ballroom.implement("outer", kind, "return (yield)", "wrapper=True")
    if kind == "observe":
        ballroom.call(kind)
        assert ballroom.guests() == ["good"]
    else:
        with pytest.raises(HookFailed) as caught:
            ballroom.call(kind)
        assert caught.value.addon == "bad"
    lines = [item for item in logs if item["event"] == "hook failed"]
    assert [item["addon"] for item in lines] == ["bad"]
    assert told in lines[0]["reason"]


@pytest.mark.parametrize(("kind", "result"), [("provide", "7"), ("veto", "'full'")])
def test_a_wrapper_that_forgets_to_return_the_result_fails(
    ballroom: Ballroom, kind: str, result: str, logs: list[Any]
) -> None:
    ballroom.implement("good", kind, f"return {result}")
    ballroom.implement("bad", kind, "yield", "wrapper=True")
    with pytest.raises(HookFailed) as caught:
        ballroom.call(kind)
    assert caught.value.addon == "bad"
    assert "lost the result of the others" in str(logs)


def test_a_veto_without_a_word_is_a_failure_not_a_pass(ballroom: Ballroom) -> None:
    ballroom.implement("bad", "veto", "return ' '")
    with pytest.raises(HookFailed):
        ballroom.call("veto")


@pytest.mark.parametrize(
    "ending", ["raise", "return 'fine'", "yield", "raise SystemExit", "raise ValueError('worse')"]
)
def test_a_wrapper_cleans_up_after_a_failure_inside_and_cannot_make_it_undone(
    ballroom: Ballroom, ending: str
) -> None:
    ballroom.implement("bad", "filter", "raise ValueError('inside')")
    body = f"try:\n        yield\n    except Exception:\n        Guest.create(name='x'); {ending}"
    ballroom.implement("around", "filter", body, "wrapper=True")
    with pytest.raises(HookFailed) as caught:
        ballroom.call("filter")
    assert caught.value.addon == "bad"
    assert ballroom.guests() == ["x"]


def test_what_an_implementation_does_to_its_arguments_nobody_else_sees(ballroom: Ballroom) -> None:
    spoil = "notes['spoilt'] = 'yes'; Guest.create(name=str(len(notes)))"
    ballroom.implement("a", "observe", spoil)
    ballroom.implement("b", "observe", spoil)
    ballroom.implement("w", "observe", f"{spoil}; yield", "wrapper=True")
    notes = {"given": "yes"}
    ballroom.hook("observe")("Ada", notes)
    assert notes == {"given": "yes"}
    assert ballroom.guests() == ["2", "2", "2"]


def test_another_addons_failure_inside_an_implementation_is_not_held_against_it(
    ballroom: Ballroom,
) -> None:
    ballroom.implement("bad", "veto", "raise ValueError")
    ballroom.implement(
        "caller", "provide",
        "from bodega_sample_ballroom import hookspecs; return hookspecs.refuse_guest('Bob') or 1",
    )  # fmt: skip
    for _ in range(6):
        with pytest.raises(HookFailed) as caught:
            ballroom.call("provide")
        assert caught.value.addon == "bad"
    assert ballroom.shop.breakers.of("bad", "ballroom.refuse_guest").open
    assert not ballroom.shop.breakers.of("caller", "ballroom.choose_seat").open


def test_a_database_that_does_not_answer_is_no_addons_fault(ballroom: Ballroom) -> None:
    ballroom.implement(
        "unlucky", "veto",
        "import peewee, psycopg2; raise peewee.OperationalError(psycopg2.OperationalError('gone'))",
    )  # fmt: skip
    for _ in range(6):
        answer = ballroom.come_in()
        assert answer.status_code == 503
        assert answer.json["type"] == "/api/problems/unavailable"
    assert not ballroom.shop.breakers.of("unlucky", "ballroom.refuse_guest").open
