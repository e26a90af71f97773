"""A client certificate names its user and groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybernetes.cluster.pki import ADMIN, Leaf, Pki
from pybernetes.lib.clock import SystemClock, VirtualClock
from pybernetes.meta import errors
from pybernetes.server.authn.x509 import X509
from pybernetes.server.context import Request


def shown(directory: Path, leaf: Leaf, now: float) -> Request:
    """A request over a connection whose client showed the certificate of ``leaf``."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    pki = Pki(directory, now)
    pki.ensure([leaf])
    certificate = x509.load_pem_x509_certificate(pki.certificate(leaf).read_bytes())
    return Request("GET", "/", peer_certificate=certificate.public_bytes(Encoding.DER))


def test_the_common_name_is_the_user_and_organizations_are_groups(tmp_path: Path) -> None:
    clock = SystemClock()
    user = X509(clock).authenticate(shown(tmp_path, ADMIN, clock.time()))
    assert user is not None
    assert (user.name, user.groups) == ("kubernetes-admin", ("system:masters", "system:authenticated"))


def test_a_request_without_certificate_is_not_its_matter() -> None:
    assert X509(VirtualClock()).authenticate(Request("GET", "/")) is None


async def test_a_certificate_that_ended_while_its_connection_lived_is_refused(tmp_path: Path) -> None:
    clock = VirtualClock()
    authenticator, request = X509(clock), shown(tmp_path, ADMIN, clock.time())
    assert authenticator.authenticate(request) is not None
    await clock.advance(366 * 86400)
    with pytest.raises(errors.Unauthorized):
        authenticator.authenticate(request)
