"""The course's workloads in a whole cluster: healing, rollouts, undo, pause, orphans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pybernetes.lib import tasks
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.storage.memory import MemoryStore
from pybernetes.testing.cluster import PATIENCE_SECONDS, Cluster

from .workloads import (
    DEPLOYMENTS,
    NEVER,
    SETS,
    condition,
    deployment,
    image,
    is_ready,
    is_rolled_out,
    replica_set,
    replication_controller,
    with_template,
)

REVISION = "deployment.kubernetes.io/revision"


async def roll_out(cluster: Cluster, **pod: Any) -> Obj:
    """Change the Deployment's template and wait for the end of the rollout."""
    await cluster.patch(DEPLOYMENTS, "web", with_template(**pod))
    return await cluster.until(DEPLOYMENTS, "web", is_rolled_out)


async def sets(cluster: Cluster) -> dict[str, tuple[int, str]]:
    """Image → (size, revision) of the Deployment's ReplicaSets."""
    found = await cluster.list(SETS)
    return {image(each): (each["spec"]["replicas"], objects.annotations(each)[REVISION]) for each in found}


async def every_instant(cluster: Cluster, before: Obj, until: Callable[[list[Obj]], bool]) -> list[list[Obj]]:
    """The pods after each of their changes since the list ``before``."""
    held = {objects.name(pod): pod for pod in before["items"]}
    seen = [list(held.values())]
    watch = cluster.client.watch("pods", "default", resource_version=before["metadata"]["resourceVersion"])
    async with tasks.deadline(cluster.clock, PATIENCE_SECONDS):
        while not until(seen[-1]):
            for kind, obj in await anext(watch):
                if kind == "DELETED":
                    held.pop(objects.name(obj), None)
                elif kind != "BOOKMARK":
                    held[objects.name(obj)] = obj
                seen.append(list(held.values()))
    return seen


# ── ReplicaSets ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_dead_pod_is_replaced_under_a_new_name(cluster: Cluster) -> None:
    await cluster.create(SETS, replica_set())
    await cluster.until(SETS, "web", is_ready(2))
    before = {objects.name(pod) for pod in await cluster.list("pods")}
    victim = min(before)
    await cluster.client.delete("pods", victim, "default")

    def healed(pods: Any) -> bool:
        names = {objects.name(pod) for pod in pods if objects.condition_is(pod, "Ready")}
        return len(names) == 2 and victim not in names

    after = await cluster.until_all("pods", healed)
    made = next(pod for pod in after if objects.name(pod) not in before)
    owner = objects.controller_of(made)
    assert owner is not None
    assert (owner["kind"], owner["name"]) == ("ReplicaSet", "web")
    text = f"Created pod: {objects.name(made)}"
    await cluster.until_events("web", "SuccessfulCreate", lambda told: text in told)


async def test_a_size_follows_the_scale_subresource(cluster: Cluster) -> None:
    await cluster.create(SETS, replica_set(replicas=1))
    for size in (4, 1, 0):
        scale = await cluster.client.get(SETS, "web", "default", subresource="scale")
        await cluster.client.update(SETS, {**scale, "spec": {"replicas": size}}, subresource="scale")
        await cluster.until(SETS, "web", is_ready(size))
    assert await cluster.list("pods") == []


async def test_pods_outlive_their_controller_and_find_a_new_one(cluster: Cluster) -> None:
    await cluster.create("replicationcontrollers", replication_controller())
    await cluster.until("replicationcontrollers", "web", is_ready(2))
    before = {objects.uid(pod) for pod in await cluster.list("pods")}
    await cluster.client.delete("replicationcontrollers", "web", "default", propagation="Orphan")
    await cluster.until_gone("replicationcontrollers", "web")
    orphans = await cluster.until_all("pods", lambda pods: not any(map(objects.owners, pods)))
    assert {objects.uid(pod) for pod in orphans} == before

    await cluster.create(SETS, replica_set())
    await cluster.until(SETS, "web", is_ready(2))
    adopted = await cluster.until_all("pods", lambda pods: all(map(objects.controller_of, pods)))
    assert {objects.uid(pod) for pod in adopted} == before

    await cluster.client.delete(SETS, "web", "default", propagation="Background")
    await cluster.until_all("pods", lambda pods: not pods)


