"""``POST /analytics/views``: a storefront tells what was looked at.

One request is one event in the log, however many views it tells of; a worker adds hundreds of
events to the sums at a time. Nothing is kept of who looked: no address, no cookie, no agent.
"""

from collections import Counter

from bodega_analytics import events
from bodega_analytics.bots import is_bot
from bodega_analytics.schemas import RecordedSchema, ViewsSchema
from bodega_products import api as products
from bodega_sdk import PUBLIC, RateLimit, Reply, Request, Route, network_of, transaction
from bodega_sdk.errors import FieldError, InvalidInput

#: Views of one request, and requests of one network in a minute.
MOST = 100
LIMIT = RateLimit("analytics.views", 120, 60)


def _record(request: Request) -> Reply:
    LIMIT.hit(network_of(request.address))
    sent = request.body["views"]
    if len(sent) > MOST:
        message = f"At most {MOST} views at a time."
        raise InvalidInput(f"'views': {message}", [FieldError("views", message, len(sent))])
    agent = request.raw.get_header("User-Agent")
    found = Counter(
        one["product"] for one in sent if not is_bot(one.get("user_agent") or agent)
    )  # fmt: skip
    known = products.products_of(found)
    counted = {str(key): found[key] for key in known if known[key].is_active}
    if counted:
        with transaction():
            events.views_recorded.publish("", {"products": counted})
    return Reply(RecordedSchema().dump({"recorded": sum(counted.values())}), 202)


RECORD = Route(
    "POST", "/analytics/views", _record, PUBLIC, "Tell which products somebody looks at",
    body=ViewsSchema, returns=RecordedSchema, status=202,
    description="Called by a storefront when it shows a product. Programs that name themselves "
    "in `User-Agent` are not counted, nor are products that are not for sale. Nothing is kept "
    "of who looked.",
)  # fmt: skip
