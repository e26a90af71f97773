# The task runner. `make` lists what there is.
VENV ?= .venv
PYTHON := $(VENV)/bin/python

.PHONY: help
help: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(VENV)/.ready: pyproject.toml
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --upgrade pip
	$(VENV)/bin/pip install --quiet --editable '.[dev]'
	@touch $@

.PHONY: venv
venv: $(VENV)/.ready ## the virtual environment with everything for development

.PHONY: lint
lint: venv ## ruff, import-linter
	$(VENV)/bin/ruff check src tests tools benchmarks
	$(VENV)/bin/ruff format --check src tests tools benchmarks
	$(VENV)/bin/lint-imports

.PHONY: types
types: venv ## mypy, strict
	$(VENV)/bin/mypy

.PHONY: unit
unit: venv ## the tests that need neither root nor containers
	$(PYTHON) -m pytest -m 'not node'

.PHONY: test
test: venv ## every test this machine can run
	$(PYTHON) -m pytest

.PHONY: bench
bench: venv ## the benchmarks, printed as tables
	$(PYTHON) -m benchmarks

.PHONY: format
format: venv ## let ruff write the code's layout
	$(VENV)/bin/ruff format src tests tools benchmarks
	$(VENV)/bin/ruff check --fix src tests tools benchmarks

.PHONY: wheel
wheel: venv ## build the wheel into dist/
	$(VENV)/bin/pip wheel --quiet --no-deps --wheel-dir dist .
