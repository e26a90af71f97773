"""Admission: what the cluster itself adds to a write, and what it refuses. One table, in upstream's order.

Rule 1: ``admit`` of all plugins runs first and may change the object; ``validate`` runs when the object is final.
Rule 2: what webhooks and policies have changed the others see in a second round, and there is no third.
Rule 3: which plugins care about a resource is looked up once; a write that concerns none costs a dictionary's look-up.
Neighbours: ``plugin.py`` says what a plugin is; a file beside this one holds each family. LimitRanger goes before
ServiceAccount and ResourceQuota at the end, since it counts what all others have made of the object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.server.admission import (
    certificates,
    ingressclass,
    lifecycle,
    limitranger,
    noderestriction,
    nodetaint,
    podsecurity,
    podtopology,
    priority,
    resourcequota,
    runtimeclass,
    serviceaccount,
    storage,
    tolerations,
)
from pybernetes.server.admission.attributes import Attributes
from pybernetes.server.admission.dynamic import mutating, policymutating, policyvalidating, validating
from pybernetes.server.admission.plugin import Judge, Plugin, World
from pybernetes.server.authz import escalation

PLUGINS: Final[tuple[Plugin, ...]] = (
    lifecycle.PLUGIN,
    limitranger.PODS,
    limitranger.RESIZES,
    limitranger.CLAIMS,
    serviceaccount.PLUGIN,
    *noderestriction.PLUGINS,
    nodetaint.PLUGIN,
    podsecurity.PODS,
    podsecurity.TEMPLATES,
    podsecurity.NAMESPACES,
    priority.PODS,
    priority.CLASSES,
    tolerations.PLUGIN,
    storage.DEFAULT_CLASS,
    storage.PROTECTION,
    storage.RESIZE,
    runtimeclass.PLUGIN,
    certificates.APPROVAL,
    certificates.SIGNING,
    certificates.SUBJECT,
    ingressclass.PLUGIN,
    podtopology.PLUGIN,
    escalation.PLUGIN,
    policymutating.PLUGIN,
    mutating.PLUGIN,
    policyvalidating.PLUGIN,
    validating.PLUGIN,
    resourcequota.PLUGIN,
)


class Admission:
    """The plugins at work; the registry calls ``admit`` and ``validate`` for every write."""

    def __init__(self, world: World, plugins: Sequence[Plugin] = PLUGINS) -> None:
        self._world, self._plugins = world, tuple(plugins)
        self._found: dict[tuple[str, str, str], tuple[tuple[Judge, ...], tuple[Judge, ...]]] = {}

    async def admit(self, a: Attributes) -> None:
        """Let plugins change ``a.obj`` in place. Raises ApiError."""
        judges = self._judges(a)[0]
        for judge in judges:
            await judge(self._world, a)
        if a.rounds is not None and a.rounds.wants_second:
            a.rounds.is_second = True
            for judge in judges:
                await judge(self._world, a)

    async def validate(self, a: Attributes) -> None:
        """Let plugins judge the final ``a.obj``. Raises ApiError."""
        for judge in self._judges(a)[1]:
            await judge(self._world, a)

    def _judges(self, a: Attributes) -> tuple[tuple[Judge, ...], tuple[Judge, ...]]:
        key = (a.kind.resource, a.subresource, a.verb)
        found = self._found.get(key)
        if found is None:
            caring = [plugin for plugin in self._plugins if plugin.cares(*key)]
            found = self._found[key] = (
                tuple(plugin.admit for plugin in caring if plugin.admit is not None),
                tuple(plugin.validate for plugin in caring if plugin.validate is not None),
            )
        return found
