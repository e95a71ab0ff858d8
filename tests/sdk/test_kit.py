"""The test kit for authors: its fixtures, in pytest runs of their own as an author has them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

SAMPLES = Path(__file__).parent.parent / "sample_addons"
Run = Callable[..., str]


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a test module as the author of the sample addons would; returns what pytest prints."""
    site = tmp_path / "site"
    for name in ("notes", "pins", "plugin_raises"):
        package = f"bodega_sample_{name}"
        (site / package).mkdir(parents=True)
        for path in (SAMPLES / name / package).rglob("*.py"):
            target = site / package / path.relative_to(SAMPLES / name / package)
            target.parent.mkdir(exist_ok=True)
            target.write_text(path.read_text())
        (site / package / "__init__.py").touch()
        metadata = site / f"{package}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        entry = f"[bodega.addons]\n{name} = {package}.manifest\n"
        (metadata / "entry_points.txt").write_text(entry)
    monkeypatch.setenv("PYTHONPATH", str(site))

    def run(source: str, *, code: int = 0, ini: str = "") -> str:
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        (folder / "pytest.ini").write_text(
            f"[pytest]\naddopts = -p no:valkey -p no:cacheprovider\nfilterwarnings = error\n{ini}\n"
        )
        (folder / "test_it.py").write_text(_IMPORTS + dedent(source))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-v", "test_it.py"],
            cwd=folder, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


_IMPORTS = """
from datetime import UTC, datetime, timedelta

import pytest
from bodega_sdk import job_state, now, setting, transaction
from bodega_sdk.testing.queries import query_counter
"""


def test_a_shop_is_assembled_from_the_named_addons_and_what_they_need(author: Run) -> None:
    author("""
        @pytest.mark.bodega("pins")
        def test_it(bodega_shop):
            states = bodega_shop.addons
            assert (states["pins"], states["notes"]) == ("enabled", "enabled")
            assert states["products"] == "available"
            assert {"pins_pin", "notes_note"} <= bodega_shop.tables
    """)


def test_the_addons_may_stand_in_the_configuration_and_a_marker_comes_first(author: Run) -> None:
    author(
        """
        def test_from_the_configuration(bodega_shop):
            assert bodega_shop.addons["notes"] == "enabled"


        @pytest.mark.bodega("products")
        def test_from_the_marker(bodega_shop):
            assert bodega_shop.addons["notes"] == "available"
        """,
        ini="bodega_addons = notes",
    )


def test_a_shop_of_no_addons_is_refused_with_both_ways_to_name_them(author: Run) -> None:
    told = author("def test_it(bodega_shop): pass", code=1)
    assert '@pytest.mark.bodega("loyalty"), or set bodega_addons' in told


def test_an_addon_that_cannot_be_used_is_told_with_the_reason_and_the_remedy(author: Run) -> None:
    told = author(
        """
        @pytest.mark.bodega("plugin_raises")
        def test_it(bodega_shop): pass
        """,
        code=1,
    )
    assert "plugin_raises is quarantined: it cannot be loaded" in told
    assert "Mend bodega_sample_plugin_raises" in told


def test_an_addon_that_is_not_there_is_told(author: Run) -> None:
    told = author('@pytest.mark.bodega("nonsense")\ndef test_it(bodega_shop): pass', code=1)
    assert "nonsense is quarantined: its package is not installed" in told


def test_both_engines_run_when_the_configuration_names_them(author: Run) -> None:
    told = author(
        """
        from bodega_sdk import database


        @pytest.mark.bodega("notes")
        def test_it(bodega_shop, bodega_engine, bodega_client, bodega_events, bodega_jobs):
            expected = {"sqlite": "Sqlite", "postgres": "Postgres"}[bodega_engine]
            assert type(database.obj).__name__ == expected
            bodega_jobs.run_all()
            bodega_client.as_admin().post("/api/v1/notes", {"title": "One two"}).expect(201)
            assert bodega_events.names == ["note.created"]
            assert bodega_jobs.run_all() == 1
        """,
        ini="bodega_engines = sqlite postgres",
    )
    assert "test_it[sqlite] PASSED" in told
    assert "test_it[postgres] PASSED" in told


def test_a_test_may_name_its_own_engine(author: Run) -> None:
    told = author(
        """
        @pytest.mark.bodega("notes")
        @pytest.mark.parametrize("bodega_engine", ["sqlite"], indirect=True)
        def test_it(bodega_shop): pass
        """,
        ini="bodega_engines = postgres",
    )
    assert "test_it[sqlite] PASSED" in told


def test_an_engine_that_is_none_is_refused(author: Run) -> None:
    told = author("def test_it(bodega_shop): pass", code=2, ini="bodega_engines = oracle")
    assert "bodega_engines: expected sqlite and postgres, found 'oracle'" in told


