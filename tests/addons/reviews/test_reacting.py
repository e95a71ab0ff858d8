"""Readers: who found a review helpful, who reported it, and who is told."""

from typing import Any

from bodega.database.tables import EventRow
from bodega_notifications.models import Notification
from bodega_reviews.models import Report, Review, Vote

REVIEWS = "/api/v1/reviews"


def test_a_vote_counts_once_and_can_be_taken_back(
    vera: Any, otto: Any, lamp: str, approve: Any
) -> None:
    path = f"{REVIEWS}/{approve(vera.review(lamp))['id']}/helpful"
    assert otto.client.get(path).expect(200) == {"helpful": 0, "voted": False}
    for _ in range(2):
        assert otto.client.post(path).expect(200) == {"helpful": 1, "voted": True}
    assert vera.client.get(path).expect(200) == {"helpful": 1, "voted": False}
    for _ in range(2):
        assert otto.client.delete(path).expect(200) == {"helpful": 0, "voted": False}


def test_nobody_votes_for_their_own_review_or_for_one_that_is_not_shown(
    vera: Any, otto: Any, staff: Any, client: Any, lamp: str, approve: Any
) -> None:
    made = vera.review(lamp)
    path = f"{REVIEWS}/{made['id']}/helpful"
    otto.client.post(path).expect(404)
    staff.client.post(path).expect(409)
    approve(made)
    vera.client.post(path).expect(409)
    client.post(path).expect(401)
    assert Vote.select().count() == 0


def test_votes_from_eight_threads_are_all_counted_and_nobody_counts_twice(
    vera: Any, person: Any, lamp: str, approve: Any, at_once: Any
) -> None:
    made = approve(vera.review(lamp))
    path = f"{REVIEWS}/{made['id']}/helpful"
    people = [person(f"p{number}") for number in range(4)]

    def vote(one: Any) -> None:
        for _ in range(5):
            one.client.post(path).expect(200)
            one.client.delete(path).expect(200)
            one.client.post(path).expect(200)

    # Each of them from two threads.
    at_once(*[lambda one=one: vote(one) for one in people * 2])
    assert Review.get_by_id(made["id"]).helpful == Vote.select().count() == 4


def test_reviews_are_ordered_by_how_helpful_they_are(
    vera: Any, otto: Any, client: Any, lamp: str, approve: Any
) -> None:
    first = approve(vera.review(lamp, title="helpful"))
    approve(otto.review(lamp, title="not"))
    otto.client.post(f"{REVIEWS}/{first['id']}/helpful").expect(200)
    found = client.get(f"{REVIEWS}?product={lamp}&ordering=-helpful").expect(200)["results"]
    assert [item["title"] for item in found] == ["helpful", "not"]


def test_a_report_reaches_the_moderators_and_is_settled_by_their_decision(
    vera: Any, otto: Any, staff: Any, lamp: str, approve: Any
) -> None:
    made = approve(vera.review(lamp))
    path = f"{REVIEWS}/{made['id']}"
    assert otto.client.post(f"{path}/report", {"reason": "spam", "text": "An ad."}).expect(200) == {
        "review": made["id"],
        "reason": "spam",
        "text": "An ad.",
    }
    otto.client.post(f"{path}/report", {"reason": "other"}).expect(200)
    assert staff.client.get(path).expect(200)["reports"] == 1
    listed = staff.client.get(f"{REVIEWS}/reports?review={made['id']}").expect(200)["results"]
    assert [(item["review"], item["reason"]) for item in listed] == [(made["id"], "other")]
    otto.client.get(f"{REVIEWS}/reports").expect(403)
    assert approve(made)["reports"] == 0
    assert Report.select().count() == 0
    assert EventRow.select().where(EventRow.name == "review.reported").count() == 1


def test_a_report_must_say_why_and_be_of_somebody_elses_review(
    vera: Any, otto: Any, lamp: str, approve: Any
) -> None:
    path = f"{REVIEWS}/{approve(vera.review(lamp))['id']}/report"
    vera.client.post(path, {"reason": "spam"}).expect(409)
    refused = otto.client.post(path, {"reason": "dislike"}).expect(422)
    assert refused["errors"][0]["field"] == "reason"


