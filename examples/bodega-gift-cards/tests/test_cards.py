"""Cards: issued, redeemed, refunded, made void; and the ledger of all that."""

import json
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from bodega_sdk import Money, now, transaction
from bodega_sdk.errors import Conflict, InvalidInput, NotFound
from bodega_sdk.testing.queries import query_counter

CARDS = "/api/v1/gift-cards"
Issue = Callable[..., dict[str, Any]]


def test_a_card_is_issued_listed_and_read_and_shows_its_code_once(admin: Any, issue: Issue) -> None:
    made = issue(note="For Ada")
    assert re.fullmatch(r"([2-9A-HJKMNP-Z]{4}-){3}[2-9A-HJKMNP-Z]{4}", made["code"])
    assert made["last_four"] == made["code"][-4:]
    assert (made["amount"], made["balance"], made["state"]) == ("50.00", "50.00", "active")
    kept = {name: value for name, value in made.items() if name != "code"}
    assert admin.get(CARDS).expect(200)["results"] == [kept]
    assert admin.get(f"{CARDS}/{made['id']}").expect(200) == kept


def test_the_code_is_nowhere_in_the_database(admin: Any, issue: Issue) -> None:
    from bodega_gift_cards.models import Card

    code = issue()["code"].replace("-", "")
    (row,) = Card.select().dicts()
    assert code not in json.dumps(row, default=str).upper()


def test_a_card_is_redeemed_and_refunded_and_the_ledger_says_so(admin: Any, issue: Issue) -> None:
    card = issue()
    paid = admin.post(f"{CARDS}/{card['id']}/redeem", {"amount": "30.50", "reference": "O-1"})
    assert paid.expect(200)["balance"] == "19.50"
    back = admin.post(f"{CARDS}/{card['id']}/refund", {"amount": "0.50", "reference": "O-1"})
    assert back.expect(200)["balance"] == "20.00"
    ledger = admin.get(f"{CARDS}/{card['id']}/movements").expect(200)["results"]
    assert [(m["kind"], m["amount"], m["balance"], m["reference"]) for m in ledger] == [
        ("refund", "0.50", "20.00", "O-1"),
        ("redeem", "-30.50", "19.50", "O-1"),
        ("issue", "50.00", "50.00", ""),
    ]


def test_a_payment_for_a_state_that_is_over_is_refused(admin: Any, issue: Issue) -> None:
    address = f"{CARDS}/{issue()['id']}"
    read = {"If-Match": admin.get(address).headers["ETag"]}
    admin.post(f"{address}/redeem", {"amount": "1"}, headers=read).expect(200)
    admin.post(f"{address}/redeem", {"amount": "1"}, headers=read).expect(412)
    assert admin.get(address).expect(200)["balance"] == "49.00"


def test_no_more_is_taken_than_is_there_and_no_more_put_back_than_was_paid(
    admin: Any, issue: Issue
) -> None:
    card = issue()
    problem = admin.post(f"{CARDS}/{card['id']}/redeem", {"amount": "50.01"}).expect(409)
    assert problem["errors"][0]["message"] == "Only 50.00 EUR are left on it."
    admin.post(f"{CARDS}/{card['id']}/redeem", {"amount": "50"}).expect(200)
    assert admin.get(f"{CARDS}/{card['id']}").expect(200)["state"] == "spent"
    problem = admin.post(f"{CARDS}/{card['id']}/refund", {"amount": "50.01"}).expect(409)
    assert problem["errors"][0]["message"] == "Only 50.00 EUR were paid with it."


def test_of_many_redemptions_at_once_only_as_many_succeed_as_the_balance_allows(
    admin: Any, issue: Issue
) -> None:
    card = issue(amount="30.00")
    answers: list[int] = []
    together = threading.Barrier(6)

    def pay() -> None:
        together.wait()
        answer = admin.post(f"{CARDS}/{card['id']}/redeem", {"amount": "10.00"})
        answers.append(answer.status_code)

    threads = [threading.Thread(target=pay) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 200, 200, 409, 409, 409]
    assert admin.get(f"{CARDS}/{card['id']}").expect(200)["balance"] == "0.00"
    assert admin.get(f"{CARDS}/{card['id']}/movements").expect(200)["count"] == 4


def test_a_void_card_is_worth_nothing(admin: Any, issue: Issue) -> None:
    card = issue()
    shown = admin.post(f"{CARDS}/{card['id']}/void").expect(200)
    assert (shown["state"], shown["balance"]) == ("void", "0.00")
    for verb in ("redeem", "refund"):
        problem = admin.post(f"{CARDS}/{card['id']}/{verb}", {"amount": "1"}).expect(409)
        assert problem["detail"] == f"The gift card …{card['last_four']} is void."
    admin.post(f"{CARDS}/{card['id']}/void").expect(409)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("amount", "0"),
        ("amount", "1.001"),
        ("amount", None),
        ("currency", "euro"),
        ("product_id", "0" * 32),
        ("expires_at", "2001-01-01T00:00:00Z"),
        ("expires_at", "9999-12-31T23:59:59-12:00"),
    ],
)
def test_a_card_that_cannot_be_names_the_member(admin: Any, member: str, value: object) -> None:
    data = {"amount": "50.00", "currency": "EUR", member: value}
    problem = admin.post(CARDS, data).expect(422)
    assert [error["field"] for error in problem["errors"]] == [member]