def test_a_client_is_whoever_it_is_asked_to_be(author: Run) -> None:
    author("""
        NEW = {"title": "A note"}


        @pytest.mark.bodega("notes")
        def test_it(bodega_client):
            assert bodega_client.post("/api/v1/notes", NEW).status_code == 401
            assert bodega_client.as_user().post("/api/v1/notes", NEW).status_code == 403
            other = bodega_client.as_(permissions=("notes.follow",))
            assert other.post("/api/v1/notes", NEW).status_code == 403
            writer = bodega_client.as_(permissions=("notes.write",))
            assert writer.post("/api/v1/notes", NEW).status_code == 201
            assert bodega_client.as_admin().post("/api/v1/notes", NEW).status_code == 201
            assert bodega_client.token is None


        @pytest.mark.bodega("notes")
        def test_a_permission_that_nobody_declares_is_refused(bodega_client):
            with pytest.raises(ValueError, match="no enabled addon declares 'notes.wrote'"):
                bodega_client.as_(permissions=("notes.wrote",))


        @pytest.mark.bodega("accounts")
        def test_an_account_logs_in(bodega_client):
            admin = bodega_client.log_in("admin@example.com", "correct horse battery")
            assert admin.get("/api/v1/auth/me").expect(200)["role"] == "admin"
    """)


def test_a_failing_assertion_shows_the_problem_document(author: Run) -> None:
    told = author(
        """
        @pytest.mark.bodega("notes")
        def test_by_status(bodega_client):
            assert bodega_client.as_admin().post("/api/v1/notes", {}).status_code == 201


        @pytest.mark.bodega("notes")
        def test_by_expectation(bodega_client):
            bodega_client.as_admin().post("/api/v1/notes", {}).expect(201)
        """,
        code=1,
    )
    assert told.count('"type": "/api/problems/invalid-input"') >= 2
    assert "POST /api/v1/notes -> 422" in told
    assert '"field": "title"' in told


def test_the_recorder_lists_what_was_committed_and_nothing_else(author: Run) -> None:
    author("""
        @pytest.mark.bodega("notes")
        def test_it(bodega_events, bodega_client):
            from bodega_sample_notes.writing import write_note

            assert list(bodega_events) == []
            with pytest.raises(KeyError), transaction():
                write_note("Never")
                raise KeyError
            assert bodega_events.names == []
            with transaction():
                note = write_note("Once")
            (event,) = bodega_events.of("note.created")
            assert (event.key, event.data) == (str(note.id), {"title": "Once"})
            assert bodega_events.of("note.deleted") == []
            bodega_events.forget()
            assert bodega_events.names == []
    """)


def test_the_mailbox_lists_what_was_written_and_nothing_else(author: Run) -> None:
    author("""
        from bodega_sdk import send_mail


        @pytest.mark.bodega("notes")
        def test_it(bodega_mailbox, bodega_jobs):
            with pytest.raises(KeyError), transaction():
                send_mail("ada@shop.example", "Never", "Nothing")
                raise KeyError
            assert list(bodega_mailbox) == []
            with transaction():
                send_mail("ada@shop.example", "Notes", "You have one.", "<p>One</p>")
            bodega_jobs.run_all()
            mail = bodega_mailbox.to("ada@shop.example")[-1]
            assert (mail.subject, mail.text, mail.html) == ("Notes", "You have one.", "<p>One</p>")
            assert bodega_mailbox.to("bob@shop.example") == []
            bodega_mailbox.forget()
            assert list(bodega_mailbox) == []
    """)


def test_jobs_run_with_what_they_enqueue_and_events_reach_their_subscribers(author: Run) -> None:
    author("""
        @pytest.mark.bodega("pins")
        def test_it(bodega_shop, bodega_jobs):
            from bodega_sample_notes.models import Note
            from bodega_sample_notes.writing import write_note
            from bodega_sample_pins.models import Pin

            bodega_jobs.run_all()
            with transaction():
                note = write_note("One two three")
            (waiting,) = bodega_jobs.waiting
            assert waiting.name == "notes.count_words"
            assert bodega_jobs.run_all() == 1
            assert Note.find(note.id).words == 3
            assert job_state(waiting.id).status == "succeeded"
            # The first one is of the note that a new shop begins with.
            assert [pin.note for pin in Pin.select().order_by(Pin.place)][1:] == [str(note.id)]
            assert bodega_jobs.run_all() == 0
    """)


def test_a_failing_job_is_told_unless_it_may_fail(author: Run) -> None:
    told = author(
        """
        @pytest.mark.bodega("notes")
        def test_it(bodega_shop, bodega_jobs, bodega_clock):
            from bodega_sample_notes.writing import count_words

            bodega_jobs.run_all()
            count_words.enqueue(note_id="no uuid")
            assert bodega_jobs.run_all(failures=True) == 1
            assert bodega_jobs.waiting[0].attempts == 1
            bodega_clock.move(minutes=1)
            bodega_jobs.run_all()
        """,
        code=1,
    )
    assert "notes.count_words failed at attempt 2: ValueError" in told


