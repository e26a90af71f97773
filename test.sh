#!/usr/bin/env bash
# Every test that this machine can run, from a fresh clone on. Usage: sudo ./test.sh [pytest options]
set -euo pipefail
cd "$(dirname "$0")"
tools/prepare.sh dev
say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
say 'ruff'
.venv/bin/ruff check .
.venv/bin/ruff format --check .
say 'import-linter'
.venv/bin/lint-imports
say 'mypy --strict'
.venv/bin/mypy
say 'pytest'
exec .venv/bin/python -m pytest "$@"