def test_reports_from_eight_threads_of_one_person_are_one(
    vera: Any, otto: Any, lamp: str, approve: Any, at_once: Any
) -> None:
    made = approve(vera.review(lamp))
    path = f"{REVIEWS}/{made['id']}/report"
    at_once(*[lambda: otto.client.post(path, {"reason": "spam"}).expect(200)] * 8)
    assert Review.get_by_id(made["id"]).reports == Report.select().count() == 1


def told(person: Any) -> list[str]:
    """What somebody was told."""
    mine = Notification.select().where(Notification.account == person.account.id)
    return [row.type for row in mine.order_by(Notification.id)]


def test_authors_and_moderators_are_told(
    vera: Any, otto: Any, staff: Any, lamp: str, approve: Any, jobs: Any
) -> None:
    made = approve(vera.review(lamp))
    otto.client.post(f"{REVIEWS}/{made['id']}/report", {"reason": "spam"}).expect(200)
    staff.client.post(f"{REVIEWS}/{made['id']}/reject", {"reason": "It is an ad."}).expect(200)
    jobs.run_all()
    assert told(vera) == ["review.approved", "review.rejected"]
    assert told(staff) == ["review.created", "review.reported"]
    assert told(otto) == []
    rejected = Notification.get(Notification.type == "review.rejected")
    assert rejected.text == "“Good” was not accepted: It is an ad. You can change it."


def test_an_operator_decides_at_the_command_line(
    vera: Any, client: Any, lamp: str, run: Any
) -> None:
    made = vera.review(lamp)
    assert made["id"] in run("reviews", "list", "--status", "pending")
    assert run("reviews", "approve", made["id"]) == f"Review {made['id']} is approved.\n"
    client.get(f"{REVIEWS}/{made['id']}").expect(200)
    run("reviews", "reject", made["id"], "--reason", "It is an ad.")
    client.get(f"{REVIEWS}/{made['id']}").expect(404)
    assert run("reviews", "list", "--reported") == "Nothing is there.\n"


def test_moderators_see_in_the_console_what_waits(vera: Any, staff: Any, lamp: str) -> None:
    vera.review(lamp, title="<b>Bright</b>")

    def page(who: Any, query: str = "") -> Any:
        cookie = {"Cookie": f"bodega_console={who.client.token}"}
        return who.client.get(f"/console/reviews{query}", headers=cookie)

    for shown in ("&lt;b&gt;Bright", "Lamp", "pending", "1 wait for approval"):
        assert shown in page(staff).text
    assert "Bright" not in page(staff, "?status=approved").text
    assert "Bright" not in page(staff, "?reported=true").text
    assert page(vera).status_code == 403


def test_moderators_are_told_once_that_a_changed_review_waits_again(
    vera: Any, staff: Any, lamp: str, approve: Any, jobs: Any
) -> None:
    made = approve(vera.review(lamp))
    for text in ("It broke.", "It broke after a week."):
        vera.client.patch(f"{REVIEWS}/{made['id']}", {"text": text}).expect(200)
    jobs.run_all()
    assert told(staff) == ["review.created", "review.changed"]
    changed = Notification.get(Notification.type == "review.changed")
    assert (changed.title, changed.text) == (
        "A changed review waits for approval", "4 of 5: “Good”",
    )  # fmt: skip


def test_people_are_told_of_a_review_without_words(
    vera: Any, staff: Any, lamp: str, jobs: Any
) -> None:
    made = vera.review(lamp, title="", text="", rating=5)
    staff.client.post(f"{REVIEWS}/{made['id']}/approve").expect(200)
    jobs.run_all()
    texts = {row.type: row.text for row in Notification.select()}
    assert texts["review.approved"] == "What you wrote was approved."
    assert texts["review.created"] == "5 of 5"


def test_people_are_told_in_german_who_prefer_it(
    person: Any, staff: Any, lamp: str, jobs: Any
) -> None:
    made = person("uwe", preferences={"language": "de-AT"}).review(lamp, title="Hell")
    staff.client.post(f"{REVIEWS}/{made['id']}/reject", {"reason": "Werbung."}).expect(200)
    jobs.run_all()
    rejected = Notification.get(Notification.type == "review.rejected")
    assert rejected.title == "Ihre Bewertung wurde nicht angenommen"
    assert rejected.text == "„Hell“ wurde nicht angenommen: Werbung. Sie können sie ändern."
