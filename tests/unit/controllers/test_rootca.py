from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import Create, Update
from pybernetes.control.controller import Key
from pybernetes.controllers import rootca
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build

ROW = rootca.controller("PEM")


def plan(*maps: Obj, phase: str = "Active") -> list[Any]:
    shop = {"metadata": {"name": "shop"}, "status": {"phase": phase}}
    return list(ROW.plan(build.Snapshot(namespaces=[shop], configmaps=maps), Key("", "shop"), build.NOW))


def published() -> Obj:
    (create,) = plan()
    assert isinstance(create, Create)
    return create.obj


def test_an_active_namespace_gets_the_ca_once() -> None:
    made = published()
    assert made["metadata"]["name"] == "kube-root-ca.crt"
    assert made["data"] == {"ca.crt": "PEM"}
    assert made["metadata"]["annotations"]["kubernetes.io/description"].startswith("Contains a CA bundle")
    assert plan(made) == []
    assert plan(phase="Terminating") == []


@pytest.mark.parametrize("path, value", [(("data",), {"ca.crt": "forged"}), (("metadata", "annotations"), {})])
def test_what_was_changed_is_put_right_and_the_rest_is_left(path: tuple[str, ...], value: Any) -> None:
    marked = objects.evolve(published(), ("metadata", "labels"), {"mine": "yes"})
    (update,) = plan(objects.evolve(marked, path, value))
    assert isinstance(update, Update)
    assert update.obj == marked
