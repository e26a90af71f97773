"""A little world in which any controllers' plans run to a fixed point, one step at a time. Pure: time and chance are
the test's.

Rule 1: caches lag behind the objects: that they see the next change is a step of its own, as a plan is, as a pod's
        becoming ready is. ``run`` lets the test choose each next step, so that every order can be tried.
Rule 2: as in the real runner a key is planned again only when the caches have seen what its last plan wrote, a conflict
        or a refusal puts the key back, and what is true already is no failure.
Rule 3: ``checks`` look at the world after every single write.
Neighbours: ``objects.py`` is its API; ``control/runner.py`` and ``control/perform.py`` are what this stands for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Protocol, TypeAlias

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
from pybernetes.control.controller import Controller, Key
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.objects import Api, Change, Objects

START: Final = 1_700_000_000.0
STEPS_MAX: Final = 20_000
Step: TypeAlias = Callable[[], object]
Choose: TypeAlias = Callable[[int], int]
"""How many steps are possible → which of them is next."""
_Turn: TypeAlias = tuple[int, Key]
"""A controller by its place, and a key of it."""


class Life(Protocol):
    """What happens in a world by itself: nodes that start and end pods, for one."""

    def steps(self, world: World) -> Iterable[Step]: ...


class World:
    def __init__(self, controllers: Sequence[Controller], lives: Sequence[Life] = ()) -> None:
        self.now = START
        self.api = Api(lambda: self.now, self._changed)
        self.seen = Objects()
        """What the caches hold."""
        self.events: list[Event] = []
        self.checks: list[Callable[[], None]] = []
        self._controllers, self._lives = controllers, lives
        self._unseen: deque[Change] = deque()
        self._seen_revision = 0
        self._queue: dict[_Turn, None] = {}
        self._expected: dict[_Turn, int] = {}
        self._later: dict[_Turn, float] = {}

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────

    def run(self, choose: Choose = lambda count: 0, *, seconds: float = 0) -> None:
        """Take steps until none is left, letting up to ``seconds`` pass where only time helps.

        Raises AssertionError where no fixed point is reached.
        """
        end = self.now + seconds
        for _ in range(STEPS_MAX):
            steps = self.steps()
            if steps:
                steps[choose(len(steps))]()
            elif not self._pass_time(end):
                return
        raise AssertionError(f"no fixed point after {STEPS_MAX} steps")

    def steps(self) -> list[Step]:
        """All that could happen next."""
        found: list[Step] = [self._see] if self._unseen else []
        found += [partial(self._plan, *turn) for turn in self._queue if self._may(turn)]
        return found + [step for life in self._lives for step in life.steps(self)]

    def _may(self, turn: _Turn) -> bool:
        return self._expected.get(turn, 0) <= self._seen_revision

    def _pass_time(self, end: float) -> bool:
        due = min(self._later.values(), default=end + 1)
        if due > end:
            return False
        self.now = max(self.now, due)
        for turn in [turn for turn, moment in self._later.items() if moment <= self.now]:
            del self._later[turn]
            self._queue[turn] = None
        return True

    def _changed(self, change: Change) -> None:
        self._unseen.append(change)
        for check in self.checks:
            check()

    def _see(self) -> None:
        """The caches see the next change, and whoever cares is woken."""
        change = self._unseen.popleft()
        self._seen_revision = change.revision
        if change.new is not None:
            self.seen.put(change.resource, change.new)
        elif change.old is not None:
            self.seen.remove(change.resource, change.old)
        for place, controller in enumerate(self._controllers):
            for row in controller.inputs:
                if row.resource == change.resource:
                    self._queue.update(((place, key), None) for key in row.keys(self.seen, change.old, change.new))

    # ── plans ────────────────────────────────────────────────────────────────────────────────────────────

    def _plan(self, place: int, key: Key) -> None:
        turn = place, key
        del self._queue[turn]
        self._later.pop(turn, None)
        try:
            self._perform_all(turn, self._controllers[place].plan(self.seen, key, self.now))
        except errors.ApiError:
            self._queue[turn] = None

    def _perform_all(self, turn: _Turn, plan: Plan) -> None:
        for action in plan:
            if isinstance(action, Event):
                self.events.append(action)
            elif isinstance(action, After):
                self._later[turn] = min(self._later.get(turn, float("inf")), self.now + action.seconds)
            elif isinstance(action, Ask):
                self._perform_all(turn, action.then([self._answer(each) for each in action.questions]))
            else:
                self._attempt(turn, action)

    def _attempt(self, turn: _Turn, action: Create | Update | Patch | Delete) -> None:
        try:
            answer = self._write(action)
        except errors.ApiError as error:
            if not _is_done(action, error):
                self._tell_failure(action, error)
                raise
            return
        self._expected[turn] = self.api.revision
        if action.event is not None:
            self._emit(action.event, "{name}", objects.name(answer))

    def _write(self, action: Create | Update | Patch | Delete) -> Obj:
        if isinstance(action, Create):
            return self.api.create(action.resource, action.obj)
        if isinstance(action, Update):
            return self.api.update(action.resource, action.obj, action.subresource)
        if isinstance(action, Patch):
            return self.api.patch(action.resource, action.namespace, action.name, action.patch, action.kind)
        return self.api.delete(
            action.resource, action.namespace, action.name, uid=action.uid, propagation=action.propagation,
            grace_period_seconds=action.grace_period_seconds,
        )  # fmt: skip

    def _tell_failure(self, action: Action, error: errors.ApiError) -> None:
        if isinstance(action, Create | Delete) and action.failure_event is not None:
            self._emit(action.failure_event, "{error}", error.message)

    def _answer(self, question: Question) -> Answer:
        if isinstance(question, Get):
            return self.api.objects.get(question.resource, question.namespace, question.name)
        if isinstance(question, Look | Review):
            return errors.NotFound("the server could not find the requested resource")
        for obj in self.api.objects.list(question.resource, question.namespace):
            self.api.delete(question.resource, question.namespace, objects.name(obj))
        return {"items": self.api.objects.list(question.resource, question.namespace)}

    def _emit(self, event: Event, placeholder: str, value: str) -> None:
        self.events.append(replace(event, message=event.message.replace(placeholder, value)))


def _is_done(action: Action, error: errors.ApiError) -> bool:
    if isinstance(action, Create):
        return action.ok_if_exists and isinstance(error, errors.AlreadyExists)
    if isinstance(action, Patch):
        return action.ok_if_missing and isinstance(error, errors.NotFound | errors.Conflict)
    return isinstance(action, Delete) and isinstance(error, errors.NotFound | errors.Conflict)
