"""Everything that keeps a cluster as its objects say, started on an API server in this process.

Rule: each component is a client under the name that upstream gives it, so RBAC judges it as it judges everybody; they
share one set of informers. What was started last ends first.
Neighbours: ``control_plane.py`` composes this for a machine, ``testing/cluster.py`` for a test; ``elected.py`` is the
same where several control planes share a store.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from pybernetes.cluster import bootstrap, roles
from pybernetes.control.controller import Controller
from pybernetes.control.leader import Elector
from pybernetes.control.runner import Manager
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.tasks import Tasks
from pybernetes.server.api import Api
from pybernetes.server.authz import bootstrap as authorization
from pybernetes.server.context import User
from pybernetes.server.flow import bootstrap as flow

if TYPE_CHECKING:
    from pybernetes.node.simulated.nodes import SimulatedNodes

API_SERVER: Final = User("system:apiserver", groups=("system:masters",))
CONTROLLER_MANAGER: Final = User("system:kube-controller-manager")
SCHEDULER: Final = User("system:kube-scheduler")
SIMULATED_NODES: Final = User("system:simulated-nodes", groups=("system:nodes",))
"""For all of them, so it is named like none: a node's agent may only touch what is its own."""
_ACCOUNT_GROUPS: Final = ("system:serviceaccounts", f"system:serviceaccounts:{roles.NAMESPACE}")


async def furnish(api: Api, controllers: Sequence[Controller], address: str, port: int) -> None:
    """Make sure of the objects that every cluster holds."""
    await furnish_api(api, address, port)
    await furnish_controllers(api, controllers)


async def furnish_api(api: Api, address: str, port: int) -> None:
    """What has to be there before the API is ready; see ``bootstrap.ensure``."""
    await bootstrap.ensure(api.client(API_SERVER), address, port, [*authorization.objects(), *flow.objects()])
    await api.remotes.announce()


async def furnish_controllers(api: Api, controllers: Sequence[Controller]) -> None:
    """What has to be there before controllers work: their accounts and what these may do."""
    await bootstrap.create_all(api.client(API_SERVER), roles.bootstrap_objects(controllers))


async def start(
    api: Api, controllers: Sequence[Controller], clock: Clock, entropy: Entropy, stack: AsyncExitStack, *,
    simulated: Sequence[str], pod_cidr: Callable[[str], str],
) -> Manager:  # fmt: skip
    """Controllers, scheduler and simulated nodes; ``stack`` ends them. ``pod_cidr`` tells a simulated node's pod
    network. Returns when controllers know their inputs and the nodes are registered."""
    manager = controllers_of(api, controllers, clock, entropy, stack)
    start_scheduler(api, manager, clock, entropy, stack)
    background = Tasks()
    stack.push_async_callback(background.stop)
    for user, name in ((CONTROLLER_MANAGER, "kube-controller-manager"), (SCHEDULER, "kube-scheduler")):
        elector = Elector(api.client(user, name), clock, name, platform.node())
        background.start(elector.run(asyncio.Event().wait), f"lease of {name}")
    nodes = simulated_of(api, manager, clock, entropy, stack, simulated, pod_cidr)
    await asyncio.gather(manager.start(), nodes.start())
    return manager


def controllers_of(
    api: Api, controllers: Sequence[Controller], clock: Clock, entropy: Entropy, stack: AsyncExitStack
) -> Manager:
    """A manager of these controllers, each under its own name; not started yet."""
    manager = Manager(api.client(CONTROLLER_MANAGER), clock, entropy)
    stack.push_async_callback(manager.stop)
    for row in controllers:
        manager.add(row, api.client(User(roles.user_name(row), groups=_ACCOUNT_GROUPS), row.name))
    return manager


def start_scheduler(api: Api, manager: Manager, clock: Clock, entropy: Entropy, stack: AsyncExitStack) -> None:
    """Place pods by what ``manager``'s informers tell."""
    # numpy comes with the scheduler: the API is ready before it has been read in
    from pybernetes.scheduler.scheduler import Scheduler

    scheduler = Scheduler(api.client(SCHEDULER, "kube-scheduler"), manager, clock, entropy)
    background = Tasks()
    stack.push_async_callback(background.stop)
    background.start(scheduler.run(), "scheduler")
    stack.push_async_callback(scheduler.stop)


def simulated_of(  # noqa: PLR0917
    api: Api, manager: Manager, clock: Clock, entropy: Entropy, stack: AsyncExitStack,
    names: Sequence[str], pod_cidr: Callable[[str], str],
) -> SimulatedNodes:  # fmt: skip
    """The simulated nodes of these names, and those that say so of themselves; not started yet."""
    from pybernetes.node.simulated.nodes import SimulatedNodes

    nodes = SimulatedNodes(api.client(SIMULATED_NODES, "kubelet"), manager, clock, entropy, names, pod_cidr)
    stack.push_async_callback(nodes.stop)
    return nodes
