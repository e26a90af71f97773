"""What the cluster adds to a pod: account and token, priority, tolerations."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pybernetes.meta import errors, times
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.table import Admission

from ..build import Cluster, named

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


async def cluster(**account: Any) -> Cluster:
    made = Cluster()
    await made.namespace("ns")
    await made.put("serviceaccounts", named("default", "ns", **account))
    return made


def pod(**spec: Any) -> Obj:
    return named("p", "ns", spec={"containers": [{"name": "c"}], **spec})


async def admitted(made: Cluster, obj: Obj, old: Obj | None = None) -> Obj:
    admission, write = Admission(made.world), made.write("update" if old else "create", "pods", obj, old=old)
    await admission.admit(write)
    await admission.validate(write)
    spec: Obj = obj["spec"]
    return spec


# ── account and token ────────────────────────────────────────────────────────────────────────────────────


async def test_a_pod_gets_the_default_account_and_its_token() -> None:
    spec = await admitted(await cluster(), pod(initContainers=[{"name": "i"}]))
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert [next(iter(source)) for source in volume["projected"]["sources"]] == [
        "serviceAccountToken", "configMap", "downwardAPI",
    ]  # fmt: skip
    assert volume["projected"]["sources"][0]["serviceAccountToken"] == {"expirationSeconds": 3607, "path": "token"}
    for container in (*spec["containers"], *spec["initContainers"]):
        assert container["volumeMounts"] == [{"name": volume["name"], "readOnly": True, "mountPath": TOKEN_PATH}]


@pytest.mark.parametrize(
    ("account", "spec", "mounted"),
    [
        ({"automountServiceAccountToken": False}, {}, False),
        ({"automountServiceAccountToken": False}, {"automountServiceAccountToken": True}, True),
        ({}, {"automountServiceAccountToken": False}, False),
        ({}, {"containers": [{"name": "c", "volumeMounts": [{"name": "mine", "mountPath": TOKEN_PATH}]}]}, False),
    ],
)
async def test_the_token_is_mounted_where_it_is_wanted(account: Obj, spec: Obj, mounted: bool) -> None:
    assert bool((await admitted(await cluster(**account), pod(**spec))).get("volumes")) is mounted


async def test_the_accounts_pull_secrets_are_the_pods_unless_it_has_its_own() -> None:
    made = await cluster(imagePullSecrets=[{"name": "registry"}])
    assert (await admitted(made, pod()))["imagePullSecrets"] == [{"name": "registry"}]
    assert (await admitted(made, pod(imagePullSecrets=[{"name": "own"}])))["imagePullSecrets"] == [{"name": "own"}]


async def test_an_account_that_is_not_there_is_named() -> None:
    with pytest.raises(errors.Forbidden) as refused:
        await admitted(await cluster(), pod(serviceAccountName="builder"))
    assert refused.value.message == (
        'pods "p" is forbidden: error looking up service account ns/builder: serviceaccount "builder" not found'
    )


async def test_a_young_namespace_gets_a_moment_for_its_default_account() -> None:
    made = Cluster()
    young = {"name": "ns", "creationTimestamp": times.render(made.clock.time())}
    await made.put("namespaces", {"metadata": young})
    waiting = asyncio.create_task(admitted(made, pod()))
    await asyncio.sleep(0)
    await made.put("serviceaccounts", named("default", "ns"))
    assert (await waiting)["serviceAccountName"] == "default"


async def test_the_moment_ends() -> None:
    made = Cluster()
    young = {"name": "ns", "creationTimestamp": times.render(made.clock.time())}
    await made.put("namespaces", {"metadata": young})
    waiting = asyncio.create_task(admitted(made, pod()))
    await made.clock.advance(3)
    with pytest.raises(errors.Forbidden, match='serviceaccount "default" not found'):
        await waiting


async def test_a_mirror_pod_is_left_as_its_node_told_it() -> None:
    mirror = pod(priority=2000001000, priorityClassName="")
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    mirror["spec"]["serviceAccountName"] = "default"
    del mirror["spec"]["priority"]
    with pytest.raises(errors.Forbidden, match="a mirror pod may not reference service accounts"):
        await admitted(await cluster(), mirror)


# ── priority ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_pod_has_the_priority_of_its_class() -> None:
    made = await cluster()
    await made.put("priorityclasses.scheduling.k8s.io", named("high", value=1000, preemptionPolicy="Never"))
    spec = await admitted(made, pod(priorityClassName="high"))
    assert (spec["priority"], spec["preemptionPolicy"]) == (1000, "Never")


async def test_a_pod_without_class_has_that_of_the_default_or_none() -> None:
    made = await cluster()
    spec = await admitted(made, pod())
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert "priorityClassName" not in spec
    await made.put("priorityclasses.scheduling.k8s.io", named("usual", value=5, globalDefault=True))
    spec = await admitted(made, pod())
    assert (spec["priority"], spec["priorityClassName"]) == (5, "usual")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"priorityClassName": "nope"}, "no PriorityClass with name nope was found"),
        ({"priority": 7}, r"the integer value of priority \(7\) must not be provided in pod spec"),
        ({"preemptionPolicy": "Never"}, r"the string value of PreemptionPolicy \(Never\) must not be provided"),
    ],
)
async def test_a_priority_that_is_not_its_classs_is_refused(spec: Obj, message: str) -> None:
    with pytest.raises(errors.Forbidden, match=message):
        await admitted(await cluster(), pod(**spec))


async def test_an_update_may_leave_the_priority_out() -> None:
    spec = await admitted(await cluster(), pod(), old=pod(priority=5, preemptionPolicy="Never"))
    assert (spec["priority"], spec["preemptionPolicy"]) == (5, "Never")


# ── tolerations ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_pod_stays_five_minutes_on_a_lost_node() -> None:
    spec = await admitted(await cluster(), pod())
    assert [(t["key"], t["effect"], t["tolerationSeconds"]) for t in spec["tolerations"]] == [
        ("node.kubernetes.io/not-ready", "NoExecute", 300),
        ("node.kubernetes.io/unreachable", "NoExecute", 300),
    ]


@pytest.mark.parametrize(
    "own",
    [{"operator": "Exists"}, {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 5}],
)
async def test_a_pods_own_word_about_lost_nodes_stands(own: Obj) -> None:
    spec = await admitted(await cluster(), pod(tolerations=[own]))
    assert spec["tolerations"][0] is own
    assert len(spec["tolerations"]) == (2 if "key" in own else 1)
