# make up      set everything up and run it          make test    set everything up and pass every test
# make demo    a caller and an agent, live           make check   ruff and mypy        make lock    refresh the lock files
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: up demo test check unit bench lock pbx setup
up: setup
	@exec $(BIN)/cordboard up

demo: setup
	@exec $(BIN)/cordboard demo

test: $(VENV)/.dev
	@$(BIN)/python asterisk/install.py asterisk chromium sipp
	@$(BIN)/python -m pytest -n auto tests/unit tests/integration tests/test_architecture.py
	@$(BIN)/python -m pytest tests/contract tests/system

unit: $(VENV)/.dev pbx
	@$(BIN)/python -m pytest tests/unit tests/contract tests/test_architecture.py

check: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

setup: $(VENV)/.ready pbx

pbx: $(VENV)/.ready
	@$(BIN)/python asterisk/install.py

$(VENV)/bin/python:
	@echo "creating $(VENV) ..."; $(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing Python packages (about 250 MB on the first run) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.ready
	@echo "installing test packages ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

bench: $(VENV)/.dev
	@$(BIN)/python asterisk/install.py asterisk sipp
	@$(BIN)/python -m bench

lock: $(VENV)/bin/python
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra dev pyproject.toml -o requirements-dev.lock
