#!/usr/bin/env python3
"""Makes the package data of ``kinds/schemas`` out of upstream's published API facts.

    python tools/build_api_data.py FOLDER

FOLDER holds ``schemas.json`` (OpenAPI v2 definitions without prose), ``resources.json`` (the served resources) and
``protobuf.json`` (message → [[number, field, type, "repeated"?], …]). What the .proto files do not say comes from
``go_fields.json`` beside this tool (see ``read_go_types.py``). The same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any, Final

TARGET: Final = Path(__file__).resolve().parent.parent / "src/pybernetes/kinds/schemas"


ANY: Final = {"google.protobuf.Any": [[1, "typeUrl", "string"], [2, "value", "bytes"]]}


def compact(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def write(name: str, value: Any) -> None:
    """``value`` as JSON under gzip, without a time or a name in the header."""
    data = gzip.compress(compact(value), 9, mtime=0)
    (TARGET / f"{name}.json.gz").write_bytes(data)
    print(f"{name}: {len(value)} entries, {len(data)} bytes")


def joined(messages: dict[str, list[Any]], go: dict[str, Any]) -> dict[str, list[Any]]:
    """Rows [number, JSON name, type, "repeated" | "kept" | "inline" or nothing]."""
    return {name: [row(field, go.get(name, {})) for field in fields] for name, fields in messages.items()} | ANY


def row(field: list[Any], known: dict[str, list[str]]) -> list[Any]:
    number, name, kind, *repeated = field
    json_name, word = known.get(str(number), (name, ""))
    words = repeated or ([word] if word == "inline" or (word == "kept" and zero_shows_only_if_kept(kind)) else [])
    return [number, json_name or name, kind, *words]


def zero_shows_only_if_kept(kind: str) -> bool:
    return "." not in kind or kind.endswith((".IntOrString", ".Quantity"))


def main(folder: Path) -> None:
    def read(name: str) -> Any:
        return json.loads((folder / f"{name}.json").read_bytes())

    write("definitions", read("schemas")["definitions"])
    write("resources", read("resources"))
    go = json.loads(Path(__file__).with_name("go_fields.json").read_bytes())
    write("messages", joined(read("protobuf")["messages"], go))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
