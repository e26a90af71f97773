"""What LimitRanges make of pods and claims."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.admission import limits
from pybernetes.server.admission.table import Admission

from ..build import Cluster, named


def limit_range(**item: Any) -> Obj:
    return named("lr", "ns", spec={"limits": [{"type": "Container", **item}]})


def pod(*containers: tuple[Obj | None, Obj | None], **spec: Any) -> Obj:
    """A pod of containers (requests, limits)."""
    made = [
        {"name": f"c{number}", "resources": {k: v for k, v in (("requests", r), ("limits", m)) if v is not None}}
        for number, (r, m) in enumerate(containers)
    ]
    return named("p", "ns", spec={"containers": made, **spec})


def complaints(pod: Obj, **item: Any) -> list[str]:
    return list(limits.pod_complaints(limit_range(**item), pod))


def test_what_a_container_does_not_say_is_filled_in_and_noted() -> None:
    made = pod((None, None), ({"memory": "1Gi"}, {"memory": "1Gi"}))
    limits.fill(limit_range(defaultRequest={"memory": "1Mi", "cpu": "1m"}, default={"memory": "2Mi"}), made)
    first, second = (c["resources"] for c in made["spec"]["containers"])
    assert first == {"requests": {"memory": "1Mi", "cpu": "1m"}, "limits": {"memory": "2Mi"}}
    assert second == {"requests": {"memory": "1Gi", "cpu": "1m"}, "limits": {"memory": "1Gi"}}
    assert made["metadata"]["annotations"][limits.ANNOTATION] == (
        "LimitRanger plugin set: cpu, memory request for container c0; memory limit for container c0; "
        "cpu request for container c1"
    )


def test_a_pod_that_says_everything_gets_no_note() -> None:
    made = pod(({"cpu": "1"}, {"cpu": "1"}))
    limits.fill(limit_range(default={"cpu": "2"}), made)
    assert "annotations" not in made["metadata"]


@pytest.mark.parametrize(
    ("requests", "most", "item", "told"),
    [
        ({"memory": "1Gi"}, {"memory": "1Gi"}, {"max": {"memory": "512Mi"}},
         "maximum memory usage per Container is 512Mi, but limit is 1Gi"),
        ({"memory": "1Gi"}, None, {"max": {"memory": "512Mi"}},
         "maximum memory usage per Container is 512Mi.  No limit is specified"),
        ({"memory": "50Mi"}, {"memory": "1Gi"}, {"min": {"memory": "0.1Gi"}},
         "minimum memory usage per Container is 107374182400m, but request is 50Mi"),
        (None, None, {"min": {"cpu": "1"}}, "minimum cpu usage per Container is 1.  No request is specified"),
        ({"memory": "0.1Gi"}, {"memory": "0.5Gi"}, {"maxLimitRequestRatio": {"memory": "3"}},
         "memory max limit to request ratio per Container is 3, but provided ratio is 5.000000"),
        (None, {"cpu": "1"}, {"maxLimitRequestRatio": {"cpu": "3"}},
         "cpu max limit to request ratio per Container is 3, but no request is specified or request is 0"),
    ],
)  # fmt: skip
def test_a_broken_bound_is_told_in_upstreams_words(requests: Obj, most: Obj, item: Obj, told: str) -> None:
    assert complaints(pod((requests, most)), **item) == [told]


def test_the_bounds_of_a_pod_are_for_all_that_runs_in_it_at_once() -> None:
    heavy_init = {"name": "i", "resources": {"requests": {"cpu": "3"}, "limits": {"cpu": "3"}}}
    made = pod(({"cpu": "1"}, {"cpu": "1"}), ({"cpu": "1"}, {"cpu": "1"}))
    assert complaints(made, type="Pod", max={"cpu": "2"}) == []
    made["spec"]["initContainers"] = [heavy_init]
    assert complaints(made, type="Pod", max={"cpu": "2"}) == ["maximum cpu usage per Pod is 2, but limit is 3"]


async def test_all_that_is_wrong_is_told_in_one_refusal() -> None:
    made = Cluster()
    await made.namespace("ns")
    await made.put("serviceaccounts", named("default", "ns"))
    await made.put("limitranges", limit_range(max={"cpu": "1", "memory": "1Mi"}))
    admission = Admission(made.world)
    write = made.write("create", "pods", pod(({"cpu": "1"}, {"cpu": "2", "memory": "1Mi"})))
    await admission.admit(write)
    with pytest.raises(errors.Forbidden) as refused:
        await admission.validate(made.write("create", "pods", pod(({"cpu": "2"}, {"cpu": "2"}))))
    assert refused.value.message == (
        'pods "p" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, '
        "maximum memory usage per Container is 1Mi.  No limit is specified]"
    )


async def test_a_claim_keeps_to_the_bounds_of_claims() -> None:
    made = Cluster()
    await made.namespace("ns")
    await made.put("limitranges", limit_range(type="PersistentVolumeClaim", max={"storage": "1Gi"}))
    claim = named("c", "ns", spec={"resources": {"requests": {"storage": "2Gi"}}})
    with pytest.raises(errors.Forbidden, match="maximum storage usage per PersistentVolumeClaim is 1Gi, but request"):
        await Admission(made.world).validate(made.write("create", "persistentvolumeclaims", claim))
    await made.remove("limitranges", "ns", "lr")
    await Admission(made.world).validate(made.write("create", "persistentvolumeclaims", claim))
