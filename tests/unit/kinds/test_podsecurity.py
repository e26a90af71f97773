"""The Pod Security Standards: each check by what it forbids and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.kinds.podsecurity import policy
from pybernetes.kinds.podsecurity.policy import Level
from pybernetes.meta.objects import Obj

HARDENED: Obj = {
    "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip


def spec(container: Obj | None = None, **more: Any) -> Obj:
    return {"containers": [{"name": "c", **(container or {})}], **more}


def secured(**context: Any) -> Obj:
    """A container's securityContext."""
    return {"securityContext": context}


def told(level: str, spec: Obj, minor: int | None = None, **annotations: str) -> str:
    meta = {"annotations": {key.replace("__", "/"): value for key, value in annotations.items()}}
    return policy.told(policy.violations(Level(level) if minor is None else Level(level, minor), meta, spec))


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (spec(secured(capabilities={"add": ["NET_ADMIN", "CHOWN"]})),
         'non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add)'),
        (spec(hostNetwork=True, hostPID=True), "host namespaces (hostNetwork=true, hostPID=true)"),
        (spec(volumes=[{"name": "a", "hostPath": {"path": "/"}}, {"name": "b", "hostPath": {"path": "/"}}]),
         'hostPath volumes (volumes "a", "b")'),
        (spec({"ports": [{"hostPort": 80}, {"hostPort": 443}]}), 'hostPort (container "c" uses hostPorts 443, 80)'),
        (spec({"livenessProbe": {"httpGet": {"host": "other"}}}),
         'probe or lifecycle host (container "c" uses probe or lifecycle host "other")'),
        (spec(secured(privileged=True)),
         'privileged (container "c" must not set securityContext.privileged=true)'),
        (spec(secured(procMount="Unmasked")),
         'procMount (container "c" must not set securityContext.procMount to "Unmasked")'),
        (spec(secured(seLinuxOptions={"type": "x", "user": "u"}), **secured(seLinuxOptions={"role": "r"})),
         'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: type "x"; '
         "user may not be set; role may not be set)"),
        (spec(**secured(seccompProfile={"type": "Unconfined"})),
         'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")'),
        (spec(**secured(sysctls=[{"name": "kernel.msgmax"}, {"name": "net.ipv4.tcp_rmem"}])),
         "forbidden sysctls (kernel.msgmax)"),
        (spec(**secured(windowsOptions={"hostProcess": True})),
         "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)"),
    ],
)  # fmt: skip
def test_baseline_tells_what_escapes_from_a_container(found: Obj, sentence: str) -> None:
    assert told("baseline", found) == sentence
    assert (
        sentence.partition(" (")[0] in told("restricted", found) or "capabilities" in sentence or "volumes" in sentence
    )
    assert told("privileged", found) == ""


def test_baseline_judges_profiles_of_app_armor_by_annotation_and_field() -> None:
    key = "container.apparmor.security.beta.kubernetes.io__c"
    assert told("baseline", spec(), **{key: "unconfined"}) == (
        'forbidden AppArmor profile (container.apparmor.security.beta.kubernetes.io/c="unconfined")'
    )
    assert told("baseline", spec(), **{key: "localhost/mine"}) == ""
    assert told("baseline", spec(secured(appArmorProfile={"type": "Unconfined"}))) == (
        'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")'
    )


def test_restricted_tells_all_that_a_plain_pod_lacks() -> None:
    assert told("restricted", spec()) == (
        'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), '
        'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), '
        'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or '
        '"Localhost")'
    )
    assert told("restricted", spec(secured(**HARDENED))) == ""


@pytest.mark.parametrize(
    ("context", "more", "sentence"),
    [
        ({"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}, {},
         'unrestricted capabilities (container "c" must not include "CHOWN" in securityContext.capabilities.add)'),
        ({"runAsNonRoot": False}, {},
         'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)'),
        ({"runAsUser": 0}, {}, 'runAsUser=0 (container "c" must not set runAsUser=0)'),
        ({}, {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
         'restricted volume types (volume "v" uses restricted volume type "hostPath")'),
        ({"seccompProfile": {"type": "Unconfined"}}, {},
         'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")'),
    ],
)  # fmt: skip
def test_restricted_tells_what_hardened_pods_do_without(context: Obj, more: Obj, sentence: str) -> None:
    assert told("restricted", spec(secured(**{**HARDENED, **context}), **more)) == sentence


def test_what_the_pod_says_holds_for_silent_containers() -> None:
    whole = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    own = {key: value for key, value in HARDENED.items() if key not in whole}
    assert told("restricted", spec(secured(**own), securityContext=whole)) == ""


def test_init_and_ephemeral_containers_are_looked_at_too() -> None:
    bad = secured(privileged=True)
    found = spec(initContainers=[{"name": "i", **bad}], ephemeralContainers=[{"name": "e", **bad}])
    assert told("baseline", found) == 'privileged (containers "i", "e" must not set securityContext.privileged=true)'


def test_an_older_policy_knows_only_the_checks_of_its_time() -> None:
    probing = spec({"livenessProbe": {"httpGet": {"host": "other"}}})
    assert told("baseline", probing, 33) == ""
    assert "runAsUser" not in told("restricted", spec(secured(**HARDENED, runAsUser=0)), 22)
    assert told("baseline", spec(**secured(sysctls=[{"name": "net.ipv4.tcp_rmem"}])), 31) != ""


def test_pods_for_windows_and_with_a_user_namespace_are_spared_what_means_nothing_there() -> None:
    windows = spec({"securityContext": {"runAsNonRoot": True}}, os={"name": "windows"})
    assert told("restricted", windows) == ""
    spared = {key: value for key, value in HARDENED.items() if key != "runAsNonRoot"}
    assert told("restricted", spec(secured(**spared, runAsUser=0, procMount="Unmasked"), hostUsers=False)) == ""


def test_labels_tell_the_policy_and_what_cannot_be_read_is_taken_strictly() -> None:
    labels = {"enforce": "baseline", "enforce-version": "v1.24", "warn": "restricted"}
    found, wrong = policy.of({policy.PREFIX + key: value for key, value in labels.items()})
    assert (str(found.enforce), str(found.warn), str(found.audit), wrong) == (
        "baseline:v1.24", "restricted:latest", "privileged:latest", [],
    )  # fmt: skip
    found, wrong = policy.of({policy.PREFIX + "enforce": "strict", policy.PREFIX + "warn-version": "1.2"})
    assert found.enforce.name == "restricted"
    assert [str(error) for error in wrong] == [
        'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, '
        "baseline, restricted",
        'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
    ]
