"""What operators are told of hooks."""

from typing import Any

from tests.kernel.hooks.ballroom import Ballroom


def test_the_ledger_knows_whose_hook_it_is(ballroom: Ballroom, terminal: Any) -> None:
    done = terminal.run("why", "announce")
    assert done.stdout == "hook announce belongs to ballroom\n", done.stderr


def test_all_hooks_are_listed_on_the_command_line(ballroom: Ballroom, terminal: Any) -> None:
    ballroom.implement("a", "veto", "return None")
    lines = [line.split() for line in terminal.run("explain").stdout.splitlines()]
    assert lines == [
        ["HOOK", "KIND", "BUDGET", "IMPLEMENTATIONS"],
        ["accounts.account_links", "filter", "0.05", "s", "0"],
        ["ballroom.announce", "filter", "0.05", "s", "0"],
        ["ballroom.choose_seat", "provide", "0.05", "s", "0"],
        ["ballroom.guest_arrived", "observe", "0.05", "s", "0"],
        ["ballroom.refuse_guest", "veto", "0.05", "s", "1"],
    ]


def test_a_hook_is_explained_with_its_chain_in_order(ballroom: Ballroom, terminal: Any) -> None:
    ballroom.implement("a", "filter", "return text", "trylast=True")
    ballroom.implement("b", "filter", "return text")
    ballroom.implement("c", "filter", "return (yield)", "wrapper=True")
    for name in ("announce", "ballroom.announce"):
        text = terminal.run("explain", name).stdout
        assert "kind:    filter" in text
        assert "failure: closed" in text
        assert "Return what is called out when the guest comes in." in text
        place = ballroom.site.package("c") / "plugin.py"
        assert f"1. c  {place}:6  [wrapper]" in text
        assert text.index("2. b") < text.index("3. a")
        assert "[trylast]" in text


def test_a_hook_that_nobody_publishes_is_refused_naming_those_there_are(
    ballroom: Ballroom, terminal: Any
) -> None:
    done = terminal.run("explain", "orders.announce")
    assert done.returncode == 1
    assert "ballroom.announce, ballroom.choose_seat" in done.stderr
