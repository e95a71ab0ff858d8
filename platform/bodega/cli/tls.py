"""The options for encrypted connections, which several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_file = click.Path(path_type=Path)


def tls_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options ``--tls-certificate`` and ``--tls-key``."""
    key = click.option("--tls-key", type=_file, help="The certificate's private key, in PEM.")
    certificate = click.option(
        "--tls-certificate", type=_file,
        help="Serve by TLS with this certificate and those behind it, in PEM.",
    )  # fmt: skip
    return certificate(key(command))
