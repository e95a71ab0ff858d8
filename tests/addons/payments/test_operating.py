"""What operators see and do: the console's pages, commands, and what people are told."""

from typing import Any

import pytest
from click.testing import CliRunner

from bodega.cli import bodega
from bodega.cli.context import Context
from bodega_notifications.models import Notification
from bodega_payments import choosing
from bodega_payments.models import Payment, ReceivedEvent
from bodega_sdk import now


def run(shop: Any, *arguments: str) -> Any:
    """Run ``bodega payments …``."""
    return CliRunner().invoke(bodega, ["payments", *arguments], obj=Context(_shop=shop))


def test_the_console_shows_payments_and_the_ledger(till: Any, vera: Any, admin: Any) -> None:
    order = till.order(vera)
    payment = till.pay(vera, order, "pm_card_createDispute")
    session = {"Cookie": f"bodega_console={admin.token}"}
    page = admin.get("/console/payments", headers=session)
    assert page.status_code == 200
    for shown in (payment["id"], order["number"], "test money", "disputes it", "10.00 USD"):
        assert shown in page.text
    for query in ("status=succeeded", "flagged=true", f"order={order['id']}", "page=2"):
        assert admin.get(f"/console/payments?{query}", headers=session).status_code == 200
    entries = admin.get(f"/console/payments/ledger?order={order['id']}", headers=session)
    assert "authorization:1000" in entries.text
    assert admin.get("/console/payments/ledger?kind=refund", headers=session).status_code == 200


def test_commands_capture_refund_list_and_reconcile(
    till: Any, vera: Any, staff: Any, shop: Any
) -> None:
    payment = till.pay(staff, till.order(vera), capture_method="manual")
    assert "Captured 6.00 USD" in run(shop, "capture", payment["id"], "6.00").output
    refused = run(shop, "capture", payment["id"])
    assert (refused.exit_code, "cannot be captured" in refused.output) == (1, True)
    assert "2.50 USD: succeeded" in run(shop, "refund", payment["id"], "2.50").output
    assert run(shop, "refund", payment["id"], "2.505").exit_code == 1
    assert run(shop, "refund", "0190f4a2-7c1e-7000-8000-000000000001").exit_code == 1
    assert payment["id"] in run(shop, "list").output
    assert run(shop, "list", "--flagged").output == ""
    assert "0 without an answer" in run(shop, "reconcile").output


@pytest.mark.slow
def test_customers_and_staff_are_told_once(
    till: Any, vera: Any, staff: Any, jobs: Any, shop: Any
) -> None:
    order = till.order(vera)
    till.pay(vera, order, "pm_card_chargeDeclined", expect=402)
    payment = till.pay(vera, order, "pm_card_createDispute")
    jobs.run_all()
    dispute: Any = choosing.provider("sandbox")
    intent = Payment.get_by_id(payment["id"]).provider_id
    dispute.engine.close_dispute(dispute.engine.disputes(intent)[0]["id"], True)
    jobs.run_all()
    staff.client.post(f"/api/v1/payments/{payment['id']}/refunds", {"amount": "1.00"}).expect(201)
    jobs.run_all()

    def heard(who: Any) -> list[str]:
        rows = Notification.select().where(Notification.account == who.account.id)
        return sorted(row.type for row in rows if row.type.startswith("payment."))

    assert heard(vera) == ["payment.captured", "payment.failed", "payment.refunded"]
    assert heard(staff) == ["payment.disputed", "payment.disputed"]
    assert ReceivedEvent.select().where(ReceivedEvent.handled_at > now()).count() == 0
