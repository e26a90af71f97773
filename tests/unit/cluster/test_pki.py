from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pybernetes.cluster import pki
from pybernetes.cluster.config import ConfigError

NOW = 1_800_000_000.0
DAY = 86_400.0
SERVING = pki.apiserver(["kubernetes.default.svc", "10.96.0.1", "127.0.0.1"])


def load(files: pki.Pki, leaf: pki.Leaf | str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.certificate(leaf).read_bytes())


@pytest.fixture
def files(tmp_path: Path) -> pki.Pki:
    made = pki.Pki(tmp_path / "pki", NOW)
    made.ensure([SERVING, pki.ADMIN, pki.kubelet("node-1", ["172.30.77.11"])])
    return made


def test_every_leaf_is_signed_by_the_ca(files: pki.Pki) -> None:
    ca = load(files, "ca")
    for leaf in (SERVING, pki.ADMIN, pki.kubelet("node-1", [])):
        load(files, leaf).verify_directly_issued_by(ca)


def test_the_admin_is_in_system_masters(files: pki.Pki) -> None:
    subject = load(files, pki.ADMIN).subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "kubernetes-admin"
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:masters"


def test_a_kubelet_is_a_client_and_a_server_under_its_node_name(files: pki.Pki) -> None:
    certificate = load(files, pki.kubelet("node-1", []))
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "system:node:node-1"
    uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert len(list(uses)) == 2
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["node-1"]


def test_ensure_again_changes_nothing(files: pki.Pki) -> None:
    before = {p.name: p.read_bytes() for p in files.directory.iterdir()}
    files.ensure([SERVING, pki.ADMIN])
    assert {p.name: p.read_bytes() for p in files.directory.iterdir()} == before


def test_a_missing_name_makes_the_leaf_anew_but_keeps_the_ca(files: pki.Pki) -> None:
    ca = files.certificate("ca").read_bytes()
    files.ensure([pki.apiserver([*SERVING.names, "172.30.77.1"])])
    names = load(files, "apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "172.30.77.1" in [str(ip) for ip in names.get_values_for_type(x509.IPAddress)]
    assert files.certificate("ca").read_bytes() == ca


def test_a_leaf_about_to_end_is_renewed(files: pki.Pki) -> None:
    later = pki.Pki(files.directory, NOW + (pki.LEAF_DAYS - pki.RENEW_BEFORE_DAYS + 1) * DAY)
    before = files.certificate(pki.ADMIN).read_bytes()
    later.ensure([pki.ADMIN])
    assert files.certificate(pki.ADMIN).read_bytes() != before


def test_keys_are_for_their_owner_only(files: pki.Pki) -> None:
    for key in files.directory.glob("*.key"):
        assert key.stat().st_mode & 0o077 == 0


def test_certificates_fit_their_keys(files: pki.Pki) -> None:
    public = load(files, pki.ADMIN).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)


def test_a_damaged_leaf_and_one_of_another_ca_are_made_anew(files: pki.Pki) -> None:
    files.certificate(pki.ADMIN).write_text("damaged")
    pki.Pki(files.directory, NOW).ensure([pki.ADMIN])
    load(files, pki.ADMIN).verify_directly_issued_by(load(files, "ca"))
    files.certificate("ca").unlink()
    pki.Pki(files.directory, NOW).ensure([pki.ADMIN])
    load(files, pki.ADMIN).verify_directly_issued_by(load(files, "ca"))


def test_a_damaged_ca_is_named_with_the_remedy(files: pki.Pki) -> None:
    files.certificate("ca").write_text("damaged")
    with pytest.raises(ConfigError, match=r"ca\.crt is damaged: put back a copy of it, or remove the folder"):
        pki.Pki(files.directory, NOW).ensure([pki.ADMIN])
