"""Nothing is written into a namespace that is not there, and nothing new into one that ends."""

from __future__ import annotations

import pytest

from pybernetes.meta import errors
from pybernetes.server.admission.attributes import Attributes
from pybernetes.server.admission.table import Admission

from ..build import Cluster, named


async def cluster() -> Cluster:
    made = Cluster()
    await made.namespace("here", phase="Active")
    await made.namespace("ending", phase="Terminating")
    return made


async def admit(made: Cluster, write: Attributes) -> None:
    await Admission(made.world).admit(write)


async def test_a_missing_namespace_is_named() -> None:
    made = await cluster()
    with pytest.raises(errors.NotFound, match=r'^namespaces "gone" not found$'):
        await admit(made, made.write("create", "configmaps", named("c", "gone")))
    await admit(made, made.write("create", "configmaps", named("c", "here")))
    await admit(made, made.write("create", "nodes", named("n")))


async def test_nothing_new_comes_into_a_namespace_that_ends() -> None:
    made = await cluster()
    with pytest.raises(errors.Forbidden) as refused:
        await admit(
            made, made.write("create", "configmaps", {"metadata": {"generateName": "c-", "namespace": "ending"}})
        )
    assert refused.value.message == (
        'configmaps "c-" is forbidden: unable to create new content in namespace ending because it is being terminated'
    )
    (cause,) = refused.value.causes
    assert (cause.reason, cause.field) == ("NamespaceTerminating", "metadata.namespace")
    await admit(made, made.write("update", "configmaps", named("c", "ending"), old=named("c", "ending")))
    await admit(made, made.write("delete", "configmaps", None, namespace="ending", name="c"))


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
async def test_the_clusters_own_namespaces_stay(name: str) -> None:
    made = await cluster()
    with pytest.raises(errors.Forbidden, match=f'namespaces "{name}" is forbidden: this namespace may not be deleted'):
        await admit(made, made.write("delete", "namespaces", None, namespace=name, name=name))
