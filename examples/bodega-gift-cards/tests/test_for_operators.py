"""What operators see: the command and the page of the console."""

import json
from collections.abc import Callable
from typing import Any

from bodega_sdk import now
from bodega_sdk.errors import InvalidInput
from click.testing import CliRunner, Result

CARDS = "/api/v1/gift-cards"
Issue = Callable[..., dict[str, Any]]


def run(*arguments: str) -> Result:
    """Run ``bodega gift-cards issue …`` in the shop that the test is bound to."""
    from bodega_gift_cards.commands import gift_cards

    return CliRunner().invoke(gift_cards, ["issue", *arguments])


def test_the_command_issues_a_card_and_prints_its_code(admin: Any) -> None:
    done = run("--amount", "50", "--currency", "EUR", "--note", "Raffle", "--json")
    assert done.exit_code == 0, done.output
    made = json.loads(done.output)
    told = admin.post(f"{CARDS}/check", {"code": made["code"]}).expect(200)
    assert (told["balance"], told["currency"]) == ("50.00", "EUR")
    assert admin.get(f"{CARDS}/{made['id']}").expect(200)["note"] == "Raffle"


def test_the_command_tells_people_what_they_need(bodega_shop: Any) -> None:
    year = now().year + 1
    done = run("--amount", "50", "--currency", "EUR", "--expires", f"{year}-12-31")
    assert done.exit_code == 0, done.output
    assert f"50.00 EUR, good until {year}-12-31" in done.output


def test_the_command_says_what_is_wrong(bodega_shop: Any) -> None:
    for arguments, message in (
        (("--amount", "0.001", "--currency", "EUR"), "EUR has 2 decimals, found 0.001."),
        ((), "Say how much is on it, or of which product it is."),
    ):
        error = run(*arguments).exception
        assert isinstance(error, InvalidInput)  # Which the command line shows, field by field.
        assert [(item.field, item.message) for item in error.errors] == [("amount", message)]


def test_the_page_lists_balances_and_what_is_owed(
    bodega_client: Any, admin: Any, issue: Issue
) -> None:
    card, _ = issue(note="For <Ada>"), issue(amount="7", currency="USD")
    admin.post(f"{CARDS}/{card['id']}/redeem", {"amount": "20"}).expect(200)
    cookie = {"Cookie": f"bodega_console={admin.token}"}
    page = bodega_client.get("/console/gift-cards", headers=cookie)
    assert page.status_code == 200
    for text in ("Owed in EUR", "30.00", "Owed in USD", "7.00", f"…{card['last_four']}", "&lt;Ada"):
        assert text in page.text
    reader = bodega_client.as_user("vendor")
    cookie = {"Cookie": f"bodega_console={reader.token}"}
    assert bodega_client.get("/console/gift-cards", headers=cookie).status_code == 403
