"""All built-in rows, group by group, in the order in which discovery tells of the groups (kube-apiserver's priorities).

Rule: within a group the first version of a resource is the preferred one.
Neighbours: ``table.py`` builds the table from ``GROUPS``; each row file names the strategies and columns of its kinds.
"""

from __future__ import annotations

from typing import Final

from pybernetes.kinds import (
    apps,
    autoscaling,
    batch,
    core,
    events,
    extension,
    identity,
    networking,
    policy,
    rbac,
    storage,
)
from pybernetes.kinds.kind import Kind

GROUPS: Final[tuple[tuple[Kind, ...], ...]] = (
    core.KINDS,
    extension.APIREGISTRATION,
    apps.KINDS,
    events.KINDS,
    identity.AUTHENTICATION,
    identity.AUTHORIZATION,
    autoscaling.KINDS,
    batch.KINDS,
    identity.CERTIFICATES,
    networking.NETWORKING,
    policy.POLICY,
    rbac.KINDS,
    storage.KINDS,
    extension.ADMISSION,
    extension.APIEXTENSIONS,
    policy.SCHEDULING,
    policy.COORDINATION,
    policy.NODE,
    networking.DISCOVERY,
    policy.RESOURCE,
    extension.FLOWCONTROL,
)
