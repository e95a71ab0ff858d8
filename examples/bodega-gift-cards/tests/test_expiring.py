"""What time does to cards, and what is told of it."""

from collections.abc import Callable
from typing import Any

CARDS = "/api/v1/gift-cards"
Issue = Callable[..., dict[str, Any]]


def test_a_card_expires_at_its_time_and_the_job_writes_it_down(
    bodega_client: Any, bodega_clock: Any, bodega_events: Any, bodega_jobs: Any, issue: Issue
) -> None:
    card = issue()
    bodega_clock.move(days=3 * 366)
    admin = bodega_client.as_admin()
    shown = admin.get(f"{CARDS}/{card['id']}").expect(200)
    assert (shown["state"], shown["balance"]) == ("expired", "0.00")
    bodega_client.post(f"{CARDS}/check", {"code": card["code"]}).expect(404)
    admin.post(f"{CARDS}/{card['id']}/redeem", {"amount": "1"}).expect(409)
    bodega_jobs.run_all()
    last, *_ = admin.get(f"{CARDS}/{card['id']}/movements").expect(200)["results"]
    assert (last["kind"], last["amount"], last["balance"]) == ("expire", "-50.00", "0.00")
    (event,) = bodega_events.of("gift_card.expired")
    assert (event.key, event.data["amount"]) == (card["id"], "50.00")


def test_expiring_twice_changes_nothing_and_leaves_the_others(
    bodega_client: Any, bodega_clock: Any, bodega_events: Any, bodega_jobs: Any, issue: Issue
) -> None:
    issue()
    bodega_clock.move(days=300)
    other = bodega_client.as_admin().post(CARDS, {"amount": "1"}).expect(201)
    bodega_clock.move(days=3 * 366 - 300)
    for _ in range(2):
        bodega_jobs.run_all()
        bodega_clock.move(days=1)
    assert len(bodega_events.of("gift_card.expired")) == 1
    shown = bodega_client.as_admin().get(f"{CARDS}/{other['id']}").expect(200)
    assert shown["state"] == "active"


def test_many_cards_expire_in_portions(bodega_jobs: Any, bodega_clock: Any, issue: Issue) -> None:
    from bodega_sdk import Money, transaction

    from bodega_gift_cards.issuing import issue as make
    from bodega_gift_cards.jobs import BATCH
    from bodega_gift_cards.models import Card

    with transaction():
        for _ in range(BATCH + 1):
            make(Money(100, "EUR"))
    bodega_clock.move(days=4 * 366)
    bodega_jobs.run_all()
    assert Card.select().where(Card.balance_minor > 0).count() == 0


def test_what_happens_to_a_card_is_told(admin: Any, bodega_events: Any, issue: Issue) -> None:
    card = issue()
    admin.post(f"{CARDS}/{card['id']}/redeem", {"amount": "20", "reference": "O-1"}).expect(200)
    admin.post(f"{CARDS}/{card['id']}/refund", {"amount": "5", "reference": "O-1"}).expect(200)
    admin.post(f"{CARDS}/{card['id']}/void").expect(200)
    names = ["gift_card.issued", "gift_card.redeemed", "gift_card.refunded", "gift_card.voided"]
    assert bodega_events.names == names
    (redeemed,) = bodega_events.of("gift_card.redeemed")
    assert redeemed.key == card["id"]
    assert redeemed.data == {
        "amount": "20.00",
        "balance": "30.00",
        "currency": "EUR",
        "reference": "O-1",
    }


def test_a_redemption_that_is_refused_is_not_told(
    admin: Any, bodega_events: Any, issue: Issue
) -> None:
    card = issue()
    admin.post(f"{CARDS}/{card['id']}/redeem", {"amount": "51"}).expect(409)
    assert bodega_events.names == ["gift_card.issued"]
