from __future__ import annotations

from pybernetes.node.references import Need, needs

from .build import main, pod


def test_everything_that_a_pod_names_is_needed() -> None:
    container = main(
        envFrom=[{"configMapRef": {"name": "m1"}}, {"secretRef": {"name": "s1"}}],
        env=[
            {"name": "A", "value": "1"},
            {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "m2", "key": "k"}}},
            {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s2", "key": "k"}}},
            {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
    )
    volumes = [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "configMap": {"name": "m3"}},
        {"name": "c", "secret": {"secretName": "s3"}},
        {"name": "d", "projected": {"sources": [{"configMap": {"name": "m4"}}, {"secret": {"name": "s4"}}]}},
    ]
    init = main("i", envFrom=[{"configMapRef": {"name": "m5"}}])
    obj = pod(container, inits=(init,), volumes=volumes, imagePullSecrets=[{"name": "s5"}])
    assert needs(obj) == {
        *(Need("configmaps", "ns", f"m{n}") for n in range(1, 6)),
        *(Need("secrets", "ns", f"s{n}") for n in range(1, 6)),
    }
