"""What the files that options name make of the API server: audit, and whom and what it knows besides.

Rule 1: a file is read when ``up`` is asked, so that what is wrong in it is told there, and again by the control plane.
Rule 2: what reads a file is read in when there is one: a cluster without such options starts without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from pybernetes.lib.clock import Clock

if TYPE_CHECKING:
    import ssl

    from pybernetes.server.auditing.policy import Policy
    from pybernetes.server.auditing.trail import Sink
    from pybernetes.server.authn import oidc
    from pybernetes.server.context import User
    from pybernetes.storage.encrypted.sealing import Sealing

    Provider: TypeAlias = tuple[oidc.Settings, ssl.SSLContext | None]
    Audit: TypeAlias = tuple[Policy, Sink]

T = TypeVar("T")


def audit(
    policy_file: str, path: str, clock: Clock, stack: AsyncExitStack, *, max_size: int, backups: int
) -> Audit | None:  # fmt: skip
    """What ``server.api.Options`` takes; None where nothing is to be audited. Raises ValueError and OSError."""
    wanted = audit_policy(policy_file)
    if wanted is None or not path:
        return None
    from pybernetes.server.auditing.file import AuditFile

    sink = AuditFile(path, clock, max_size=max_size, backups=backups)
    stack.callback(sink.close)
    return wanted, sink


def static_tokens(file: str) -> Mapping[str, User]:
    """Token → user; none without a file. Raises ValueError."""
    if not file:
        return {}
    from pybernetes.server.authn import tokenfile

    try:
        return tokenfile.parse(Path(file).read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read: {error}") from error


def provider(settings: oidc.Settings, ca_file: str) -> Provider | None:
    """What ``server.api.Options`` takes; None without an issuer. Raises TlsError."""
    if not settings.issuer_url:
        return None
    from pybernetes.lib import tls

    return settings, tls.client_context(Path(ca_file)) if ca_file else None


def issuer_url(text: str) -> None:
    """Raises ValueError."""
    if text and not text.startswith("https://"):
        raise ValueError("must be an https URL")


def encryption(file: str) -> Sealing | None:
    """What an EncryptionConfiguration says; None without a file. Raises ValueError."""
    if not file:
        return None
    from pybernetes.storage.encrypted import sealing

    return _read(file, sealing.parse)


def audit_policy(file: str) -> Policy | None:
    """None without a file. Raises ValueError."""
    if not file:
        return None
    from pybernetes.server.auditing import policy

    return _read(file, policy.parse)


def _read(file: str, parse: Callable[[Any], T]) -> T:
    """What ``parse`` makes of a YAML file. Raises ValueError."""
    from pybernetes.meta import manifest

    try:
        return parse(manifest.loads(Path(file).read_bytes()))
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except manifest.ManifestError as error:
        raise ValueError(f"is no YAML: {error}") from error