@pytest.mark.parametrize("amount", ["0", "0.001", "-1"])
def test_a_payment_that_cannot_be_names_the_amount(admin: Any, issue: Issue, amount: str) -> None:
    card = issue()
    problem = admin.post(f"{CARDS}/{card['id']}/redeem", {"amount": amount}).expect(422)
    assert [error["field"] for error in problem["errors"]] == ["amount"]


def test_whoever_has_a_code_is_told_what_is_left_and_nobody_is_told_more(
    bodega_client: Any, admin: Any, issue: Issue
) -> None:
    card, gone = issue(), issue()
    admin.post(f"{CARDS}/{gone['id']}/void").expect(200)
    typed = card["code"].lower().replace("-", " ")
    told = bodega_client.post(f"{CARDS}/check", {"code": typed}).expect(200)
    assert told == {
        "balance": "50.00",
        "currency": "EUR",
        "last_four": card["last_four"],
        "expires_at": card["expires_at"],
    }
    with query_counter() as of_unknown:
        unknown = bodega_client.post(f"{CARDS}/check", {"code": "A" * 16}).expect(404)
    with query_counter() as of_void:
        void = bodega_client.post(f"{CARDS}/check", {"code": gone["code"]}).expect(404)
    assert unknown | {"request_id": ""} == void | {"request_id": ""}
    assert len(of_unknown) == len(of_void)


def test_who_may_not_is_refused(bodega_client: Any, issue: Issue) -> None:
    card = issue()
    staff = bodega_client.as_user("staff")
    reader = bodega_client.as_(permissions=("gift_cards.read",))
    bodega_client.get(CARDS).expect(401)
    reader.get(CARDS).expect(200)
    reader.post(CARDS, {"amount": "1"}).expect(403)
    reader.post(f"{CARDS}/{card['id']}/redeem", {"amount": "1"}).expect(403)
    staff.post(f"{CARDS}/{card['id']}/redeem", {"amount": "1"}).expect(200)
    staff.post(f"{CARDS}/{card['id']}/void").expect(403)


def test_cards_are_found_by_state_and_ending(admin: Any, issue: Issue) -> None:
    first, second = issue(), issue()
    admin.post(f"{CARDS}/{second['id']}/void").expect(200)

    def found(**query: str) -> set[str]:
        listed = admin.get(CARDS, params=query).expect(200)["results"]
        return {card["id"] for card in listed}

    assert found(state="active") == {first["id"]}
    assert found(state="void") == {second["id"]}
    assert found(state="spent") == found(state="expired") == set()
    assert found(last_four=first["last_four"].lower()) == {first["id"]}


def test_the_settings_say_how_long_a_code_is_and_how_long_it_is_good(
    bodega_shop: Any, issue: Issue
) -> None:
    bodega_shop.set("gift_cards.code_length", 20)
    bodega_shop.set("gift_cards.valid_months", 1)
    card = issue()
    assert len(card["code"].replace("-", "")) == 20
    issued, over = (datetime.fromisoformat(card[name]) for name in ("created_at", "expires_at"))
    assert 28 <= (over - issued).days <= 31


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-06-30", 36, "2029-06-30"),
    ],
)
def test_months_end_on_the_same_day_or_the_last_one(start: str, months: int, end: str) -> None:
    from bodega_gift_cards.issuing import months_later

    assert months_later(datetime.fromisoformat(start), months) == datetime.fromisoformat(end)


def test_whoever_issues_a_card_may_say_when_it_expires(issue: Issue) -> None:
    until = (now() + timedelta(days=7)).isoformat()
    assert datetime.fromisoformat(issue(expires_at=until)["expires_at"]).isoformat() == until


def test_codes_are_found_with_the_pepper_that_they_were_issued_with(
    bodega_shop: Any, bodega_client: Any, issue: Issue
) -> None:
    bodega_shop.set("gift_cards.pepper", "first")
    code = {"code": issue()["code"]}
    bodega_client.post(f"{CARDS}/check", code).expect(200)
    bodega_shop.set("gift_cards.pepper", "second")
    bodega_client.post(f"{CARDS}/check", code).expect(404)


def test_other_addons_issue_look_up_redeem_and_refund(bodega_shop: Any) -> None:
    from bodega_gift_cards import api

    with transaction():
        made = api.issue(Money(5000, "EUR"))
    assert made.code is not None
    with transaction():
        assert api.redeem(made.code, Money(2000, "EUR"), "O-1").balance == Money(3000, "EUR")
    with transaction():
        api.refund(made.id, Money(500, "EUR"), "O-1")
    found = api.look_up(made.code)
    assert found is not None
    assert (found.balance, found.code) == (Money(3500, "EUR"), None)
    assert api.look_up("nothing") is None
    for error, code, amount in (
        (InvalidInput, made.code, Money(1, "USD")),
        (Conflict, made.code, Money(3501, "EUR")),
        (NotFound, "nothing", Money(1, "EUR")),
    ):
        with pytest.raises(error), transaction():
            api.redeem(code, amount, "O-2")


def test_a_longer_list_costs_no_more_queries(admin: Any, issue: Issue) -> None:
    issue()
    with query_counter() as of_one:
        admin.get(CARDS).expect(200)
    for _ in range(3):
        issue()
    with query_counter() as of_four:
        admin.get(CARDS).expect(200)
    assert len(of_four) <= len(of_one), of_four
