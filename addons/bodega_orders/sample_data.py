"""Sample orders of the sample products, and ways of shipping and taxes that they were placed with.

They are past: nothing of them is reserved, and no payment belongs to them.
"""

from datetime import timedelta
from random import Random
from uuid import UUID

from bodega_orders import statuses
from bodega_orders.drafting import draft_of
from bodega_orders.drafts import Destination
from bodega_orders.models import RELEASED, History, Line, Order
from bodega_orders.placing import number_of
from bodega_orders.quoting import quote
from bodega_orders.rules_models import ShippingMethod, TaxRate
from bodega_orders.taxes import place_key
from bodega_orders.writing import line_of, order_of
from bodega_products import api as products
from bodega_sdk import SampleData, SampleRun, now, sample_id, sample_ids, setting, uuid7
from bodega_sdk.bulk import portions

_KIND, _METHOD, _RATE = "orders.order", "orders.shipping_method", "orders.tax_rate"
#: Products for each order, days that orders lie back at most, ids of one statement.
_PRODUCTS, _DAYS, _KEYS = 4, 60, 500
_METHODS = (
    {"code": "standard", "label": "Standard", "price_minor": 490, "free_from_minor": 10_000,
     "days": "2–4", "position": 1},
    {"code": "express", "label": "Express", "price_minor": 1290, "days": "1", "position": 2},
)  # fmt: skip
_RATES = (("DE", 1900, "VAT 19 %"), ("FR", 2000, "TVA 20 %"), ("GB", 2000, "VAT 20 %"))
_PEOPLE = (
    ("Ada Berg", "1 Main Street", "London", "GB"), ("Otto Klein", "Lange Straße 7", "Berlin", "DE"),
    ("Vera Petit", "3 rue Haute", "Lyon", "FR"), ("Noor Haddad", "12 Hill Road", "Leeds", "GB"),
    ("Jo Sommer", "Am Markt 2", "Bremen", "DE"),
)  # fmt: skip
#: Most have arrived.
_PATHS = (
    (statuses.CONFIRMED,), (statuses.CONFIRMED, statuses.PROCESSING),
    (statuses.CONFIRMED, statuses.PROCESSING, statuses.SHIPPED), (statuses.CANCELLED,),
    *((statuses.CONFIRMED, statuses.PROCESSING, statuses.SHIPPED, statuses.DELIVERED),) * 5,
)  # fmt: skip
_AT = {statuses.PROCESSING: "processing_at", statuses.SHIPPED: "shipped_at",
       statuses.DELIVERED: "delivered_at", statuses.CONFIRMED: "confirmed_at",
       statuses.CANCELLED: "cancelled_at"}  # fmt: skip


def declared() -> list[SampleData]:
    """Return what makes them, and takes them away."""
    return [SampleData(_make, _remove, _others)]


def _make(run: SampleRun) -> None:
    _make_rules(run)
    known = _known()
    total = run.count // _PRODUCTS
    for number in range(total):
        if sample_id(_KIND, number) in known:
            run.found("orders")
        else:
            _make_order(run, number)
        run.progress(number + 1, total)


def _make_rules(run: SampleRun) -> None:
    """Make ways of shipping and taxes, but where somebody has set their own."""
    currency = str(setting("products.currency"))
    if not ShippingMethod.select().exists():
        for number, one in enumerate(_METHODS):
            ShippingMethod.create(id=sample_id(_METHOD, number), currency=currency, **one)
            run.made("ways of shipping")
    if not TaxRate.select().exists():
        for number, (country, rate, label) in enumerate(_RATES):
            TaxRate.create(
                id=sample_id(_RATE, number), country=country, rate=rate, label=label,
                place_key=place_key(country, "", None),
            )  # fmt: skip
            run.made("tax rates")


def _make_order(run: SampleRun, number: int) -> None:
    chance = run.draw(f"{_KIND} {number}")
    name, street, city, country = chance.choice(_PEOPLE)
    things = _things(run, chance)
    if not things:
        return
    email = f"{name.split()[0].lower()}@customers.example"
    draft = draft_of(
        things, str(setting("products.currency")), None, email, Destination(country), (), "standard"
    )
    at = now() - timedelta(minutes=chance.randrange(60, _DAYS * 24 * 60))
    told = quote(draft)
    order = order_of(told, at, at)
    order.id, order.number = sample_id(_KIND, number), number_of(at)
    order.shipping_address = order.billing_address = {
        "name": name, "line1": street, "city": city, "country": country,
    }  # fmt: skip
    _go(order, chance)
    Order.insert(order.__data__).execute()
    lines = [line_of(order, place, one) for place, one in enumerate(told.lines)]
    Line.insert_many([line.__data__ for line in lines]).execute()
    _remember(order)
    run.made("orders")


def _things(run: SampleRun, chance: Random) -> list[tuple[UUID, UUID | None, int]]:
    """Return one to three things that are sold."""
    wanted = [sample_id("products.product", chance.randrange(run.count)) for _ in range(3)]
    there, forms = products.products_of(wanted), products.forms_of(wanted)
    sold = [key for key in dict.fromkeys(wanted) if key in there and there[key].is_active]
    return [
        (key, forms[key][0].id if key in forms else None, chance.randint(1, 3))
        for key in sold[: chance.randint(1, 3)]
    ]


def _go(order: Order, chance: Random) -> None:
    """Let an order have come some way since it was placed."""
    at = order.created_at
    for status in chance.choice(_PATHS):
        at = min(at + timedelta(minutes=chance.randrange(5, 2000)), now())
        order.status = status
        setattr(order, _AT[status], at)
    order.stock, order.expires_at, order.updated_at = RELEASED, None, at
    if order.status != statuses.CANCELLED:
        order.payment_status, order.paid_at = "paid", order.confirmed_at
        order.authorized = order.captured = order.total


def _remember(order: Order) -> None:
    """Write an order's history down."""
    steps = [(statuses.PENDING, order.created_at)]
    steps += [(status, getattr(order, name)) for status, name in _AT.items()]
    rows = [
        {"id": uuid7(), "order": order.id, "status": status, "role": statuses.SYSTEM,
         "created_at": at, "updated_at": at}
        for status, at in sorted((one for one in steps if one[1]), key=lambda one: one[1])
    ]  # fmt: skip
    History.insert_many(rows).execute()


def _known() -> set[UUID]:
    """Return the sample orders that are there."""
    found: set[UUID] = set()
    for some in portions(sample_ids(_KIND), _KEYS):
        query = Order.select(Order.id).where(Order.id.in_(list(some)))
        found |= {key for (key,) in query.tuples()}
    return found


def _remove(run: SampleRun) -> None:
    for some in portions(sorted(_known()), _KEYS):
        run.made("orders", Order.delete().where(Order.id.in_(list(some))).execute())
    for model, kind, most, noun in (
        (ShippingMethod, _METHOD, len(_METHODS), "ways of shipping"),
        (TaxRate, _RATE, len(_RATES), "tax rates"),
    ):
        ids = [sample_id(kind, number) for number in range(most)]
        run.made(noun, model.delete().where(model.id.in_(ids)).execute())


def _others() -> int:
    placed: int = Order.select().count()
    return placed - len(_known())
