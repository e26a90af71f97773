"""``python -m benchmarks [NAME …]``: run the named benchmarks, or all, and print a table for each."""

from __future__ import annotations

import sys

from benchmarks import first_light, ingress, network, scheduler

BENCHMARKS = first_light.BENCHMARKS | scheduler.BENCHMARKS | ingress.BENCHMARKS | network.BENCHMARKS


def main(names: list[str]) -> int:
    unknown = [n for n in names if n not in BENCHMARKS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        print(f"\n{name}", flush=True)
        for row in BENCHMARKS[name]():
            print(f"  {row.what:<52} {row.value:<28} {row.peer}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
