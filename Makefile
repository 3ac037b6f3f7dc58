# Every target sets up what is missing. Needed on the machine: python3 (3.11 or newer) and a package index.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
CUSTOMERS ?= 10000
SEED ?= 1
AS_OF ?= $(shell date +%F)
SAMPLE = $(or $(KUNDENSTAMM_DATA_DIR),.data)/sample
# A data folder of its own: the same company has other record numbers at its vendors.
API_DATA = $(or $(KUNDENSTAMM_DATA_DIR),.data)/api
# One more than cores: tests of whole runs also wait, for disks, imports and each other's locks.
JOBS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

# Without byte code every process would compile all libraries anew, and a run starts several.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run run-api test ui bench lint format
help:  ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 14

setup: .venv/.synced

# uv is locked like every other package, so one pip call is all that happens outside the lock.
.venv/.synced: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@UV_LINK_MODE=copy $(BIN)/uv sync --frozen --quiet --inexact
	@touch $@

run: setup  ## Run the nightly job on the sample company; CUSTOMERS=10000
	@$(BIN)/kundenstamm sample --customers $(CUSTOMERS) --seed $(SEED) --as-of $(AS_OF) --out $(SAMPLE) --reuse
	@$(BIN)/kundenstamm run

run-api: setup  ## The same job with CRM, shop and support read from servers that speak HubSpot, Shopify and Zendesk
	@$(BIN)/kundenstamm sample --customers $(CUSTOMERS) --seed $(SEED) --as-of $(AS_OF) --out $(SAMPLE) --reuse
	@KUNDENSTAMM_DATA_DIR=$(API_DATA) $(BIN)/python -m pipelines.sample.servers $(SAMPLE) $(BIN)/kundenstamm run --full

test: setup  ## Run all tests
	@$(BIN)/pytest -n $(JOBS)

ui: setup  ## Dagster UI and daemon on 127.0.0.1:3000, schedule included
	@$(BIN)/kundenstamm ui

bench: setup  ## Speed, scale and identity quality tables
	@$(BIN)/python -m benchmarks

lint: setup  ## Format check, lint, types, SQL lint, definitions
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --processes 2 dbt_project
	@$(BIN)/kundenstamm validate

format: setup  ## Format Python and SQL
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/sqlfluff fix --processes 2 dbt_project