async def test_a_selector_of_expressions_counts_only_full_matches(cluster: Cluster) -> None:
    made = replica_set(type="web", ver="v1")
    rules = [{"key": "ver", "operator": "Exists"}, {"key": "loc", "operator": "NotIn", "values": ["prod"]}]
    made["spec"]["selector"] = {"matchLabels": {"type": "web"}, "matchExpressions": rules}
    spec = {"containers": [{"name": "main", "image": "web:v1"}]}
    for name, labels in {"half": {"type": "web"}, "prod": {"type": "web", "ver": "v1", "loc": "prod"}}.items():
        metadata = {"name": name, "namespace": "default", "labels": labels}
        await cluster.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    await cluster.create(SETS, made)
    await cluster.until(SETS, "web", is_ready(2))
    owned = [pod for pod in await cluster.list("pods") if objects.controller_of(pod)]
    assert len(owned) == 2
    assert all(objects.name(pod).startswith("web-") for pod in owned)


# ── Deployments ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_deployment_becomes_available(cluster: Cluster) -> None:
    await cluster.create(DEPLOYMENTS, deployment())
    owner = await cluster.until(DEPLOYMENTS, "web", condition("Progressing", "NewReplicaSetAvailable"))
    assert is_rolled_out(owner)
    assert (objects.condition(owner, "Available") or {}).get("status") == "True"
    made = (await cluster.list(SETS))[0]
    hash_ = objects.labels(made)["pod-template-hash"]
    assert objects.name(made) == f"web-{hash_}"
    assert all(objects.labels(pod)["pod-template-hash"] == hash_ for pod in await cluster.list("pods"))
    told = await cluster.until_events("web", "ScalingReplicaSet", bool)
    assert told == [f"Scaled up replica set web-{hash_} from 0 to 3"]


async def test_a_rolling_update_keeps_its_bounds_at_every_instant(cluster: Cluster) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    await cluster.create(DEPLOYMENTS, deployment(replicas=4, strategy=rolling))
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    before = await cluster.client.list("pods", "default")
    await roll_out(cluster, image="web:v2")
    instants = await every_instant(cluster, before, lambda pods: {image(pod) for pod in pods} == {"web:v2"})
    live = [[pod for pod in pods if not objects.is_deleting(pod)] for pods in instants]
    assert max(map(len, live)) <= 5
    assert min(sum(objects.condition_is(pod, "Ready") for pod in pods) for pods in live) >= 3
    assert any(len({image(pod) for pod in pods}) == 2 for pods in live)
    assert await sets(cluster) == {"web:v1": (0, "1"), "web:v2": (4, "2")}


async def test_recreate_ends_all_old_pods_before_the_first_new_one(cluster: Cluster) -> None:
    await cluster.create(DEPLOYMENTS, deployment(replicas=2, strategy={"type": "Recreate"}))
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    before = await cluster.client.list("pods", "default")
    await roll_out(cluster, image="web:v2")
    instants = await every_instant(
        cluster, before, lambda pods: [image(pod) for pod in pods] == ["web:v2", "web:v2"]
    )  # fmt: skip
    assert all(len({image(pod) for pod in pods}) <= 1 for pods in instants)
    assert [] in instants


async def test_an_undo_gives_the_old_template_a_new_number(cluster: Cluster) -> None:
    await cluster.create(DEPLOYMENTS, deployment())
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    first = (await cluster.list(SETS))[0]
    await roll_out(cluster, image="web:v2")
    assert await sets(cluster) == {"web:v1": (0, "1"), "web:v2": (3, "2")}
    undo = [{"op": "replace", "path": "/spec/template", "value": first["spec"]["template"]}]
    await cluster.patch(DEPLOYMENTS, "web", undo, kind="json")
    owner = await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    assert objects.annotations(owner)[REVISION] == "3"
    assert await sets(cluster) == {"web:v1": (3, "3"), "web:v2": (0, "2")}
    again = await cluster.client.get(SETS, objects.name(first), "default")
    assert objects.annotations(again)["deployment.kubernetes.io/revision-history"] == "1"


async def test_only_so_many_old_revisions_are_kept(cluster: Cluster) -> None:
    await cluster.create(DEPLOYMENTS, deployment(replicas=1, revisionHistoryLimit=1))
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    for number in (2, 3, 4):
        await roll_out(cluster, image=f"web:v{number}")
    kept = await cluster.until_all(SETS, lambda found: len(found) == 2)
    assert sorted(map(image, kept)) == ["web:v3", "web:v4"]


