"""Which form a body has and which form the caller wants: JSON, YAML or protobuf; whole objects, a Table or metadata.

Rule: the first clause of ``Accept``, by its q and then by its place, that this server can answer wins
(apiserver/pkg/endpoints/handlers/negotiation). No header means JSON; nothing acceptable is a 406; a body in another
form is a 415. Both messages list what would do.
Neighbours: ``registry`` asks ``accepted`` and ``decode``; ``discovery`` and ``openapi`` read ``clauses`` with shapes of
their own; ``meta/protobuf`` and ``meta/manifest`` do the forms that orjson does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import orjson

from pybernetes.lib.http.message import HttpRequest
from pybernetes.meta import errors, manifest, protobuf
from pybernetes.meta.objects import Obj

Format: TypeAlias = Literal["json", "yaml", "protobuf"]
JSON: Final = "application/json"
YAML: Final = "application/yaml"
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
FORMATS: Final[Mapping[str, Format]] = {JSON: "json", YAML: "yaml", PROTOBUF: "protobuf"}
_MEDIA: Final[Mapping[str, str]] = {f: media for media, f in FORMATS.items()}

META_GROUP: Final = "meta.k8s.io"
TABLE: Final = "Table"
PARTIAL: Final = "PartialObjectMetadata"
PARTIAL_LIST: Final = "PartialObjectMetadataList"


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of an Accept header."""

    media: str
    params: Mapping[str, str] = field(default_factory=dict)

    def matches(self, media: str) -> bool:
        kind = media.partition("/")[0]
        return self.media in (media, "*/*", f"{kind}/*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets. ``shape`` is empty for the object itself, or TABLE, PARTIAL or PARTIAL_LIST."""

    format: Format = "json"
    shape: str = ""
    version: Literal["v1", "v1beta1"] = "v1"
    """Version of meta.k8s.io in which the shape is wanted."""
    pretty: bool = False

    @property
    def media(self) -> str:
        """The content type of the answer."""
        return _MEDIA[self.format]

    @property
    def stream_media(self) -> str:
        """The content type of a watch."""
        return f"{self.media};stream=watch" if self.format == "protobuf" else self.media


# ── what the caller wants ────────────────────────────────────────────────────────────────────────────────


def clauses(accept: str) -> list[Clause]:
    """The clauses of an Accept header, best first; clauses of q=0 are left out."""
    ranked = []
    for place, text in enumerate(accept.split(",")):
        media, *params = (part.strip() for part in text.split(";"))
        if not media:
            continue
        pairs = {key.strip(): value.strip().strip('"') for key, _, value in (p.partition("=") for p in params)}
        quality = _quality(pairs.pop("q", "1"))
        if quality > 0:
            ranked.append((-quality, place, Clause("*/*" if media == "*" else media.lower(), pairs)))
    return [clause for _, _, clause in sorted(ranked, key=lambda row: row[:2])]


def accepted(
    request: HttpRequest, *, shapes: Sequence[str] = (), formats: Sequence[Format] = ("json", "yaml", "protobuf")
) -> Answer:
    """The form to answer in. ``shapes``: those of TABLE, PARTIAL and PARTIAL_LIST that the caller may have here.

    Raises NotAcceptable.
    """
    header = request.headers.get("accept", "")
    pretty = _pretty(request)
    if not header:
        return Answer(pretty=pretty)
    for clause in clauses(header):
        for format_ in formats:
            if clause.matches(_MEDIA[format_]) and (answer := _shaped(clause, format_, shapes, pretty)):
                return answer
    raise errors.NotAcceptable("only the following media types are accepted: " + ", ".join(_offers(formats, shapes)))


def _shaped(clause: Clause, format_: Format, shapes: Sequence[str], pretty: bool) -> Answer | None:
    shape = clause.params.get("as", "")
    if not shape:
        return Answer(format_, pretty=pretty)
    version = clause.params.get("v", "")
    if shape not in shapes or clause.params.get("g") != META_GROUP or (format_ == "protobuf" and shape == TABLE):
        return None
    if version == "v1":
        return Answer(format_, shape, "v1", pretty)
    return Answer(format_, shape, "v1beta1", pretty) if version == "v1beta1" else None


def _offers(formats: Sequence[Format], shapes: Sequence[str]) -> list[str]:
    return [_MEDIA[f] for f in formats] + [f"{JSON};as={shape};v=v1;g={META_GROUP}" for shape in shapes]


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _pretty(request: HttpRequest) -> bool:
    """As asked by ``pretty``, else for those who read with their own eyes (curl, Wget, browsers)."""
    if asked := request.param("pretty"):
        return asked.lower() in ("1", "t", "true")
    return request.headers.get("user-agent", "").startswith(("curl", "Wget", "Mozilla/5.0"))


# ── what the caller sent ─────────────────────────────────────────────────────────────────────────────────


def body_format(content_type: str) -> Format:
    """The form of a body; JSON where the header says nothing. Raises UnsupportedMediaType."""
    media = content_type.partition(";")[0].strip().lower()
    found = FORMATS.get(media) if media else "json"
    if found is None:
        raise unsupported(tuple(FORMATS))
    return found


def unsupported(accepted_media: Sequence[str]) -> errors.UnsupportedMediaType:
    return errors.UnsupportedMediaType(
        "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted_media)
    )


def decode(body: bytes, content_type: str, *, api_version: str = "", kind: str = "") -> Any:
    """The JSON value of a body. ``api_version`` and ``kind`` stand in where a protobuf envelope names none.

    Raises UnsupportedMediaType for another form, and BadRequest for a body that is not what its header says.
    """
    format_ = body_format(content_type)
    if format_ == "protobuf":
        from pybernetes.kinds import schemas

        return protobuf.decode_envelope(body, schemas.messages(), api_version=api_version, kind=kind)
    try:
        return orjson.loads(body) if format_ == "json" else manifest.loads(body)
    except orjson.JSONDecodeError as error:
        raise errors.BadRequest(f"couldn't get version/kind; json parse error: {error}") from error
    except manifest.ManifestError as error:
        raise errors.BadRequest(f"yaml: {error}") from error


def encode(obj: Obj, answer: Answer) -> bytes:
    """An object in the form of ``answer``. Raises NotAcceptable where its kind has no protobuf message."""
    if answer.format == "protobuf":
        from pybernetes.kinds import schemas

        return protobuf.encode_envelope(obj, schemas.messages())
    if answer.format == "yaml":
        return manifest.dumps(obj).encode()
    return orjson.dumps(obj, option=orjson.OPT_INDENT_2 if answer.pretty else 0)
