#!/usr/bin/env python3
"""Reads off upstream's Go types what its .proto files do not say, into ``tools/go_fields.json``.

    python tools/read_go_types.py FOLDER

FOLDER holds checkouts named api, apimachinery, apiextensions-apiserver and kube-aggregator. Taken are facts only,
from the struct tags: the JSON name of a field, whether it is inlined into its parent's JSON, whether its zero shows
in JSON (a pointer, or no ``omitempty``). ``tools/build_api_data.py`` joins them to the protobuf tables.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TARGET: Final = Path(__file__).with_name("go_fields.json")
STRUCT: Final = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD: Final = re.compile(
    r'^\s*(?:\w+\s+)?([*\[\]\w.]+)\s+`.*?json:"([^"]*)".*?protobuf:"\w+,(\d+),\w+(?:,name=(\w+))?'
)


def package(path: Path) -> str:
    """``apiextensions-apiserver/pkg/apis/x/v1/types.go`` → ``k8s.io.apiextensions_apiserver.pkg.apis.x.v1``."""
    return "k8s.io." + ".".join(path.parent.parts).replace("-", "_")


def fields(body: str) -> Iterator[tuple[int, str, str]]:
    """(number, JSON name, "" | "kept" | "inline") of the fields that differ from what the .proto says."""
    for line in body.splitlines():
        found = FIELD.match(line)
        if not found:
            continue
        go_type, tag, number, proto_name = found.groups()
        name, *options = tag.split(",")
        if name == "-":
            continue
        if "inline" in options or not name:
            yield int(number), "", "inline"
            continue
        kept = go_type.startswith("*") or not {"omitempty", "omitzero"} & set(options)
        if kept or name != proto_name:
            yield int(number), name, "kept" if kept else ""


def main(folder: Path) -> None:
    out: dict[str, dict[int, tuple[str, str]]] = {}
    for path in sorted(folder.rglob("*.go")):
        for name, body in STRUCT.findall(path.read_text()):
            if rows := {number: (json_name, word) for number, json_name, word in fields(body)}:
                out[f"{package(path.relative_to(folder))}.{name}"] = rows
    TARGET.write_text(
        "{\n"
        + ",\n".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in sorted(out.items()))
        + "\n}\n"
    )
    print(f"{TARGET.name}: {len(out)} messages")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
