"""The routes of one's own inbox, preferences and targets."""

from typing import Any, ClassVar
from uuid import UUID

from bodega_notifications import addressing, counting, preferences, services
from bodega_notifications.models import Notification, Target
from bodega_notifications.registry import known
from bodega_notifications.schemas import (
    NotificationSchema,
    PreferencesSchema,
    ReadSchema,
    TargetSchema,
    UnreadSchema,
    as_preferences,
)
from bodega_sdk import (
    AUTHENTICATED,
    Collection,
    Filter,
    Parameter,
    Reply,
    Request,
    Route,
    audit,
    now,
    transaction,
    uuid7,
)
from bodega_sdk.errors import Conflict

#: Targets of one account.
MOST_TARGETS = 10


class Notifications(Collection):
    """One's own notifications."""

    model, schema, noun = Notification, NotificationSchema, "notification"
    read = write = AUTHENTICATED
    objects, owner = "own", Notification.account
    verbs = ("list", "read", "delete")
    filters = (
        Filter(Parameter("unread", bool, "Only those that are unread, or only those that are not."),
               lambda value: Notification.read_at.is_null(value)),
        Filter(Parameter("type", str, "Only this type."),
               lambda value: Notification.type == value),
    )  # fmt: skip

    def select(self, request: Request) -> Any:
        """Those that stand in an inbox."""
        return Notification.select().where(counting.visible())

    def hold(self, request: Request) -> Any:
        """Hold a notification, and before it its inbox, as whoever adds one does."""
        self.get(request)
        preferences.held([me(request)])
        return super().hold(request)

    def remove(self, request: Request, row: Notification) -> None:
        """Take it out of the inbox."""
        counting.change(row, deleted_at=now())


class Targets(Collection):
    """One's own targets."""

    model, schema, noun = Target, TargetSchema, "target"
    read = write = AUTHENTICATED
    objects, owner = "own", Target.account
    verbs = ("list", "read", "delete")
    orderings: ClassVar = {"name": Target.name}

    def remove(self, request: Request, row: Target) -> None:
        """Delete a target; what was not sent to it yet is given up."""
        super().remove(request, row)
        audit("notification_target.removed", f"target:{row.id}", service=row.service)


def me(request: Request) -> UUID:
    """Return the account that is calling."""
    found = Notifications().whose(request)
    assert found is not None, "one's own objects have an owner"
    return found


def _add_target(request: Request) -> Reply:
    """Add a target, if the shop sends to such."""
    person, url = preferences.person_of(me(request)), request.body["url"]
    # Before the transaction: names are looked up meanwhile.
    service, key = services.check_personal(url), uuid7()
    with transaction():
        preferences.held([person.id])
        if Target.select().where(Target.account == person.id).count() >= MOST_TARGETS:
            raise Conflict(f"You have {MOST_TARGETS} targets already; delete one first.")
        made = Target.create(
            id=key, account=person.id, name=request.body["name"], service=service[:50],
            url=addressing.sealed(key, url),
        )  # fmt: skip
        audit("notification_target.added", f"target:{made.id}", service=service)
    shown = Targets().show(made)
    return Reply(shown, 201, {"Location": f"{request.raw.path.rstrip('/')}/{made.id}"})


def _unread(request: Request) -> dict[str, int]:
    return {"unread": counting.unread(me(request))}


def _mark(request: Request) -> dict[str, Any]:
    collection = Notifications()
    with transaction():
        row = collection.hold(request)
        if row.read_at is None:
            counting.change(row, read_at=now())
        return collection.show(row)


def _mark_all(request: Request) -> dict[str, int]:
    person = preferences.person_of(me(request))
    with transaction():
        preferences.held([person.id])
        return {"read": counting.read_all(person.id)}


def _preferences(request: Request) -> dict[str, Any]:
    person = preferences.person_of(me(request))
    inbox = preferences.read(person.id)
    return as_preferences(preferences.shown(known(), inbox, person))


def _set_preferences(request: Request) -> dict[str, Any]:
    person = preferences.person_of(me(request))
    with transaction():
        preferences.replace(preferences.held([person.id])[person.id], known(), request.body)
    return _preferences(request)


_OWN: dict[str, Any] = {"permission": AUTHENTICATED, "objects": "own"}
ROUTES = (
    Route("GET", "/notifications/unread-count", _unread, summary="Count one's unread notifications",
          returns=UnreadSchema, **_OWN),
    Route("POST", "/notifications/{id}/read", _mark, summary="Mark a notification as read",
          returns=NotificationSchema, **_OWN),
    Route("POST", "/notifications/read-all", _mark_all, summary="Mark all notifications as read",
          returns=ReadSchema, **_OWN),
    Route("POST", "/notifications/targets", _add_target, summary="Add a target of one's own",
          body=TargetSchema, returns=TargetSchema, status=201, **_OWN),
    Route("GET", "/notifications/preferences", _preferences, summary="Read what one is told",
          returns=PreferencesSchema, **_OWN),
    Route("PUT", "/notifications/preferences", _set_preferences, summary="Choose what one is told",
          description="What is left out is the default again.",
          body=PreferencesSchema, returns=PreferencesSchema, **_OWN),
)  # fmt: skip
