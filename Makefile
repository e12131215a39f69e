# provenote: set-up, run, test. `make help` lists the targets.

PYTHON ?= python3
PORT ?= 8000
BASE_URL = $(or $(PROVENOTE_BASE_URL),http://127.0.0.1:$(PORT))
VENV = .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
PYTEST_ARGS ?=

.PHONY: help setup run test check bench clean format

help:  ## List the targets.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(READY)  ## Make .venv with the locked dependencies.

$(READY): requirements.lock setup.cfg sdk/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("provenote needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -o '^uv==[^ ]*' requirements.lock)"
	@echo "Installing locked dependencies …"
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e ./sdk -e .
	@touch $@

run: setup  ## Make the demo, evaluate its history, serve it (PORT=8000).
	@PROVENOTE_BASE_URL=$(BASE_URL) $(BIN)/provenote demo --prepare
	@PROVENOTE_BASE_URL=$(BASE_URL) PROVENOTE_ALLOW_FILE_REPOSITORIES=1 exec $(BIN)/provenote serve --port $(PORT)

test: setup  ## Run the whole test suite.
	@./tests/install-servers
	@# Hundreds of processes are started: compiled once, not by each of them.
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS)

check: setup  ## Format, lint, types, layers.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --config setup.cfg

format: setup  ## Bring the code into shape.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup  ## Measure, side by side with peers.
	@$(BIN)/python -m tests.bench $(if $(BENCH_ONLY),--only "$(BENCH_ONLY)") $(if $(BENCH_JSON),--json "$(BENCH_JSON)")

clean:  ## Remove everything that `make` made here; runs in PROVENOTE_HOME stay.
	rm -rf $(VENV) build dist *.egg-info sdk/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
