"""Who does not collect with Stripe never imports its library."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path
from bodega_sdk.testing.shop import opened

def imported():
    return sorted(name for name in sys.modules if name.partition(".")[0] in ("stripe", "requests"))

with opened(Path(sys.argv[1]), "", ["payments"]) as shop:
    print("enabled", imported())
    hook = "/api/v1/payments/webhooks/stripe"
    answer = shop.client.post(hook, body=b"{}", headers={"Stripe-Signature": "t=1,v1=2"})
    print(answer.status_code, imported())
    shop.jobs.run_all()
    print("worked", imported())
    from bodega_payments.stripe_provider.provider import provider_for
    provider = provider_for("sk_test_1", "", "https://api.stripe.com", "card")
    print(provider.name, imported()[:1], "sk_test_1" in repr(provider.__dict__))
"""


@pytest.mark.slow
def test_the_library_is_imported_when_the_provider_is_used(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "shop")],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    told = [line for line in done.stdout.splitlines() if not line.startswith("20")]
    assert told == ["enabled []", "503 []", "worked []", "stripe ['requests'] False"], done.stderr
