"""Settings: every variable is read, and whatever is wrong with one is said by its name."""

import threading
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from bodega.errors import ConfigurationError
from bodega.settings import VARIABLES, Settings, read_settings

SMTP = "smtp://me%40shop.example:word@mail.example:587"
POSTGRES = "postgresql://shop:secret@db.example/shop"
VALUES: dict[str, tuple[str, str, Any]] = {
    "BODEGA_HOME": ("/srv/bodega", "home", Path("/srv/bodega")),
    "DATABASE_URL": (POSTGRES, "database_url", POSTGRES),
    "REDIS_URL": ("redis://cache.example/1", "redis_url", "redis://cache.example/1"),
    "BODEGA_SECRET_KEY": ("0123456789abcdef", "secret_key", "0123456789abcdef"),
    "BODEGA_ADMIN_EMAIL": ("me@shop.example", "admin_email", "me@shop.example"),
    "BODEGA_ADMIN_PASSWORD": ("open sesame", "admin_password", "open sesame"),
    "BODEGA_EDITION": ("bazaar", "edition", "bazaar"),
    "BODEGA_TOKEN_ALGORITHM": ("RS256", "token_algorithm", "RS256"),
    "BODEGA_MACHINES": ("one", "machines", "one"),
    "BODEGA_JOB_LEASE": ("2.5", "job_lease", 2.5),
    "BODEGA_EVENT_DAYS": ("all", "event_days", 0),
    "BODEGA_SMTP_URL": (SMTP, "smtp_url", SMTP),
    "BODEGA_MAIL_FROM": ("Shop <me@shop.example>", "mail_from", "Shop <me@shop.example>"),
    "BODEGA_SECRET_ADDON_SETTING": ("x", "outside", {"BODEGA_SECRET_ADDON_SETTING": "x"}),
    "BODEGA_PUBLIC_URL": ("https://shop.example/", "public_url", "https://shop.example"),
    "BODEGA_TRUSTED_PROXIES": ("10.0.0.0/8", "trusted_proxies", (ip_network("10.0.0.0/8"),)),
    "BODEGA_RATE_LIMIT": ("600/60", "rate_limit", (600, 60)),
    "BODEGA_RATE_LIMIT_ANONYMOUS": ("60/1", "rate_limit_anonymous", (60, 1)),
    "BODEGA_CORS_ORIGINS": ("https://a.example", "cors_origins", ("https://a.example",)),
    "BODEGA_HSTS": ("60", "hsts", 60),
    "BODEGA_LOG": ("json", "log_format", "json"),
    "BODEGA_LOG_LEVEL": ("debug", "log_level", "debug"),
}
SECRETS = ("DATABASE_URL", "REDIS_URL", "BODEGA_SECRET_KEY", "BODEGA_ADMIN_PASSWORD",
           "BODEGA_SMTP_URL")  # fmt: skip


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_that_is_listed_is_read(name: str) -> None:
    text, field, expected = VALUES[name]
    assert getattr(read_settings({name: text}), field) == expected


def test_every_variable_says_what_it_is_for_and_what_it_is_when_unset() -> None:
    for name, meaning in VARIABLES.items():
        assert "when unset" in meaning or "otherwise" in meaning, name


def test_nothing_needs_to_be_set() -> None:
    assert read_settings({}) == Settings(home=Path("shop").absolute())


def test_an_empty_variable_counts_as_unset() -> None:
    assert read_settings(dict.fromkeys(VARIABLES, "")) == read_settings({})
    assert read_settings({"BODEGA_HOME": "  "}).home == Path("shop").absolute()


def test_the_option_home_takes_the_place_of_the_variable() -> None:
    environ = {"BODEGA_HOME": "/srv/one"}
    assert read_settings(environ, home=Path("/srv/two")).home == Path("/srv/two")


def test_a_home_is_absolute_wherever_the_process_goes_next() -> None:
    assert read_settings({"BODEGA_HOME": "here"}).home == Path("here").absolute()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_can_be_read_from_a_file(name: str, tmp_path: Path) -> None:
    text, field, expected = VALUES[name]
    file = tmp_path / "secret"
    file.write_text(f"{text}\n")
    assert getattr(read_settings({f"{name}_FILE": str(file)}), field) == expected


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_both_in_a_file_and_in_the_environment_is_refused(
    name: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(VALUES[name][0])
    environ = {name: VALUES[name][0], f"{name}_FILE": str(file)}
    with pytest.raises(ConfigurationError, match=f"both {name} and {name}_FILE are set"):
        read_settings(environ)


@pytest.mark.parametrize("name", SECRETS)
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(ConfigurationError, match=f"{name}_FILE: cannot read {gone}"):
        read_settings({f"{name}_FILE": str(gone)})
    with pytest.raises(ConfigurationError, match=f"{name}_FILE: cannot read {tmp_path}"):
        read_settings({f"{name}_FILE": str(tmp_path)})


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="BODEGA_SECRET_KEY_FILE"):
        read_settings({"BODEGA_SECRET_KEY_FILE": str(file)})


@pytest.mark.parametrize("url", ["mysql://db.example/shop", "shop.db", "sqlite:///shop.db"])
def test_a_database_that_is_not_postgresql_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"DATABASE_URL begins with .* postgresql://"):
        read_settings({"DATABASE_URL": url})


@pytest.mark.parametrize("url", ["cache.example:6379", "http://cache.example", "redis"])
def test_a_redis_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"REDIS_URL.*redis://"):
        read_settings({"REDIS_URL": url})


@pytest.mark.parametrize("text", ["soon", "0", "-1", "0.1", "nan", "inf", "100000", "1_0 0"])
def test_a_lease_that_is_no_sensible_number_of_seconds_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"BODEGA_JOB_LEASE: expected 0\.5 to 86400"):
        read_settings({"BODEGA_JOB_LEASE": text})


@pytest.mark.parametrize(
    ("name", "expected"),
    [("BODEGA_LOG", "console, json"), ("BODEGA_LOG_LEVEL", "debug, info, warning, error")],
)
def test_a_choice_that_is_none_names_the_choices(name: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}: expected one of {expected}, found 'x'"):
        read_settings({name: "x"})


def test_a_secret_key_that_is_too_short_is_refused_without_showing_it() -> None:
    settings = read_settings({"BODEGA_SECRET_KEY": "hunter2"})
    with pytest.raises(ConfigurationError, match="has 7 characters; give it at least 16") as caught:
        settings.key()
    assert "hunter2" not in str(caught.value)


def test_a_secret_key_is_made_once_and_kept_for_the_owner_only(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new")
    key = settings.key()
    assert len(key) >= 32
    assert Settings(home=tmp_path / "new").key() == key
    assert (tmp_path / "new" / "secret.key").stat().st_mode & 0o777 == 0o600
    assert Settings(home=tmp_path / "other").key() != key


def test_processes_that_start_at_once_all_get_the_same_key(tmp_path: Path) -> None:
    for turn in range(40):
        settings = Settings(home=tmp_path / str(turn))
        barrier = threading.Barrier(6)
        found: list[Any] = []

        def read(
            settings: Settings = settings,
            barrier: threading.Barrier = barrier,
            found: list[Any] = found,
        ) -> None:
            barrier.wait(10)
            try:
                found.append(settings.key())
            except ConfigurationError as error:
                found.append(error)

        threads = [threading.Thread(target=read) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(found) == 6
        assert len(set(found)) == 1, found
