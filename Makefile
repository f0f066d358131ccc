# Two commands are all the set-up there is: `make demo` and `make test`. Each needs
# python3 (3.11 or newer, with venv) and make, and installs the rest, pinned by hash.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -I -m pip --disable-pip-version-check --no-input --quiet
DEMO := out/demo

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench lock clean

help:  ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/runtime  ## install the command into .venv

demo: $(VENV)/runtime  ## run cohorts/ against the sandbox tenant, twice
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	@echo "\$$ reconciler apply --yes --sandbox=$(DEMO)/sandbox.sqlite --out $(DEMO) cohorts/"
	@$(BIN)/reconciler apply --yes --sandbox=$(DEMO)/sandbox.sqlite --out $(DEMO) cohorts/
	@echo
	@echo "\$$ reconciler plan --sandbox=$(DEMO)/sandbox.sqlite cohorts/"
	@$(BIN)/reconciler plan --sandbox=$(DEMO)/sandbox.sqlite cohorts/
	@echo
	@echo "The credentials lie in $(DEMO)/*.credentials.csv.age, sealed to Priya's key. Open one with"
	@echo "  $(BIN)/reconciler unseal $(DEMO)/research-2026.credentials.csv.age -i $(DEMO)/priya-identity.txt"
	@echo "or, where age is installed, with"
	@echo "  age -d -i $(DEMO)/priya-identity.txt $(DEMO)/research-2026.credentials.csv.age"

test: check $(VENV)/foreign  ## run everything that CI runs
	@rm -f .coverage .coverage.*
	COVERAGE_FILE=$(CURDIR)/.coverage $(BIN)/coverage run -m pytest --numprocesses=2
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: $(VENV)/test  ## run only the gates that read code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/zizmor --offline --quiet --persona pedantic .github/workflows
	$(BIN)/actionlint .github/workflows/*.yml

bench: $(VENV)/test  ## measure, and fail when a bound is not kept
	$(BIN)/python -m tests.bench

# The lists are made by `uv pip compile`; the file of the tests holds the other one too.
lock:  ## pin the newest releases again (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 \
	  --generate-hashes --no-header --quiet --upgrade --output-file requirements.txt
	uv pip compile pyproject.toml --group build --group test --universal --python-version 3.11 \
	  --generate-hashes --no-header --quiet --upgrade --output-file tests/requirements.txt

clean:  ## remove what these commands made
	rm -rf $(VENV) out .reconciler tenant.env .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache \
	  .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than 3.11: set PYTHON to a newer one"; exit 1; }
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -I -m venv $(VENV)

$(VENV)/runtime: requirements.txt pyproject.toml | $(VENV)/bin/python
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test: tests/requirements.txt pyproject.toml | $(VENV)/bin/python
	@$(PIP) install --require-hashes --requirement tests/requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# What others wrote, in JavaScript: a client of Microsoft 365, and a GitHub for the workflows.
$(VENV)/foreign: tests/foreign/package-lock.json | $(VENV)/bin/python
	@if command -v npm > /dev/null; then \
	  mkdir -p $@ && cp tests/foreign/package.json tests/foreign/package-lock.json $@/ && \
	  npm ci --prefix $@ --ignore-scripts --no-audit --no-fund --silent && touch $@; \
	else echo "npm is not on this machine: the tests with the CLI for Microsoft 365 and with a GitHub are skipped"; fi
