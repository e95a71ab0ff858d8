"""The routes of kept methods, and of setup intents."""

from typing import Any

from bodega_accounts import api as accounts
from bodega_payments import keeping, reaching, showing
from bodega_payments.keys import READS_KEY, key_of
from bodega_payments.models import PaymentMethod
from bodega_payments.reaching import USE
from bodega_payments.schemas import KeepingSchema, MethodSchema, SettingUpSchema, SetupSchema
from bodega_sdk import Collection, RateLimit, Reply, Request, Route, setting, transaction, uuid7

#: Trying cards out one after the other is what thieves do.
_SETUPS = RateLimit("payments.setup", 20, 3600)


class Methods(Collection):
    """One's own payment methods."""

    model, schema, noun = PaymentMethod, MethodSchema, "payment method"
    read = write = USE
    objects, owner = "own", PaymentMethod.account
    verbs = ("list", "read")

    def routes(self, path: str) -> tuple[Route, ...]:
        """The verbs; adding, forgetting and preferring ask the provider first."""
        item = f"{path}/{{id}}"
        return (
            *super().routes(path),
            Route("POST", path, self._add, USE, "Keep a payment method", body=KeepingSchema,
                  returns=MethodSchema, status=201, objects="own",
                  description="That of a setup intent which has succeeded. Again, it is the same."),
            Route("DELETE", item, self._forget, USE, "Forget a payment method", status=204,
                  objects="own"),
            Route("POST", f"{item}/default", self._prefer, USE, "Prefer a payment method",
                  returns=MethodSchema, objects="own"),
        )  # fmt: skip

    def _add(self, request: Request) -> Reply:
        row = keeping.add(reaching.me(request), request.body["setup_intent"])
        headers = {"Location": f"{request.raw.path.rstrip('/')}/{row.id}"}
        return Reply(self.show(row, request), 201, headers)

    def _forget(self, request: Request) -> Reply:
        keeping.forget(self._held(request))
        return Reply(status=204)

    def _prefer(self, request: Request) -> dict[str, Any]:
        return self.show(keeping.make_default(self._held(request)), request)

    def _held(self, request: Request) -> PaymentMethod:
        """Return the row that is meant, by its If-Match too, and let go of its lock."""
        with transaction():
            found: PaymentMethod = self.hold(request)
        return found


def _set_up(request: Request) -> Reply:
    account = reaching.me(request)
    _SETUPS.hit(str(account))
    person = accounts.people([account]).get(account)
    body = request.body
    setup = keeping.set_up(
        account, person.email if person else "", body["payment_method"], body["return_url"],
        f"{account}:{key_of(request) or uuid7()}:setup",
    )  # fmt: skip
    name = setting("payments.provider")
    waits = setup.status == "requires_action"
    shown = SetupSchema().dump(
        {
            "id": setup.id, "provider": name, "is_test": showing.provider_is_test(name),
            "status": setup.status, "client_secret": setup.client_secret,
            "next_action": {"url": setup.action_url} if waits else None,
        }
    )  # fmt: skip
    return Reply(shown, 201, {"Location": f"/api/v1/payments/setup-intents/{setup.id}"})


SETUP = Route(
    "POST", "/payments/setup-intents", _set_up, USE, "Begin to keep a payment method",
    body=SettingUpSchema, returns=SetupSchema, status=201, objects="own", reads=READS_KEY,
    description="With a method, it is kept at once unless the bank wants its customer to approve "
    "it first. 20 in an hour.",
)  # fmt: skip
