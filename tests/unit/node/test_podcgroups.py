from __future__ import annotations

from pathlib import Path

import pytest

from pybernetes.node.podcgroups import PodCgroups, pod_settings, weight

from .build import main, pod


def limited(name: str = "c", **more: str) -> dict[str, object]:
    return main(name, resources={"requests": {"cpu": "100m"}, "limits": {"cpu": "500m", "memory": "64Mi"}, **more})


def test_a_pods_limits_are_the_sum_of_its_containers() -> None:
    assert pod_settings(pod(limited("a"), limited("b")), unified=False) == [
        ("cpu", "cpu.shares", "204"),
        ("cpu", "cpu.cfs_period_us", "100000"),
        ("cpu", "cpu.cfs_quota_us", "100000"),
        ("memory", "memory.limit_in_bytes", str(128 << 20)),
    ]
    assert pod_settings(pod(limited("a"), limited("b")), unified=True) == [
        ("cpu", "cpu.weight", "8"),
        ("cpu", "cpu.max", "100000 100000"),
        ("memory", "memory.max", str(128 << 20)),
    ]


def test_one_container_without_a_limit_leaves_the_pod_without() -> None:
    assert [file for _, file, _ in pod_settings(pod(limited(), main("b")), unified=True)] == ["cpu.weight"]


def test_a_greedy_init_container_counts_where_it_asks_for_more_than_all_others() -> None:
    greedy = main("i", resources={"limits": {"cpu": "2", "memory": "1Gi"}})
    assert ("memory", "memory.max", str(1 << 30)) in pod_settings(pod(limited(), inits=(greedy,)), unified=True)


@pytest.mark.parametrize(("shares", "expected"), [(2, 1), (1024, 39), (262144, 10000)])
def test_shares_become_weights_as_the_oci_runtimes_have_it(shares: int, expected: int) -> None:
    assert weight(shares) == expected


def hierarchy(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir()
        (root / name / "tasks").touch()


def test_in_version_1_a_pod_has_its_cgroup_in_every_hierarchy(tmp_path: Path) -> None:
    hierarchy(tmp_path, "cpu", "memory", "pids")
    (tmp_path / "unified").mkdir()
    burstable = pod(limited(), status={"qosClass": "Burstable"})
    cgroups = PodCgroups("/base/node", tmp_path)
    cgroups.make(burstable)
    assert cgroups.path(burstable) == "/base/node/kubepods/burstable/podu"
    assert (tmp_path / "memory/base/node/kubepods/burstable/podu/memory.limit_in_bytes").read_text() == str(64 << 20)
    assert (tmp_path / "cpu/base/node/kubepods/burstable/cpu.shares").read_text() == "102"
    assert (tmp_path / "pids/base/node/kubepods/burstable/podu").is_dir()
    assert list((tmp_path / "unified").iterdir()) == []


def test_in_version_2_controllers_are_handed_down(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").touch()
    guaranteed = pod(limited(), status={"qosClass": "Guaranteed"})
    cgroups = PodCgroups("/base", tmp_path)
    cgroups.make(guaranteed)
    assert cgroups.path(guaranteed) == "/base/kubepods/podu"
    assert (tmp_path / "base/kubepods/podu/cpu.max").read_text() == "50000 100000"
    assert "+memory" in (tmp_path / "base/kubepods/cgroup.subtree_control").read_text()


def test_without_cgroups_nothing_is_written(tmp_path: Path) -> None:
    cgroups = PodCgroups("/base", tmp_path)
    cgroups.make(pod(limited()))
    cgroups.remove(pod(limited()))
    assert list(tmp_path.iterdir()) == []
