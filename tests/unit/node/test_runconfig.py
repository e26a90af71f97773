from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.node import poddns, qos, runconfig, security
from pybernetes.node.environment import ConfigError
from pybernetes.node.poddns import Resolver
from pybernetes.node.runtime import port

from .build import main, pod

HOST = Resolver(("192.0.2.53",), ("home.example",), ("timeout:1",))


def container_config(container: Obj, **spec: Any) -> Obj:
    return runconfig.container_config(
        pod(container, **spec), container, 2, image_id="sha256:1", image_user="", variables={"A": "x"}, mounts=[],
        memory_capacity=1 << 30, capabilities={"CHOWN", "KILL"},
    )  # fmt: skip


def sandbox_config(**spec: Any) -> Obj:
    return runconfig.sandbox_config(
        pod(**spec), 1, log_directory="/l", resolver=HOST, cgroup_parent="/c", cluster_domain="x"
    )


def test_a_container_is_found_again_by_labels_and_expands_its_words() -> None:
    config = container_config(main(command=["run", "$(A)"], args=["$$(A)", "$(B)"]))
    assert (config["command"], config["args"]) == (["run", "x"], ["$(A)", "$(B)"])
    assert config["labels"] == {
        port.POD_NAME: "p", port.POD_NAMESPACE: "ns", port.POD_UID: "u", port.CONTAINER_NAME: "c",
    }  # fmt: skip
    assert config["annotations"][port.RESTART_COUNT] == "2"
    assert config["log_path"] == "c/2.log"
    assert config["image"] == {"image": "sha256:1", "user_specified_image": "i:1"}


def test_limits_become_shares_quota_and_memory() -> None:
    limits = {"limits": {"cpu": "250m", "memory": "64Mi"}, "requests": {"cpu": "100m"}}
    resources = container_config(main(resources=limits), status={"phase": "Pending"})["linux"]["resources"]
    assert resources == {
        "cpu_shares": 102, "cpu_period": 100_000, "cpu_quota": 25_000, "memory_limit_in_bytes": 64 << 20,
        "oom_score_adj": 938,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("resources", "klass"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_the_class_of_service_follows_from_requests_and_limits(resources: Obj, klass: str) -> None:
    assert qos.class_of(pod(main(resources=resources))) == klass


def test_a_pod_on_its_nodes_network_has_no_name_and_maps_no_ports() -> None:
    ports = main(ports=[{"containerPort": 80, "hostPort": 8080}])
    config = runconfig.sandbox_config(
        pod(ports), 1, log_directory="/l", resolver=HOST, cgroup_parent="/c", cluster_domain="x"
    )
    assert config["hostname"] == "p"
    assert config["port_mappings"] == [{"protocol": 0, "container_port": 80, "host_port": 8080, "host_ip": ""}]
    config = sandbox_config(hostNetwork=True)
    assert (config["hostname"], config["port_mappings"]) == ("", [])
    assert config["linux"]["security_context"]["namespace_options"] == {"network": 2, "pid": 1, "ipc": 0}


def context(own: Obj | None = None, image_user: str = "", **outer: Any) -> Obj:
    container = main(securityContext=own or {})
    return security.of_container(pod(container, securityContext=outer), container, image_user, {"CHOWN", "KILL"})


def test_a_containers_own_settings_win_over_its_pods() -> None:
    found = context({"runAsUser": 1}, runAsUser=2, runAsGroup=3, fsGroup=4, supplementalGroups=[5])
    assert (found["run_as_user"], found["run_as_group"]) == ({"value": 1}, {"value": 3})
    assert found["supplemental_groups"] == [5, 4]


def test_capabilities_that_the_node_does_not_have_are_left_out() -> None:
    found = context({"capabilities": {"add": ["CAP_CHOWN", "SYS_RESOURCE"], "drop": ["ALL"]}})["capabilities"]
    assert found == {"add_capabilities": ["CHOWN"], "drop_capabilities": ["ALL"]}
    assert context({"capabilities": {"add": ["ALL"]}})["capabilities"]["add_capabilities"] == ["CHOWN", "KILL"]


@pytest.mark.parametrize(
    ("own", "image_user", "refusal"),
    [
        ({"runAsNonRoot": True}, "", "image will run as root"),
        ({"runAsNonRoot": True}, "0", "image will run as root"),
        ({"runAsNonRoot": True}, "web", r"non-numeric user \(web\)"),
        ({"runAsNonRoot": True, "runAsUser": 0}, "", "runAsUser breaks non-root policy"),
    ],
)
def test_a_container_that_must_not_be_root_is_not(own: Obj, image_user: str, refusal: str) -> None:
    with pytest.raises(ConfigError, match=refusal):
        context(own, image_user)
    assert context({"runAsNonRoot": True}, "1000")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {},
            Resolver(
                ("10.96.0.10",),
                ("ns.svc.cluster.local", "svc.cluster.local", "cluster.local", "home.example"),
                ("ndots:5",),
            ),
        ),
        ({"dnsPolicy": "Default"}, HOST),
        ({"hostNetwork": True}, HOST),
        (
            {
                "dnsPolicy": "None",
                "dnsConfig": {"nameservers": ["1.1.1.1"], "options": [{"name": "ndots", "value": "2"}]},
            },
            Resolver(("1.1.1.1",), (), ("ndots:2",)),
        ),
    ],
)
def test_the_resolver_follows_the_pods_policy(spec: Obj, expected: Resolver) -> None:
    assert poddns.of_pod(pod(**spec), ["10.96.0.10"], "cluster.local", HOST) == expected


def test_a_hosts_file_names_the_pod_and_its_aliases() -> None:
    obj = pod(subdomain="sub", hostname="h", hostAliases=[{"ip": "192.0.2.9", "hostnames": ["a", "b"]}])
    text = poddns.hosts_file(obj, ["10.0.0.9"], "cluster.local")
    assert "10.0.0.9\th.sub.ns.svc.cluster.local\th\n" in text
    assert text.endswith("# Entries added by HostAliases.\n192.0.2.9\ta\tb\n")
    assert poddns.host_network_hosts_file(pod(), "127.0.0.1 x\n").endswith("(host network).\n127.0.0.1 x\n")


def test_a_resolv_conf_is_read_as_the_c_library_does() -> None:
    text = "# x\nnameserver 1.1.1.1 # y\ndomain d\nsearch a b\noptions ndots:2 rotate\n"
    assert poddns.parse(text) == Resolver(("1.1.1.1",), ("a", "b"), ("ndots:2", "rotate"))
