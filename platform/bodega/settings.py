"""Settings of a deployment; the only reader of the environment."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bodega import perimeter
from bodega.errors import ConfigurationError
from bodega.mail.servers import read_sender, read_server
from bodega.perimeter import Network, Quota

#: Every variable that Bodega reads; secrets also as NAME_FILE, the path of a file.
VARIABLES: Mapping[str, str] = {
    "BODEGA_HOME": "folder of everything the shop keeps; ./shop when unset",
    "DATABASE_URL": "postgresql://… ; SQLite in BODEGA_HOME when unset",
    "REDIS_URL": "redis://… for wake-ups and live events; SQLite in BODEGA_HOME when unset",
    "BODEGA_SECRET_KEY": "encrypts stored keys; made and kept in BODEGA_HOME when unset",
    "BODEGA_TOKEN_ALGORITHM": "of new keys that sign tokens: EdDSA or RS256; EdDSA when unset",
    "BODEGA_ADMIN_EMAIL": "the first administrator; admin@example.com when unset",
    "BODEGA_ADMIN_PASSWORD": "their password; made up and printed once when unset",
    "BODEGA_EDITION": "which addons a new shop begins with; storefront when unset",
    "BODEGA_MACHINES": "one or several, on which the shop's processes run; several when unset",
    "BODEGA_JOB_LEASE": "seconds a silent worker keeps its job; 30 when unset",
    "BODEGA_EVENT_DAYS": "days that events are kept in the log, or all; 30 when unset",
    "BODEGA_SMTP_URL": "smtp://user:password@host:587 sends mail; kept in the shop when unset",
    "BODEGA_MAIL_FROM": "whom mail is from, 'Shop <shop@shop.example>'; SMTP's user when unset",
    "BODEGA_PUBLIC_URL": "https://… where people reach the shop; this machine's when unset",
    "BODEGA_TRUSTED_PROXIES": "addresses or networks of own proxies; none when unset",
    "BODEGA_RATE_LIMIT": "requests/seconds of each caller, or off; 60000/60 when unset",
    "BODEGA_RATE_LIMIT_ANONYMOUS": "of each address; as BODEGA_RATE_LIMIT when unset",
    "BODEGA_CORS_ORIGINS": "sites whose scripts may call the API, or *; none when unset",
    "BODEGA_HSTS": "seconds of Strict-Transport-Security on https, or off; a year when unset",
    "BODEGA_SECRET_ADDON_SETTING": "the secret setting addon.setting; the stored one when unset",
    "BODEGA_LOG": "console or json; console on a terminal, json otherwise",
    "BODEGA_LOG_LEVEL": "debug, info, warning or error; info when unset",
}
_SECRETS = ("DATABASE_URL", "REDIS_URL", "BODEGA_SECRET_KEY", "BODEGA_ADMIN_PASSWORD",
            "BODEGA_SMTP_URL")  # fmt: skip


#: What begins a variable with a secret setting of an addon.
OUTSIDE = "BODEGA_SECRET_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment is told by its environment.

    Args:
        home: the folder of everything the shop keeps.
        database_url: empty for SQLite in ``home``.
        redis_url: empty for wake-ups by SQLite in ``home``.
        secret_key: empty for one kept in ``home``.
        machines: ``one`` if all processes of the shop run on this machine, from ``home``.
        job_lease: seconds.
        event_days: 0 to keep all events.
        outside: variables of secret settings of addons, as they are set.
        smtp_url: empty to keep mail where operators can read it.
        mail_from: whom mail is from.
        public_url: empty when the operator does not say.
        rate_limit, rate_limit_anonymous: None for no limit.
        cors_origins: ``("*",)`` for all.
        hsts: seconds; 0 when switched off.
    """

    home: Path
    database_url: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    admin_email: str = "admin@example.com"
    admin_password: str = field(default="", repr=False)
    edition: str = "storefront"
    machines: str = "several"
    job_lease: float = 30.0
    event_days: int = 30
    outside: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    token_algorithm: str = "EdDSA"  # noqa: S105
    public_url: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    rate_limit: Quota | None = perimeter.DEFAULT_QUOTA
    rate_limit_anonymous: Quota | None = perimeter.DEFAULT_QUOTA
    cors_origins: tuple[str, ...] = ()
    hsts: int = perimeter.DEFAULT_HSTS
    log_format: str = ""
    log_level: str = "info"

    @property
    def is_on_one_machine(self) -> bool:
        """Whether all processes of the shop share this machine's memory: on SQLite they do."""
        return not self.database_url or self.machines == "one"

    @property
    def told_secrets(self) -> tuple[str, ...]:
        """The secrets that the environment itself holds."""
        given = (text for name, text in self.outside.items() if not name.endswith("_FILE"))
        password = read_server(self.smtp_url).password if self.smtp_url else ""
        return (self.secret_key, self.admin_password, password, *given)

    @property
    def metrics_folder(self) -> Path:
        """Where the processes of this shop leave their metrics."""
        return self.home / "run" / "metrics"

    def key(self) -> bytes:
        """Return the secret key, made at first use when the environment has none.

        Raises:
            ConfigurationError: it is shorter than 16 characters.
        """
        text = self.secret_key or _kept_secret(self.home / "secret.key")
        if len(text) < 16:
            raise ConfigurationError(
                f"BODEGA_SECRET_KEY has {len(text)} characters; give it at least 16, "
                "e.g. what 'openssl rand -hex 32' prints"
            )
        return text.encode()


