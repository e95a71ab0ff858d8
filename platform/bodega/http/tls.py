"""Encrypting the connections ourselves, where no proxy does."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from bodega.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate and its key, as files in PEM.

    Args:
        certificate: with those between it and the authority, if there are any.
    """

    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Return what a server needs: TLS 1.2 or newer.

        Raises:
            ConfigurationError: a file cannot be read, is no PEM, or the two do not match.
        """
        for option, file in (("certificate", self.certificate), ("key", self.key)):
            _check(f"--tls-{option}", file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # Without a password here OpenSSL would ask the terminal for one.
            context.load_cert_chain(self.certificate, self.key, password=_refuse_encrypted)
        except ssl.SSLError as error:
            reason = (error.reason or "they cannot be read").lower().replace("_", " ")
            raise ConfigurationError(
                f"--tls-certificate {self.certificate} and --tls-key {self.key} are no pair of a "
                f"certificate and its key in PEM: {reason}"
            ) from None
        return context

    @property
    def options(self) -> tuple[str, ...]:
        """The options of the command line that name them."""
        return ("--tls-certificate", str(self.certificate), "--tls-key", str(self.key))


def _check(option: str, file: Path) -> None:
    try:
        file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{option}: cannot read {file}: {error.strerror}") from None


def _refuse_encrypted() -> str:
    raise ConfigurationError("--tls-key: the key is encrypted; give one without a passphrase")


def pair(certificate: Path | None, key: Path | None) -> Tls | None:
    """Return what two options name, checked; None when neither is given.

    Raises:
        ConfigurationError: only one is given, or they cannot be used.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigurationError("give both --tls-certificate and --tls-key, or neither")
    made = Tls(certificate.absolute(), key.absolute())
    made.context()
    return made
