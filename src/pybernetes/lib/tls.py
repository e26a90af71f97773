"""TLS contexts: of a server that asks for client certificates, and of a client.

Rule: a client without a certificate is let in (it may bring a token, or stay anonymous); one whose certificate our
CA did not sign is not.
"""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path


class TlsError(Exception):
    """Key material that cannot be used; the message names the file and the remedy."""


class _Telling(ssl.SSLObject):
    """A server's side that tells the other why a handshake failed.

    asyncio drops a connection at the failure, and with it the alert that waits to be sent. So the failure is shown
    to it as a wait first, on which it sends, and raised when the other side has answered or gone.
    """

    _failed: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        """Raises SSLWantReadError and SSLError, as its parent does."""
        if self._failed is not None:
            raise self._failed
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            raise
        except ssl.SSLError as error:
            self._failed = error
            raise ssl.SSLWantReadError from error


def server_context(certificate: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """For ``serve``. Raises TlsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _Telling
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _load_chain(context, certificate, key)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        _load_ca(context, client_ca)
    return context


def client_context(
    ca: Path | bytes | None, certificate: Path | bytes | None = None, key: Path | bytes | None = None, *,
    verify: bool = True,
) -> ssl.SSLContext:  # fmt: skip
    """For ``HttpClient``. Each is a file or PEM bytes; no ``ca`` trusts the system's. Raises TlsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca is None:
        context.load_default_certs()
    else:
        _load_ca(context, ca)
    if certificate is not None and key is not None:
        _load_client_chain(context, certificate, key)
    return context


def _load_client_chain(context: ssl.SSLContext, certificate: Path | bytes, key: Path | bytes) -> None:
    """OpenSSL as Python has it reads key material from files only: bytes pass through one that only we can read."""
    if isinstance(certificate, Path) and isinstance(key, Path):
        _load_chain(context, certificate, key)
        return
    both = b"\n".join(part.read_bytes() if isinstance(part, Path) else part for part in (certificate, key))
    with tempfile.NamedTemporaryFile() as file:
        file.write(both)
        file.flush()
        try:
            context.load_cert_chain(file.name)
        except (OSError, ssl.SSLError) as error:
            raise TlsError(f"the client certificate and its key do not fit or are no PEM: {error}") from error


def _load_chain(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except FileNotFoundError as error:
        missing = key if certificate.exists() else certificate
        raise TlsError(f"{missing}: no such file; it should hold the PEM of a certificate or its key") from error
    except (OSError, ssl.SSLError) as error:
        raise TlsError(f"{certificate} and {key} are no certificate and its key: {error}") from error


def _load_ca(context: ssl.SSLContext, ca: Path | bytes) -> None:
    try:
        if isinstance(ca, bytes):
            context.load_verify_locations(cadata=ca.decode("ascii"))
        else:
            context.load_verify_locations(cafile=ca)
    except FileNotFoundError as error:
        raise TlsError(f"{ca!s}: no such file; it should hold the PEM of a certificate authority") from error
    except (OSError, ssl.SSLError, UnicodeDecodeError) as error:
        where = "the given bytes are" if isinstance(ca, bytes) else f"{ca} is"
        raise TlsError(f"{where} no PEM of a certificate authority: {error}") from error