def _kept_secret(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"BODEGA_HOME: cannot make {path.parent}: {error.strerror}; name a writable folder"
        ) from None
    if not path.exists():
        made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        # Of several processes starting at once one gets the name, its file already written.
        with suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    return path.read_text().strip()


def read_settings(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> Settings:
    """Read the environment.

    Args:
        home: takes the place of ``BODEGA_HOME``.

    Raises:
        ConfigurationError: naming the variable, what was found and what was expected.
    """

    def get(name: str, default: str = "") -> str:
        return _variable(environ, name) or default

    limit = perimeter.quota("BODEGA_RATE_LIMIT", get("BODEGA_RATE_LIMIT"), perimeter.DEFAULT_QUOTA)
    return Settings(
        home=(home or Path(get("BODEGA_HOME", "shop"))).absolute(),
        database_url=_database_url(get("DATABASE_URL")),
        redis_url=_redis_url(get("REDIS_URL")),
        secret_key=get("BODEGA_SECRET_KEY"),
        admin_email=get("BODEGA_ADMIN_EMAIL", "admin@example.com"),
        admin_password=get("BODEGA_ADMIN_PASSWORD"),
        edition=get("BODEGA_EDITION", "storefront"),
        machines=_choice("BODEGA_MACHINES", get("BODEGA_MACHINES", "several"), ("several", "one")),
        job_lease=_seconds("BODEGA_JOB_LEASE", get("BODEGA_JOB_LEASE", "30")),
        event_days=_days("BODEGA_EVENT_DAYS", get("BODEGA_EVENT_DAYS", "30")),
        token_algorithm=_choice(
            "BODEGA_TOKEN_ALGORITHM", get("BODEGA_TOKEN_ALGORITHM", "EdDSA"), ("EdDSA", "RS256")
        ),
        outside=_outside(environ),
        smtp_url=_smtp_url(get("BODEGA_SMTP_URL")),
        mail_from=_sender(get("BODEGA_MAIL_FROM"), get("BODEGA_SMTP_URL")),
        public_url=perimeter.public_url("BODEGA_PUBLIC_URL", get("BODEGA_PUBLIC_URL")),
        trusted_proxies=perimeter.networks("BODEGA_TRUSTED_PROXIES", get("BODEGA_TRUSTED_PROXIES")),
        rate_limit=limit,
        rate_limit_anonymous=perimeter.quota(
            "BODEGA_RATE_LIMIT_ANONYMOUS", get("BODEGA_RATE_LIMIT_ANONYMOUS"), limit
        ),
        cors_origins=perimeter.origins("BODEGA_CORS_ORIGINS", get("BODEGA_CORS_ORIGINS")),
        hsts=perimeter.hsts("BODEGA_HSTS", get("BODEGA_HSTS")),
        log_format=_choice("BODEGA_LOG", get("BODEGA_LOG"), ("", "console", "json")),
        log_level=_choice(
            "BODEGA_LOG_LEVEL",
            get("BODEGA_LOG_LEVEL", "info"),
            ("debug", "info", "warning", "error"),
        ),
    )


def _variable(environ: Mapping[str, str], name: str) -> str:
    file = environ.get(f"{name}_FILE") if name in _SECRETS else None
    if not file:
        return environ.get(name, "").strip()
    if environ.get(name):
        raise ConfigurationError(f"both {name} and {name}_FILE are set; unset one of them")
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"{name}_FILE: cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name}_FILE: {file} is no text in UTF-8") from None


def _database_url(url: str) -> str:
    if url and not url.startswith(("postgresql://", "postgres://")):
        scheme = url.partition(":")[0]
        raise ConfigurationError(
            f"DATABASE_URL begins with {scheme!r}; expected postgresql://user:password@host/name, "
            "or leave it unset for SQLite"
        )
    return url


def _redis_url(url: str) -> str:
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigurationError(
            f"REDIS_URL begins with {url.partition(':')[0]!r}; expected redis://host:6379/0, "
            "or leave it unset to do without Redis"
        )
    return url


def _outside(environ: Mapping[str, str]) -> dict[str, str]:
    own = ("BODEGA_SECRET_KEY", "BODEGA_SECRET_KEY_FILE")
    return {
        name: value.strip()
        for name, value in environ.items()
        if name.startswith(OUTSIDE) and name not in own and value.strip()
    }


def _smtp_url(url: str) -> str:
    if url:
        read_server(url)
    return url


def _sender(text: str, url: str) -> str:
    user = read_server(url).user if url else ""
    text = text or (user if "@" in user else "")
    if text:
        read_sender(text)
    elif url:
        raise ConfigurationError(
            "BODEGA_SMTP_URL is set but BODEGA_MAIL_FROM is not; say whom mail is from, "
            "e.g. 'Shop <shop@shop.example>'"
        )
    return text


def _seconds(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.5 <= value <= 86_400:
        raise ConfigurationError(f"{name}: expected 0.5 to 86400 seconds, found {text!r}")
    return value


def _days(name: str, text: str) -> int:
    """Return a number of days; 0 for ``all``."""
    if text == "all":
        return 0
    days = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= days <= 36_500:
        raise ConfigurationError(f"{name}: expected 1 to 36500 days, or all, found {text!r}")
    return days


def _choice(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        expected = ", ".join(filter(None, choices))
        raise ConfigurationError(f"{name}: expected one of {expected}, found {text!r}")
    return text
