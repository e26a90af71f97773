"""Watch events as bytes: a line of JSON, or a protobuf frame, around an object in the form that the watcher wants.

Rule: a frame that depends on nothing but the event and the form is made once and shared by all watchers of that form;
only Tables, which tell ages, are made for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from pybernetes.kinds.kind import Kind
from pybernetes.meta import protobuf
from pybernetes.meta.objects import Obj
from pybernetes.server import negotiate
from pybernetes.server.negotiate import Answer, Format
from pybernetes.server.registry import encode, tables
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.encode import Stored
from pybernetes.server.registry.events import ERROR, Event
from pybernetes.storage import codec


@dataclass(frozen=True, slots=True)
class Frames:
    call: Call
    answer: Answer
    spliced: bool
    """Are stored bytes used as they are?"""

    @classmethod
    def of(cls, call: Call) -> Frames:
        """The form that the caller wants. Raises NotAcceptable."""
        shapes = (negotiate.TABLE, negotiate.PARTIAL)
        formats: Sequence[Format] = ("json",) if call.kind.custom else ("json", "protobuf")
        answer = negotiate.accepted(call.request, shapes=shapes, formats=formats)
        answer = Answer(answer.format, answer.shape, answer.version)
        return cls(call, answer, encode.is_spliced(call.kind, answer))

    def event(self, event: Event, type_: str) -> bytes:
        if self.answer.shape == negotiate.TABLE:
            return self.object(type_, self.call.asked_form(event.shown(type_)))
        form = (type_, self.answer, self.call.kind.api_version)
        made = event.frames.get(form)
        if made is None:
            if self.spliced:
                made = _line(type_, event.json(type_))
            else:
                made = self.object(type_, self.call.asked_form(event.shown(type_)))
            event.frames[form] = made
        return made

    def stored(self, type_: str, what: Stored) -> bytes:
        """A frame around an object of the initial state."""
        if self.spliced:
            return _line(type_, codec.splice(what.value, what.revision))
        decoded = self.call.context.decoded
        return self.object(type_, self.call.asked_form(decoded.value(what.value, what.revision)))

    def object(self, type_: str, obj: Obj) -> bytes:
        """A frame around an object of the asked row, or around a Status for an ERROR."""
        shown = obj
        if type_ != ERROR:
            shown = tables.shaped(self.call.kind, obj, encode.view(self.call, self.answer))
        if self.answer.format == "protobuf":
            from pybernetes.kinds import schemas

            return protobuf.encode_watch_event(type_, shown, schemas.messages())
        return _line(type_, orjson.dumps(shown))


def _line(type_: str, obj: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (type_.encode(), obj)


def bookmark(kind: Kind, revision: int, *, initial_end: bool) -> Obj:
    """An object of the kind that says nothing but a revision (KEP-956, KEP-3157)."""
    metadata: Obj = {"resourceVersion": str(revision), "creationTimestamp": None}
    if initial_end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
