"""Structured logs: for people on a terminal, one JSON object a line otherwise."""

import logging
import sys
import warnings
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from bodega.settings import Settings
from bodega.telemetry.redaction import redacted, remember
from bodega_sdk.deprecations import DeprecatedInBodega


def configure_logging(settings: Settings, process: str) -> None:
    """Send structlog's and the standard library's logs to stderr in one form.

    Args:
        process: ``web``, ``worker``, ``realtime`` or ``cli``; part of every line.
    """
    # Python hides what is deprecated; operators are to see which addon will not last.
    warnings.simplefilter("default", DeprecatedInBodega)
    for secret in settings.told_secrets:
        remember(secret)
    level = getattr(logging, settings.log_level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(settings, shared, process))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for noisy in ("huey", "peewee", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))


def _formatter(settings: Settings, shared: list[Any], process: str) -> logging.Formatter:
    plain = settings.log_format == "console" or (not settings.log_format and sys.stderr.isatty())
    last: Any = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The pretty one prints local variables, passwords among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
        if plain
        else structlog.processors.JSONRenderer()
    )

    def add_process(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        return {**event, "process": process}

    middle = [] if plain else [structlog.processors.format_exc_info]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            add_process,
            *middle,
            last,
            lambda _, __, line: redacted(str(line)),
        ],
    )
