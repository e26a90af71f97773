"""The only place where controllers write: carries out what a plan asks for.

Rule 1: actions happen in order and stop at the first failure, which is raised; ``Written`` notes what was written.
Rule 2: neighbouring actions of one sort (five hundred creations) happen together in groups of 1, 2, 4 … 128; all
        of a group are tried, and a group in which one failed is the last. So a template that the API refuses costs
        one attempt, and one that it takes costs nine turns and not five hundred.
Rule 3: what is true already is no failure: see ``_is_done``.
Neighbours: ``actions.py`` is the vocabulary, ``events.py`` tells the events, ``worker.py`` calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from pybernetes.client.client import Client
from pybernetes.control.actions import (
    Action,
    After,
    Answer,
    Ask,
    Create,
    Delete,
    Event,
    Get,
    Look,
    Patch,
    Plan,
    Question,
    Review,
    Update,
)
from pybernetes.control.events import Recorder
from pybernetes.control.expectations import Written
from pybernetes.lib import log
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj

GROUP_MAX: Final = 128
TERMINATING: Final = "NamespaceTerminating"
"""The cause of a refusal to create in a namespace that is being deleted."""

Write: TypeAlias = Create | Update | Patch | Delete
_log = log.Log("control.perform")


class Performer:
    def __init__(self, client: Client, recorder: Recorder) -> None:
        self._client, self._recorder = client, recorder

    async def perform(self, plan: Plan, written: Written) -> float | None:
        """Carry out a plan; answers in how many seconds the key shall be planned again, if the plan says so.

        Raises the ApiError of the first action that failed.
        """
        waits: list[float] = []
        for group in grouped(plan):
            first = group[0]
            if isinstance(first, After):
                waits.append(first.seconds)
            elif isinstance(first, Event):
                self._recorder.emit(first)
            elif isinstance(first, Ask):
                answers = await asyncio.gather(*map(self._answer, first.questions))
                wait = await self.perform(first.then(answers), written)
                waits += [] if wait is None else [wait]
            else:
                await self._together(group, written)
        return min(waits, default=None)

    async def _together(self, group: Sequence[Any], written: Written) -> None:
        if len(group) == 1:
            failures = [await self._attempt(group[0], written)]
        else:
            failures = await asyncio.gather(*(self._attempt(action, written) for action in group))
        for action, error in zip(group, failures, strict=True):
            if error is not None:
                await self._tell_failure(action, error, written)
                raise error

    async def _attempt(self, action: Write, written: Written) -> errors.ApiError | None:
        """Carry out one action and tell of it."""
        try:
            answer = await self._write(action)
        except errors.ApiError as error:
            if _is_done(action, error):
                return None
            if isinstance(action, Create | Delete) and action.failure_event is not None:
                self._emit(action.failure_event, "{error}", error.message)
            return error
        _note(action, answer, written)
        if action.event is not None:
            self._emit(action.event, "{name}", objects.name(answer))
        return None

    async def _write(self, action: Write) -> Obj:
        client = self._client
        if isinstance(action, Create):
            return await client.create(action.resource, action.obj, parent=action.name, subresource=action.subresource)
        if isinstance(action, Update):
            return await client.update(action.resource, action.obj, subresource=action.subresource)
        if isinstance(action, Patch):
            return await client.patch(
                action.resource, action.name, action.patch, kind=action.kind, namespace=action.namespace,
                subresource=action.subresource, force=action.kind == "apply",
            )  # fmt: skip
        return await client.delete(
            action.resource, action.name, action.namespace, uid=action.uid, resource_version=action.resource_version,
            propagation=action.propagation, grace_period_seconds=action.grace_period_seconds,
        )  # fmt: skip

    async def _tell_failure(self, action: Write, error: errors.ApiError, written: Written) -> None:
        """Write what the plan wants to be written should the API refuse; that this fails too changes nothing."""
        if not isinstance(action, Create | Delete) or action.on_failure is None:
            return
        update = replace(action.on_failure, obj=with_error(action.on_failure.obj, error.message))
        failed = await self._attempt(update, written)
        if failed is not None:
            _log.debug("a failure could not be written down", reason=failed.message)

    async def _answer(self, question: Question) -> Answer:
        try:
            if isinstance(question, Get):
                return await self._client.find(question.resource, question.name, question.namespace)
            if isinstance(question, Look):
                return await self._client.look(question.path, question.query)
            if isinstance(question, Review):
                return await self._client.create(question.resource, question.obj)
            return await self._emptied(question.resource, question.namespace)
        except errors.ApiError as error:
            return error

    async def _emptied(self, resource: str, namespace: str) -> Obj:
        """Delete all there is; the list of what stays."""
        found = await self._client.list(resource, namespace)
        if not found.get("items"):
            return found
        if "deletecollection" in self._client.kind(resource).verbs:
            await self._client.delete_collection(resource, namespace)
        else:
            for obj in found["items"]:
                await self._write(Delete(resource, namespace, objects.name(obj), uid=objects.uid(obj)))
        return await self._client.list(resource, namespace)

    def _emit(self, event: Event, placeholder: str, value: str) -> None:
        self._recorder.emit(replace(event, message=event.message.replace(placeholder, value)))


def grouped(plan: Iterable[Action]) -> Iterator[Sequence[Action]]:
    """The plan in groups that may happen together; all but neighbouring writes of one sort stand alone."""
    group: list[Action] = []
    size, seen = 1, set[Any]()
    for action in plan:
        alike = bool(group) and _sort(action) == _sort(group[0]) is not None and _target(action) not in seen
        if group and (not alike or len(group) >= size):
            yield group
            size = min(size * 2, GROUP_MAX) if alike else 1
            group, seen = [], set()
        group.append(action)
        seen.add(_target(action))
    if group:
        yield group


def _sort(action: Action) -> tuple[type, str, str] | None:
    if isinstance(action, Create | Patch):
        return type(action), action.resource, action.subresource
    return (Delete, action.resource, "") if isinstance(action, Delete) else None


def _target(action: Action) -> Any:
    """What a write changes; every creation has a target of its own."""
    return (action.namespace, action.name) if isinstance(action, Patch | Delete) else id(action)


def _is_done(action: Write, error: errors.ApiError) -> bool:
    """Is the refusal no failure: the wish is fulfilled already, or can never be?"""
    if isinstance(action, Create):
        exists = action.ok_if_exists and isinstance(error, errors.AlreadyExists)
        return exists or any(cause.reason == TERMINATING for cause in error.causes)
    if isinstance(action, Patch):
        return action.ok_if_missing and (isinstance(error, errors.NotFound) or _is_another(error))
    if isinstance(action, Delete):
        another = _is_another(error) or (action.uid and not action.resource_version)
        return isinstance(error, errors.NotFound) or bool(isinstance(error, errors.Conflict) and another)
    return False


def _is_another(error: errors.ApiError) -> bool:
    """Has another object taken the name? Only the sentence tells a wrong uid from a wrong resourceVersion."""
    told = ("UID in precondition", "UID in the precondition")  # at the store's door and at the registry's
    return isinstance(error, errors.Conflict) and any(words in error.message for words in told)


def _note(action: Write, answer: Obj, written: Written) -> None:
    if isinstance(action, Delete):
        uid = action.uid or objects.uid(answer) or objects.get(answer, "details", "uid", default="")
        written.deleted(action.resource, action.namespace, action.name, uid)
    else:
        written.changed(action.resource, answer)


def with_error(obj: Obj, error: str) -> Obj:
    """``obj`` with the refusal in place of ``{error}`` in its conditions' messages."""
    conditions = [
        {**c, "message": str(c.get("message", "")).replace("{error}", error)}
        for c in objects.get(obj, "status", "conditions", default=[])
    ]
    return objects.evolve(obj, ("status", "conditions"), conditions) if conditions else obj
