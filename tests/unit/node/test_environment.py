from __future__ import annotations

import base64
from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.node import environment, serviceenv
from pybernetes.node.downward import NodeFacts
from pybernetes.node.environment import ConfigError, Sources

from .build import main, pod

NODE = NodeFacts("n", ("192.0.2.1",), {"cpu": "2", "memory": "4Gi"})


def variables(*env: Obj, services: dict[str, str] | None = None, **more: Any) -> dict[str, str]:
    sources = Sources(
        {"m": {"data": {"k": "v", "also": "$(A)"}, "binaryData": {"bad=name": "AA=="}}},
        {"s": {"data": {"k": base64.b64encode(b"secret").decode()}}},
        services or {}, NODE, ("10.0.0.9",),
    )  # fmt: skip
    container = main(env=list(env), **more)
    return environment.of_container(pod(container), container, sources)


def from_(**source: Any) -> Obj:
    return {"name": "X", "valueFrom": source}


def test_each_variable_sees_those_before_it_and_the_services() -> None:
    found = variables(
        {"name": "A", "value": "1"},
        {"name": "B", "value": "$(A)$(HOST)$(NONE)$$(A)$(C)"},
        {"name": "C", "value": "late"},
        services={"HOST": "h", "A": "hidden"},
    )
    assert found == {"A": "1", "B": "1h$(NONE)$(A)$(C)", "C": "late", "HOST": "h"}


def test_whole_maps_come_first_with_their_prefix_and_without_impossible_names() -> None:
    found = variables({"name": "k", "value": "own"}, envFrom=[{"configMapRef": {"name": "m"}, "prefix": ""}])
    assert found == {"k": "own", "also": "$(A)"}
    assert variables(envFrom=[{"secretRef": {"name": "s"}, "prefix": "P_"}]) == {"P_k": "secret"}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ({"configMapKeyRef": {"name": "m", "key": "k"}}, "v"),
        ({"secretKeyRef": {"name": "s", "key": "k"}}, "secret"),
        ({"fieldRef": {"fieldPath": "metadata.name"}}, "p"),
        ({"fieldRef": {"fieldPath": "status.podIP"}}, "10.0.0.9"),
        ({"fieldRef": {"fieldPath": "status.hostIP"}}, "192.0.2.1"),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, "2"),
        ({"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}, "4096"),
    ],
)
def test_values_come_from_objects_fields_and_resources(source: Obj, value: str) -> None:
    assert variables(from_(**source)) == {"X": value}


def test_what_is_missing_is_named_unless_it_is_optional() -> None:
    with pytest.raises(ConfigError, match=r'^configmap "none" not found$'):
        variables(from_(configMapKeyRef={"name": "none", "key": "k"}))
    with pytest.raises(ConfigError, match=r"^couldn't find key none in Secret ns/s$"):
        variables(from_(secretKeyRef={"name": "s", "key": "none"}))
    assert variables(from_(secretKeyRef={"name": "s", "key": "none", "optional": True})) == {}
    assert variables(envFrom=[{"configMapRef": {"name": "none", "optional": True}}]) == {}


def service(name: str, namespace: str, *ports: Obj, address: str = "10.96.0.9") -> Obj:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"clusterIP": address, "ports": list(ports)}}


def test_services_of_the_namespace_and_the_api_server_are_told() -> None:
    services = [
        service("my-db", "ns", {"port": 5432, "name": "pg-main", "protocol": "TCP"}),
        service("kubernetes", "default", {"port": 443}, address="10.96.0.1"),
        service("headless", "ns", {"port": 1}, address="None"),
        service("far", "other", {"port": 1}),
    ]
    found = serviceenv.of_pod(pod(), services)
    assert found["MY_DB_SERVICE_HOST"] == "10.96.0.9"
    assert found["MY_DB_SERVICE_PORT_PG_MAIN"] == found["MY_DB_SERVICE_PORT"] == "5432"
    assert found["MY_DB_PORT_5432_TCP"] == found["MY_DB_PORT"] == "tcp://10.96.0.9:5432"
    assert found["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert not any(name.startswith(("HEADLESS", "FAR")) for name in found)
    assert {n.split("_")[0] for n in serviceenv.of_pod(pod(enableServiceLinks=False), services)} == {"KUBERNETES"}
