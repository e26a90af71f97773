"""Simulated nodes: registered, kept alive, and the pods bound to them taken from stage to stage.

Theory of operation. One pods informer, shared with everybody, tells of changes in batches; a pod of ours for which
``stages.next_step`` knows a step becomes work, and a few hands write statuses and deletions side by side. A status
goes out with the resourceVersion it was made from: where somebody was faster it is refused, and the change that
made it so brings the pod here again. What was there before a restart comes with the informer's first list.
Neighbours: ``stages.py``, ``podstatus.py``, ``nodestatus.py`` decide; ``leases.py`` renews.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from pybernetes.client.client import Client
from pybernetes.control.cache import Delta
from pybernetes.control.runner import Manager
from pybernetes.lib import log
from pybernetes.lib.clock import Clock, Timer
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec
from pybernetes.node.simulated import nodestatus, podstatus, stages
from pybernetes.node.simulated.addresses import Addresses
from pybernetes.node.simulated.leases import Leases
from pybernetes.node.simulated.work import Work

_AGAIN_SECONDS: Final = 1.0
"""Pause before a step that the API refused is tried again."""
_log = log.Log("node.simulated")
_Key: TypeAlias = tuple[str, str]


class SimulatedNodes:
    """Nodes of these ``names``; ``pod_cidr`` tells each one's pod network (IPv4), whose first address is the node's.

    Beside them all that others make with the label ``pybernetes.io/simulated``, of whatever size they say they are.
    """

    def __init__(  # noqa: PLR0917
        self, client: Client, manager: Manager, clock: Clock, entropy: Entropy, names: Sequence[str],
        pod_cidr: Callable[[str], str],
    ) -> None:  # fmt: skip
        self._client, self._clock, self._entropy = client, clock, entropy
        self._cidr = pod_cidr
        self._addresses = {name: Addresses(pod_cidr(name)) for name in names}
        self._tasks = Tasks()
        self._pods, self._nodes = manager.informer("pods"), manager.informer("nodes")
        self._pod_work: Work[_Key] = Work("simulated pod", self._tasks, self._step)
        self._registration: Work[str] = Work("simulated registration", self._tasks, self._create)
        self._node_work: Work[str] = Work("simulated node", self._tasks, self._put_right)
        self._leases = Leases(client, clock, self._tasks, names)
        self._unsaid: dict[str, str] = {}
        """Pod uid → the address that it was given and that the informer has not told of yet."""
        self._later: dict[_Key, Timer] = {}
        """Pods whose next step has its time."""
        self._unsubscribe: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Return when all nodes are registered; from then on pods are served."""
        for informer, changed in ((self._nodes, self._nodes_changed), (self._pods, self._pods_changed)):
            self._unsubscribe.append(informer.subscribe(changed))
            await informer.synced()
        await self._register()
        self._leases.start()

    async def stop(self) -> None:
        """End at once; nodes and pods stay as they are."""
        self._leases.stop()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        for timer in self._later.values():
            timer.cancel()
        await self._tasks.stop()

    # ── nodes ────────────────────────────────────────────────────────────────────────────────────────────

    async def _register(self) -> None:
        for name in self._addresses:
            if self._nodes.cache.get("", name) is None:
                self._registration.add(name)
        await self._registration.done()

    async def _create(self, name: str) -> None:
        node = nodestatus.node(
            name, self._addresses[name].gateway, self._cidr(name), self._entropy.uid(), self._clock.time()
        )
        try:
            await self._client.create("nodes", node)
        except errors.AlreadyExists:
            return
        except errors.ApiError as error:
            self._failed("a node could not be registered", error, name, lambda: self._registration.add(name))

    def _nodes_changed(self, deltas: Sequence[Delta]) -> None:
        for old, node in deltas:
            if node is None:
                self._forget(objects.name(old or {}))
                continue
            self._adopt(node)
            if objects.name(node) in self._addresses and not nodestatus.is_right(node):
                self._node_work.add(objects.name(node))

    def _adopt(self, node: Obj) -> None:
        """A node that somebody else made and that says it is simulated is ours once it has a pod network."""
        name, cidr = objects.name(node), objects.get(node, "spec", "podCIDR")
        if name in self._addresses or not cidr or not nodestatus.is_simulated(node):
            return
        self._addresses[name] = Addresses(cidr)
        self._leases.add(name)
        waiting = [pod for pod in self._pods.cache.list() if objects.get(pod, "spec", "nodeName") == name]
        self._pods_changed([(None, pod) for pod in waiting])

    def _forget(self, name: str) -> None:
        if self._addresses.pop(name, None) is not None:
            self._leases.discard(name)

    async def _put_right(self, name: str) -> None:
        """Somebody (the node lifecycle controller, after an outage) took the node for lost: say that it is not; or gave
        it a resource: say that pods may have it."""
        node = self._nodes.cache.get("", name)
        if node is None or nodestatus.is_right(node):
            return
        addresses = self._addresses.get(name)
        if addresses is None:
            return
        status = nodestatus.completed(node, addresses.gateway, self._entropy.uid(), self._clock.time())
        try:
            await self._client.patch("nodes", name, _patch(node, status), subresource="status")
        except (errors.NotFound, errors.Conflict):
            return
        except errors.ApiError as error:
            self._failed("a node's status was refused", error, name, lambda: self._node_work.add(name))
        else:
            await self._make_ready_again(name)

    async def _make_ready_again(self, name: str) -> None:
        """What was said of the node's pods while it was taken for lost is taken back."""
        for pod in self._pods.cache.list():
            if objects.get(pod, "spec", "nodeName") == name and podstatus.was_marked(pod):
                status = podstatus.ready_again(pod, self._clock.time())
                try:
                    await self._tell(pod, status)
                except (errors.NotFound, errors.Conflict):
                    continue  # somebody knows something newer of the pod

    # ── pods ─────────────────────────────────────────────────────────────────────────────────────────────

    def _pods_changed(self, deltas: Sequence[Delta]) -> None:
        for old, new in deltas:
            if old is not None and (new is None or objects.uid(old) != objects.uid(new)):
                self._gone(old)
            if new is not None and (addresses := self._addresses_of(new)) is not None:
                if (address := objects.get(new, "status", "podIP")) is not None:
                    addresses.claim(address)
                    self._unsaid.pop(objects.uid(new), None)
                if stages.next_step(new) is not None:
                    self._pod_work.add((objects.namespace(new), objects.name(new)))

    def _addresses_of(self, pod: Obj) -> Addresses | None:
        return self._addresses.get(objects.get(pod, "spec", "nodeName", default=""))

    def _gone(self, pod: Obj) -> None:
        if (timer := self._later.pop((objects.namespace(pod), objects.name(pod)), None)) is not None:
            timer.cancel()
        addresses = self._addresses_of(pod)
        if addresses is not None:
            address = self._unsaid.pop(objects.uid(pod), None) or objects.get(pod, "status", "podIP")
            if address is not None:
                addresses.release(address)

    async def _step(self, key: _Key) -> None:
        pod = self._pods.cache.get(*key)
        addresses = self._addresses_of(pod) if pod is not None else None
        if pod is None or addresses is None or self._must_wait(key, pod):
            return
        try:
            await self._perform(pod, addresses)
        except (errors.NotFound, errors.Conflict):
            return  # there is something newer, of which the informer will tell
        except errors.ApiError as error:
            self._failed("a pod's step was refused", error, "/".join(key), lambda: self._pod_work.add(key))

    def _must_wait(self, key: _Key, pod: Obj) -> bool:
        """Is the pod's next step not due yet? It is taken when it is."""
        if (timer := self._later.pop(key, None)) is not None:
            timer.cancel()
        wait = stages.wait_seconds(pod, self._clock.time())
        if 0 < wait < float("inf"):
            self._later[key] = self._clock.call_later(wait, lambda: self._pod_work.add(key))
        return wait > 0

    async def _perform(self, pod: Obj, addresses: Addresses) -> None:
        now = self._clock.time()
        match stages.next_step(pod):
            case "delete":
                await self._client.delete(
                    "pods", objects.name(pod), objects.namespace(pod), uid=objects.uid(pod), grace_period_seconds=0
                )
            case "run":
                address = self._address(pod, addresses)
                await self._tell(pod, podstatus.running(pod, addresses.gateway, address, now))
            case "complete":
                await self._tell(pod, podstatus.completed(pod, now))

    def _address(self, pod: Obj, addresses: Addresses) -> str:
        if podspec.host_network(pod):
            return addresses.gateway
        uid = objects.uid(pod)
        found = self._unsaid.get(uid) or objects.get(pod, "status", "podIP") or addresses.take()
        if found is None:
            raise errors.ServiceUnavailable("all addresses of the node's pod network are taken")
        self._unsaid[uid] = str(found)
        return str(found)

    async def _tell(self, pod: Obj, status: Obj) -> None:
        await self._client.patch(
            "pods", objects.name(pod), _patch(pod, status), namespace=objects.namespace(pod), subresource="status"
        )

    def _failed(self, what: str, error: errors.ApiError, name: str, again: Callable[[], None]) -> None:
        _log.warning(what, name=name, why=error)
        self._clock.call_later(_AGAIN_SECONDS, again)


def _patch(obj: Obj, status: Obj) -> Obj:
    """A merge patch of the status that is refused where the object has changed since."""
    return {"metadata": {"resourceVersion": objects.meta(obj).get("resourceVersion")}, "status": status}
