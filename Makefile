# The commands of the house. Each sets up .venv first, and only when something that it depends on has changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUN ?= runs/bench
WORDS ?=

REPRODUCE ?=

.PHONY: help setup bench bench-gpu reproduce test lint types contracts unit clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "lipbench needs Python 3.11 or newer; give one with: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -d lipbench/models/ || { echo "this checkout was made without the links in lipbench/:" \
	  "git config core.symlinks true && git checkout -- lipbench"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo "installing into $(VENV): a few minutes and about 6 GB, most of it torch"
	$(BIN)/python -m pip install $(if $(CI),--quiet) --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(STAMP) ## create .venv and install

bench: $(STAMP) ## the main job: train small models, benchmark, report (RUN=folder, WORDS="preset=tiny …")
	@mkdir -p $(RUN)
	@$(BIN)/python -m pytest benchmarks/ --benchmark-json=$(RUN)/benchmark.json \
	  $(foreach word,out=$(RUN) $(WORDS),--lipbench '$(word)'); status=$$?; \
	  $(BIN)/lipbench report $(RUN) && exit $$status

reproduce: $(STAMP) ## the paper's tables and figures, hours on a CPU; goes on where it stopped (REPRODUCE="root=… preset=paper")
	$(BIN)/lipbench reproduce $(REPRODUCE)

bench-gpu: $(STAMP) ## time all variants at paper sizes on a GPU (RUN=folder; WORDS="seconds=1 …")
	$(BIN)/lipbench bench sweep=gpu $(if $(filter-out file,$(origin RUN)),out=$(RUN)) $(WORDS)

test: lint types contracts unit ## lint, types, import contracts, doctests, tests

# one after the other even under make -j: two cores are all there is
.NOTPARALLEL:

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/pyright --pythonpath $(BIN)/python

contracts: $(STAMP)
	$(BIN)/lint-imports

unit: $(STAMP)
	$(BIN)/python -m pytest tests/

clean: ## remove caches (not runs, not prepared corpora, not .venv)
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache
