"""Queues: what may be sent next."""

from bodega_webhooks.parcels import KeyedQueue, Parcel


def parcel(number: int, key: str = "a") -> Parcel:
    return Parcel(f"{key}{number}", "w", f"msg_{number}", "order.paid", key, 0, 0)


def filled(*parcels: Parcel) -> KeyedQueue:
    queue = KeyedQueue()
    for item in parcels:
        queue.put(item)
    return queue


def test_one_of_a_key_is_taken_at_a_time_and_keys_take_turns() -> None:
    queue = filled(parcel(1), parcel(2), parcel(1, "b"))
    first, other = queue.take(), queue.take()
    assert (first, other) == (parcel(1), parcel(1, "b"))
    assert queue.take() is None
    queue.done(parcel(1), delivered=True)
    assert queue.take() == parcel(2)
    assert len(queue) == 0


def test_behind_a_failure_nothing_of_its_key_goes_until_it_is_written_down() -> None:
    queue = filled(parcel(1), parcel(2), parcel(1, "b"))
    queue.take()
    queue.done(parcel(1), delivered=False)
    assert queue.ids() == {"b1"}
    queue.put(parcel(2))
    assert queue.ids() == {"b1"}
    queue.recorded(parcel(1))
    queue.put(parcel(1))
    assert queue.ids() == {"a1", "b1"}


def test_a_success_that_is_written_down_late_opens_no_key_that_failed_since() -> None:
    queue = filled(parcel(1), parcel(2), parcel(3))
    queue.take()
    queue.done(parcel(1), delivered=True)
    queue.take()
    queue.done(parcel(2), delivered=False)
    queue.recorded(parcel(1))
    queue.put(parcel(3))
    assert len(queue) == 0
    queue.recorded(parcel(2))
    queue.put(parcel(2))
    assert queue.take() == parcel(2)


def test_what_is_under_way_keeps_its_key_busy_when_the_rest_is_dropped() -> None:
    queue = filled(parcel(1), parcel(2), parcel(1, "b"))
    queue.take()
    queue.clear()
    assert (len(queue), queue.take()) == (0, None)
    queue.put(parcel(3))
    assert queue.take() is None
    queue.done(parcel(1), delivered=True)
    assert queue.take() == parcel(3)
