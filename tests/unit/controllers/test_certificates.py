from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from cryptography import x509

from pybernetes.control.actions import After, Ask, Delete, Update
from pybernetes.control.controller import Key
from pybernetes.controllers.certificates import approving, cleaning, requests, signing
from pybernetes.controllers.certificates.authority import Authority
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

from . import build
from .csr import authority, csr, issued, request, seconds_left

YEAR = 365 * 24 * 3600
NODE = request("system:node:n1", ["system:nodes"])
NODE_USAGES = ("client auth", "digital signature", "key encipherment")


def plan(row: Any, obj: Obj) -> list[Any]:
    return list(row.plan(build.Snapshot(**{requests.RESOURCE: [obj]}), Key("", "joe"), build.NOW))


def sign(obj: Obj) -> Obj:
    (update,) = plan(signing.controller(Authority(*authority())), obj)
    assert isinstance(update, Update)
    assert update.subresource == "status"
    return update.obj


# ── signing ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_approved_request_becomes_a_certificate_of_the_clusters_ca() -> None:
    found = issued(sign(csr(request("joe", ["team"]), "Approved")))
    ca = x509.load_pem_x509_certificate(authority()[0])
    found.verify_directly_issued_by(ca)
    assert found.subject.rfc4514_string() == "CN=joe,O=team"
    extended = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [usage.dotted_string for usage in extended] == ["1.3.6.1.5.5.7.3.2"]
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize("asked, given", [(3600, 3600), (None, YEAR - 300), (10 * YEAR, YEAR - 300), (60, 600)])
def test_it_lasts_as_long_as_was_asked_for_and_a_year_at_most(asked: int | None, given: float) -> None:
    made = sign(csr(request("joe"), "Approved", expirationSeconds=asked))
    assert seconds_left(made) == given
    assert issued(made).not_valid_before_utc.timestamp() == build.NOW - 300


def test_it_begins_by_the_time_of_those_who_check_it_where_the_clusters_is_ahead() -> None:
    row = signing.controller(Authority(*authority(), lambda: 7200.0))
    (update,) = plan(row, csr(request("joe"), "Approved"))
    assert issued(update.obj).not_valid_before_utc.timestamp() == build.NOW - 7200 - 300


def test_the_same_request_has_the_same_serial_number_and_another_has_another() -> None:
    one, other = csr(request("joe"), "Approved"), csr(request("joe"), "Approved")
    assert issued(sign(one)).serial_number == issued(sign(one)).serial_number != issued(sign(other)).serial_number


def test_only_what_is_approved_and_ours_is_signed_and_that_once() -> None:
    row = signing.controller(Authority(*authority()))
    asked = request("joe")
    assert plan(row, csr(asked)) == plan(row, csr(asked, "Denied")) == plan(row, csr(asked, "Approved", "Failed")) == []
    assert plan(row, csr(asked, "Approved", signer="example.com/mine")) == []
    assert plan(row, sign(csr(asked, "Approved"))) == []


def test_usages_and_names_are_taken_over() -> None:
    names = [x509.DNSName("n1"), x509.IPAddress(ipaddress.ip_address("10.0.0.1"))]
    usages = ("server auth", "digital signature", "key encipherment")
    asked = request("system:node:n1", ["system:nodes"], names)
    found = issued(sign(csr(asked, "Approved", signer=requests.KUBELET_SERVING, usages=usages)))
    usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment, usage.key_cert_sign) == (True, True, False)
    assert list(found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) == names


@pytest.mark.parametrize(
    "asked, signer, usages, why",
    [
        (request("joe"), requests.CLIENT, ("server auth",), "invalid usage for client certificate: server auth"),
        (request("joe"), requests.CLIENT, ("digital signature",),
         "missing required usage for client certificate: client auth"),
        (request("joe"), requests.KUBELET_CLIENT, NODE_USAGES, "subject organization is not system:nodes"),
        (request("n1", ["system:nodes"]), requests.KUBELET_CLIENT, NODE_USAGES,
         "subject common name does not begin with system:node:"),
        (request("system:node:n1", ["system:nodes"], [x509.DNSName("n1")]), requests.KUBELET_CLIENT, NODE_USAGES,
         "DNS subjectAltNames are not allowed"),
        (NODE, requests.KUBELET_CLIENT, ("client auth",),
         "usages did not match [client auth digital signature key encipherment]"),
        (NODE, requests.KUBELET_SERVING, NODE_USAGES, "DNS or IP subjectAltName is required"),
    ],
)  # fmt: skip
def test_what_a_signer_does_not_accept_fails_in_upstreams_words(
    asked: str, signer: str, usages: tuple[str, ...], why: str
) -> None:
    made = sign(csr(asked, "Approved", signer=signer, usages=usages))
    failed = requests.conditions(made)[-1]
    assert (failed["type"], failed["reason"], failed["message"]) == ("Failed", "SignerValidationFailure", why)
    assert not requests.certificate(made)


def test_what_is_no_request_fails_too() -> None:
    failed = requests.conditions(sign(csr("bm90aGluZw==", "Approved")))[-1]
    assert failed["message"].startswith("unable to parse the certificate request")


# ── approving ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_node_that_may_ask_for_itself_is_approved() -> None:
    asked = csr(NODE, signer=requests.KUBELET_CLIENT, usages=NODE_USAGES, username="system:node:n1", groups=["g"])
    (ask,) = plan(approving.CONTROLLER, {**asked, "status": {}})
    assert isinstance(ask, Ask)
    rights = [(q.obj["spec"]["user"], q.obj["spec"]["resourceAttributes"]["subresource"]) for q in ask.questions]  # type: ignore[union-attr]
    assert rights == [("system:node:n1", "selfnodeclient"), ("system:node:n1", "nodeclient")]
    yes, no = {"status": {"allowed": True}}, {"status": {"allowed": False}}
    (update,) = ask.then([yes, no])
    assert isinstance(update, Update)
    approved = requests.conditions(update.obj)[0]
    assert (approved["type"], approved["reason"]) == ("Approved", "AutoApproved")
    assert approved["message"] == "Auto approving self kubelet client certificate after SubjectAccessReview."
    assert ask.then([no, no]) == ()
    with pytest.raises(errors.Forbidden):
        ask.then([errors.Forbidden("no"), no])


def test_what_no_node_asks_for_waits_for_a_human() -> None:
    assert plan(approving.CONTROLLER, csr(request("joe"), username="joe")) == []
    foreign = csr(request("joe"), signer=requests.KUBELET_CLIENT, usages=NODE_USAGES, username="joe")
    assert plan(approving.CONTROLLER, foreign) == []


# ── cleaning ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "found, wait",
    [
        (csr("", "Approved", age=600), 3000.0), (csr("", "Denied", age=3601), 0), (csr("", age=3600), 23 * 3600.0),
        (csr("", age=86400), 0),
    ],
)  # fmt: skip
def test_requests_are_cleared_away_an_hour_after_the_decision_or_a_day_after_nobody_made_one(
    found: Obj, wait: float
) -> None:
    (action,) = plan(cleaning.CONTROLLER, found)
    assert action == (After(wait) if wait else Delete(requests.RESOURCE, "", "joe", uid="uid-joe"))
