"""Methods that accounts keep with a provider, and who they are there."""

from contextlib import suppress
from uuid import UUID

from bodega_payments import choosing
from bodega_payments.errors import PaymentDeclined, unavailable
from bodega_payments.models import Customer, Payment, PaymentMethod
from bodega_payments.providers import (
    Declined,
    Method,
    Misconfigured,
    Provider,
    ProviderDown,
    Refused,
    Setup,
)
from bodega_sdk import setting, transaction, uuid7
from bodega_sdk.errors import Conflict, FieldError, invalid


def customer_of(provider: Provider, account: UUID, email: str) -> str:
    """Return the provider's id of an account; the first time it is made there.

    The row is written first: whoever asks at the same time asks with the same key.
    """
    row = _row(provider.name, account)
    if row.provider_id is None:
        made = provider.create_customer(str(account), email, f"{row.id}:customer")
        Customer.update(provider_id=made.id).where(Customer.id == row.id).execute()
        row.provider_id = made.id
    return str(row.provider_id)


def _row(provider: str, account: UUID) -> Customer:
    mine = (Customer.account == account) & (Customer.provider == provider)
    with transaction():
        Customer.insert(
            Customer(id=uuid7(), account=account, provider=provider).__data__
        ).on_conflict_ignore().execute()
        found: Customer = Customer.get(mine)
    return found


def token_of(named: str, account: UUID | None, provider: str) -> str:
    """Return the provider's id of a method.

    Args:
        named: our id of a kept method, or the provider's id of any.

    Raises:
        InvalidInput: somebody else keeps it, or it is with another provider.
    """
    same = PaymentMethod.provider_id == named
    if _is_uuid(named):
        same |= PaymentMethod.id == UUID(named)
    row = PaymentMethod.get_or_none(same)
    if row is None and not _is_uuid(named):
        return named
    if row is None or row.account != account or row.provider != provider:
        raise invalid("payment_method", "You keep no such payment method.")
    return str(row.provider_id)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def set_up(account: UUID, email: str, method: str, return_url: str, key: str) -> Setup:
    """Begin to keep a method, and keep it if nothing else is to be done.

    Raises:
        PaymentDeclined: the bank does not want it.
        ProviderUnavailable: no answer.
    """
    name = setting("payments.provider")
    try:
        provider = choosing.provider(name)
        customer = customer_of(provider, account, email)
        setup = provider.create_setup(customer, method, return_url, key)
    except (Declined, Refused) as error:
        raise _refused(error) from None
    except (ProviderDown, Misconfigured) as error:
        raise unavailable(None, "The payment provider does not answer.") from error
    if setup.status == "succeeded" and setup.method is not None:
        remember(name, account, setup.method)
    return setup


def add(account: UUID, setup_id: str) -> PaymentMethod:
    """Keep the method of a setup intent that has succeeded.

    Raises:
        InvalidInput: it is not one of the account's.
        Conflict: it has not succeeded yet.
    """
    name = setting("payments.provider")
    mine = (Customer.account == account) & (Customer.provider == name)
    customer = Customer.get_or_none(mine)
    try:
        setup = choosing.provider(name).retrieve_setup(setup_id)
    except Refused:
        setup = None
    except (ProviderDown, Misconfigured) as error:
        raise unavailable(None, "The payment provider does not answer.") from error
    if setup is None or customer is None or setup.customer != customer.provider_id:
        raise invalid("setup_intent", "You have no setup intent with this id.")
    if setup.status != "succeeded" or setup.method is None:
        message = f"The setup intent is {setup.status}, not succeeded yet."
        raise Conflict(message, [FieldError("setup_intent", message)])
    return remember(name, account, setup.method)


def remember(provider: str, account: UUID, method: Method) -> PaymentMethod:
    """Write a kept method; the first one is the default."""
    with transaction():
        mine = (PaymentMethod.account == account) & (PaymentMethod.provider == provider)
        first = not PaymentMethod.select().where(mine).exists()
        made = PaymentMethod(
            id=uuid7(), account=account, provider=provider, provider_id=method.id,
            kind=method.kind[:40], brand=method.brand[:40], last4=method.last4[-4:],
            exp_month=method.exp_month, exp_year=method.exp_year, is_default=first,
        )  # fmt: skip
        PaymentMethod.insert(made.__data__).on_conflict_ignore().execute()
        same = (PaymentMethod.provider == provider) & (PaymentMethod.provider_id == method.id)
        found: PaymentMethod = PaymentMethod.get(same)
    return found


def remember_paid(payment: Payment, method: Method | None) -> None:
    """Keep the method that a payment was made with, if its customer wants that."""
    done = payment.status in ("succeeded", "requires_capture")
    if payment.save_method and payment.account and method is not None and done:
        remember(payment.provider, payment.account, method)


def forget(row: PaymentMethod) -> None:
    """Forget a method, with the provider first: what is gone here must not be charged there."""
    try:
        with suppress(Refused):  # It is gone there already.
            choosing.provider(row.provider).detach_method(row.provider_id, f"{row.id}:detach")
    except (ProviderDown, Misconfigured, Declined) as error:
        raise unavailable(None, "The payment provider does not answer.") from error
    row.delete_instance()


def make_default(row: PaymentMethod) -> PaymentMethod:
    """Use a method when none is named, with the provider first."""
    mine = (Customer.account == row.account) & (Customer.provider == row.provider)
    customer = Customer.get(mine).provider_id
    try:
        found = choosing.provider(row.provider)
        found.set_default_method(customer, row.provider_id, f"{uuid7()}:default")
    except Refused as error:
        raise Conflict(error.message) from None
    except (ProviderDown, Misconfigured, Declined) as error:
        raise unavailable(None, "The payment provider does not answer.") from error
    with transaction():
        mine = (PaymentMethod.account == row.account) & PaymentMethod.is_default
        PaymentMethod.update(is_default=False).where(mine).execute()
        row.is_default = True
        row.save()
    return row


def _refused(error: Declined | Refused) -> PaymentDeclined:
    errors = [FieldError("payment_method", error.message)]
    return PaymentDeclined(error.message, errors, extra={"code": error.code})
