"""What classes and nodes add: runtimes and places to pods, and the default class to an Ingress."""

from __future__ import annotations

import pytest

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.admission import ingressclass, podtopology, runtimeclass
from pybernetes.server.admission.table import Admission

from ..build import Cluster, named

RUNTIMES = "runtimeclasses.node.k8s.io"
INGRESSES = "ingresses.networking.k8s.io"
SLOW: Obj = {
    "metadata": {"name": "slow"},
    "overhead": {"podFixed": {"cpu": "100m"}},
    "scheduling": {"nodeSelector": {"vm": "yes"}, "tolerations": [{"key": "vm", "operator": "Exists"}]},
}


async def admitted(**spec: object) -> Obj:
    made = Cluster()
    await made.put(RUNTIMES, SLOW, named("plain"))
    admission, pod = Admission(made.world, (runtimeclass.PLUGIN,)), named("p", "ns", spec=dict(spec))
    write = made.write("create", "pods", pod)
    await admission.admit(write)
    await admission.validate(write)
    found: Obj = pod["spec"]
    return found


async def test_a_pod_bears_what_its_class_costs_and_goes_where_the_class_can_be_had() -> None:
    spec = await admitted(runtimeClassName="slow", nodeSelector={"a": "b"})
    assert spec["overhead"] == {"cpu": "100m"}
    assert spec["nodeSelector"] == {"a": "b", "vm": "yes"}
    assert spec["tolerations"] == [{"key": "vm", "operator": "Exists"}]
    assert await admitted() == {}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"runtimeClassName": "none"}, 'pod rejected: RuntimeClass "none" not found'),
        ({"runtimeClassName": "slow", "overhead": {"cpu": "1"}}, "Pod's Overhead doesn't match RuntimeClass's"),
        ({"runtimeClassName": "plain", "overhead": {"cpu": "1"}}, "without corresponding RuntimeClass"),
        ({"overhead": {"cpu": "1"}}, "Pod Overhead set without corresponding RuntimeClass defined Overhead"),
        ({"runtimeClassName": "slow", "nodeSelector": {"vm": "no"}}, r"conflict: .*\[vm\] = yes; .*\[vm\] = no"),
    ],
)
async def test_a_pod_that_contradicts_its_class_is_refused(spec: Obj, told: str) -> None:
    with pytest.raises(errors.Forbidden, match=told):
        await admitted(**spec)


async def test_an_ingress_without_a_class_gets_the_youngest_default() -> None:
    made = Cluster()
    default = {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}
    for name, year in (("old", 2020), ("new", 2022), ("mid", 2021)):
        metadata = {"name": name, "creationTimestamp": f"{year}-01-01T00:00:00Z", **default}
        await made.put("ingressclasses.networking.k8s.io", {"metadata": metadata})
    admission = Admission(made.world, (ingressclass.PLUGIN,))
    plain, told = named("i", "ns"), named("i", "ns", spec={"ingressClassName": "mine"})
    older = {"metadata": {"name": "i", "namespace": "ns", "annotations": {"kubernetes.io/ingress.class": "x"}}}
    for ingress in (plain, told, older):
        await admission.admit(made.write("create", INGRESSES, ingress))
    assert plain["spec"] == {"ingressClassName": "new"}
    assert told["spec"] == {"ingressClassName": "mine"}
    assert "spec" not in older


async def test_a_pod_that_is_bound_learns_where_its_node_is() -> None:
    made = Cluster()
    labels = {"topology.kubernetes.io/zone": "a", "other": "x"}
    await made.put("nodes", {"metadata": {"name": "n", "labels": labels}})
    admission = Admission(made.world, (podtopology.PLUGIN,))
    bound = {"metadata": {"name": "p", "namespace": "ns"}, "target": {"kind": "Node", "name": "n"}}
    await admission.admit(made.write("create", "pods", bound, subresource="binding"))
    assert bound["metadata"]["labels"] == {"topology.kubernetes.io/zone": "a"}