async def test_a_paused_deployment_gathers_changes_and_rolls_once(cluster: Cluster) -> None:
    await cluster.create(DEPLOYMENTS, deployment())
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    await cluster.patch(DEPLOYMENTS, "web", {"spec": {"paused": True}})
    await cluster.until(DEPLOYMENTS, "web", condition("Progressing", "DeploymentPaused"))
    changed = {**with_template(image="web:v2"), "metadata": {"labels": {"seen": "yes"}}}
    owner = await cluster.patch(DEPLOYMENTS, "web", changed)
    generation = owner["metadata"]["generation"]
    await cluster.until(DEPLOYMENTS, "web", lambda obj: obj["status"]["observedGeneration"] == generation)
    assert await sets(cluster) == {"web:v1": (3, "1")}
    await cluster.patch(DEPLOYMENTS, "web", {"spec": {"paused": None}})
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    assert await sets(cluster) == {"web:v1": (0, "1"), "web:v2": (3, "2")}


async def test_a_template_that_cannot_run_leaves_the_old_pods_and_is_undone(cluster: Cluster) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    await cluster.create(DEPLOYMENTS, deployment(strategy=rolling, progressDeadlineSeconds=1))
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    await cluster.patch(DEPLOYMENTS, "web", with_template(nodeSelector=NEVER))
    owner = await cluster.until(DEPLOYMENTS, "web", condition("Progressing", "ProgressDeadlineExceeded"))
    assert owner["status"]["availableReplicas"] == 3
    assert owner["status"]["updatedReplicas"] == 1
    await cluster.patch(DEPLOYMENTS, "web", with_template(nodeSelector=None))
    await cluster.until(DEPLOYMENTS, "web", condition("Progressing", "NewReplicaSetAvailable"))


async def test_a_quota_like_refusal_is_told_in_events_and_conditions(cluster: Cluster) -> None:
    await cluster.create(DEPLOYMENTS, deployment())
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    await cluster.patch(DEPLOYMENTS, "web", with_template(serviceAccountName="nobody"))
    owner = await cluster.until(DEPLOYMENTS, "web", condition("ReplicaFailure", "FailedCreate"))
    told = objects.condition(owner, "ReplicaFailure")
    assert told is not None
    assert 'serviceaccount "nobody" not found' in told["message"]
    failed = next(each for each in await cluster.list(SETS) if objects.condition(each, "ReplicaFailure"))
    await cluster.until_events(
        objects.name(failed), "FailedCreate", lambda told: any("nobody" in text for text in told)
    )


async def test_deleting_a_deployment_takes_its_sets_and_pods_along(cluster: Cluster) -> None:
    await cluster.create(DEPLOYMENTS, deployment())
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    await cluster.client.delete(DEPLOYMENTS, "web", "default", propagation="Foreground")
    await cluster.until_gone(DEPLOYMENTS, "web")
    assert await cluster.list(SETS) == []
    assert await cluster.list("pods") == []


async def test_a_deployment_that_was_orphaned_is_found_again_by_one_of_its_name(cluster: Cluster) -> None:
    await cluster.create(DEPLOYMENTS, deployment())
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    before = {objects.uid(pod) for pod in await cluster.list("pods")}
    await cluster.client.delete(DEPLOYMENTS, "web", "default", propagation="Orphan")
    await cluster.until_gone(DEPLOYMENTS, "web")
    await cluster.create(DEPLOYMENTS, deployment())
    await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
    assert {objects.uid(pod) for pod in await cluster.list("pods")} == before
    assert len(await cluster.list(SETS)) == 1


async def test_a_rollout_goes_on_where_the_control_plane_that_ended_left_it() -> None:
    store = MemoryStore()
    async with Cluster(nodes=2, store=store) as cluster:
        await cluster.create(DEPLOYMENTS, deployment(replicas=8))
        await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
        await cluster.patch(DEPLOYMENTS, "web", with_template(image="web:v2"))
        await cluster.until_all(SETS, lambda found: len(found) == 2)
    async with Cluster(nodes=2, store=store, seed=1) as cluster:
        await cluster.until(DEPLOYMENTS, "web", is_rolled_out)
        assert await sets(cluster) == {"web:v1": (0, "1"), "web:v2": (8, "2")}
        assert {image(pod) for pod in await cluster.list("pods")} == {"web:v2"}
    await store.close()