def test_a_failing_subscriber_is_told(author: Run) -> None:
    told = author(
        """
        @pytest.mark.bodega("pins")
        def test_it(bodega_shop, bodega_jobs, monkeypatch):
            from bodega_sample_notes.writing import write_note
            from bodega_sample_pins.models import Pin

            def fail(**fields):
                raise RuntimeError("the pin broke")

            monkeypatch.setattr(Pin, "create", fail)
            with transaction():
                write_note("One")
            bodega_jobs.run_all()
        """,
        code=1,
    )
    assert "RuntimeError: the pin broke" in told


def test_the_clock_moves_now_schedules_jobs_and_tokens(author: Run) -> None:
    author("""
        @pytest.mark.bodega("notes")
        def test_schedules(bodega_jobs, bodega_clock, bodega_shop):
            assert bodega_jobs.run_all() == 1
            bodega_clock.move(minutes=59)
            assert bodega_jobs.run_all() == 0
            bodega_clock.move(minutes=2)
            assert bodega_jobs.run_all() == 1
            assert bodega_jobs.run_all() == 0


        @pytest.mark.bodega("notes")
        def test_jobs_of_tomorrow(bodega_shop, bodega_jobs, bodega_clock):
            from bodega_sample_notes import writing

            bodega_jobs.run_all()
            job_id = writing.count_words.enqueue(note_id="0" * 32, run_at=now() + timedelta(days=1))
            assert bodega_jobs.run_all() == 0
            bodega_clock.move(timedelta(days=1), seconds=1)
            assert bodega_jobs.run_all() == 2  # The schedule of every hour came too.
            assert job_state(job_id).status == "succeeded"


        @pytest.mark.bodega("accounts")
        def test_tokens_expire(bodega_client, bodega_clock):
            admin = bodega_client.log_in("admin@example.com", "correct horse battery")
            assert admin.get("/api/v1/auth/me").status_code == 200
            bodega_clock.move(minutes=16)
            assert admin.get("/api/v1/auth/me").status_code == 401
            admin = bodega_client.log_in("admin@example.com", "correct horse battery")
            assert admin.get("/api/v1/auth/me").status_code == 200


        def test_it_is_set_and_goes_on(bodega_clock):
            moment = datetime(2030, 2, 1, tzinfo=UTC)
            bodega_clock.set(moment)
            first, second = now(), now()
            assert moment <= first < second < moment + timedelta(minutes=1)
            with pytest.raises(ValueError, match="aware"):
                bodega_clock.set(datetime(2030, 2, 1))


        def test_behind_it_the_time_is_right_again():
            assert now().year < 2030
    """)


def test_a_lease_that_ran_out_while_a_job_ran_is_lost_and_the_job_runs_again(author: Run) -> None:
    author("""
        @pytest.mark.bodega("notes")
        def test_it(bodega_shop, bodega_jobs, bodega_clock, monkeypatch):
            from bodega_sample_notes.models import Note
            from bodega_sample_notes.writing import count_words

            bodega_jobs.run_all()
            found, moves = Note.find, [10, 0]

            def slowly(*args, **options):
                bodega_clock.move(seconds=moves.pop(0))
                return found(*args, **options)

            monkeypatch.setattr(Note, "find", slowly)
            note = Note.create(title="One two")
            job_id = count_words.enqueue(note_id=str(note.id))
            assert bodega_jobs.run_all() == 2
            assert (job_state(job_id).status, job_state(job_id).attempts) == ("succeeded", 2)
    """)


def test_addons_come_and_go_and_settings_change_as_by_the_operator(author: Run) -> None:
    author("""
        @pytest.mark.bodega("notes")
        def test_it(bodega_shop, bodega_client):
            admin = bodega_client.as_admin()
            bodega_shop.disable("notes")
            assert bodega_shop.addons["notes"] == "disabled"
            assert admin.get("/api/v1/notes").status_code == 404
            bodega_shop.enable("notes")
            assert admin.get("/api/v1/notes").status_code == 200
            bodega_shop.set("notes.longest", 5)
            assert setting("notes.longest") == 5
            assert admin.post("/api/v1/notes", {"title": "123456"}).status_code == 422
            bodega_shop.uninstall("notes")
            assert "notes_note" not in bodega_shop.tables
            bodega_shop.install("notes")
            assert bodega_shop.addons["notes"] == "disabled"
            bodega_shop.purge("notes")
            assert bodega_shop.addons["notes"] == "available"
    """)


def test_queries_are_counted_without_what_surrounds_them(author: Run) -> None:
    author("""
        @pytest.mark.bodega("notes")
        def test_it(bodega_shop):
            from bodega_sample_notes.models import Note

            with query_counter() as queries:
                with transaction():
                    Note.create(title="A")
                list(Note.select())
            assert [query.split()[0] for query in queries if "bodega_" not in query] == [
                "INSERT", "SELECT",
            ], queries
            Note.create(title="B")
            assert not any("'B'" in query for query in queries)
    """)


def test_without_a_fixture_of_the_kit_the_kernel_is_not_imported(author: Run) -> None:
    author("""
        import sys


        def test_it(request):
            assert "bodega_sdk.testing.plugin" in sys.modules
            assert not [name for name in sys.modules if name.split(".")[0] == "bodega"]
    """)
