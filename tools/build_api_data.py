#!/usr/bin/env python3
"""Makes the package data of ``kinds/schemas`` out of upstream's published API facts.

    python tools/build_api_data.py FOLDER

FOLDER holds ``schemas.json`` (OpenAPI v2 definitions without prose), ``resources.json`` (the served resources) and
``protobuf.json`` (message → [[number, field, type, "repeated"?], …]). The same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any, Final

TARGET: Final = Path(__file__).resolve().parent.parent / "src/pybernetes/kinds/schemas"


def compact(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def write(name: str, value: Any) -> None:
    """``value`` as JSON under gzip, without a time or a name in the header."""
    data = gzip.compress(compact(value), 9, mtime=0)
    (TARGET / f"{name}.json.gz").write_bytes(data)
    print(f"{name}: {len(value)} entries, {len(data)} bytes")


def main(folder: Path) -> None:
    def read(name: str) -> Any:
        return json.loads((folder / f"{name}.json").read_bytes())

    write("definitions", read("schemas")["definitions"])
    write("resources", read("resources"))
    write("messages", read("protobuf")["messages"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
