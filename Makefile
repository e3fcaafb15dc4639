# make plugin   the Elasticsearch plugin's zips, one for each version
# make demo     the whole road: environment, export, Elasticsearch, ingest, search, evaluation
# make test     every test
# make check    format, lint, types, layering
# make setup    the environment alone, in .venv

VENV    := .venv
PYTHON  := $(VENV)/bin/python
UV      := $(VENV)/bin/uv
STAMP   := $(VENV)/.installed
BASE_PYTHON ?= python3

.PHONY: plugin demo test check setup format lock docs clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

setup: $(STAMP)

# pip brings uv, uv brings the rest, each file checked against its hash in requirements.lock
$(STAMP): requirements.lock pyproject.toml
	@command -v $(BASE_PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: install python3"; exit 1; }
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(BASE_PYTHON) --version) is too old: Python 3.11 or newer is needed (name one with BASE_PYTHON=...)"; exit 1; }
	@test -x $(UV) || { echo "Making the environment in $(VENV)"; $(BASE_PYTHON) -m venv $(VENV) && $(PYTHON) -m pip install --quiet uv; }
	$(UV) pip install --python $(PYTHON) --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(PYTHON) --no-deps --editable .
	@touch $@

# each zip is for one exact Elasticsearch; both are built from the same sources
PLUGIN := plugin/elasticsearch
PLUGIN_SOURCES := $(shell find $(PLUGIN)/src $(PLUGIN)/pom.xml $(PLUGIN)/.mvn -type f)
plugin: $(PLUGIN)/target/es8/.built $(PLUGIN)/target/es9/.built

$(PLUGIN)/target/%/.built: $(PLUGIN_SOURCES) $(STAMP)
	@command -v mvn >/dev/null || { echo "Maven is needed: apt-get install maven"; exit 1; }
	@java=$$($(PYTHON) -m densehook.java 21 javac) && cd $(PLUGIN) && echo "Building the plugin ($*)" && \
	  JAVA_HOME="$$java" mvn --batch-mode --quiet package -P$* -Dpython=$(abspath $(PYTHON))
	@ls $(PLUGIN)/target/$*/*.zip
	@touch $@

demo: setup plugin
	@$(VENV)/bin/densehook demo

test: setup plugin
	$(PYTHON) -m pytest tests

check: setup
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PYTHON) -m pytest -q tests/unit/test_import_cost.py
	@java=$$($(PYTHON) -m densehook.java 21 javac) && cd $(PLUGIN) && JAVA_HOME="$$java" mvn --batch-mode --quiet spotless:check

format: setup
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .
	@java=$$($(PYTHON) -m densehook.java 21 javac) && cd $(PLUGIN) && JAVA_HOME="$$java" mvn --batch-mode --quiet spotless:apply

docs: setup
	$(PYTHON) -m densehook.cli.reference > docs/cli.md

lock:
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --extra dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist $(PLUGIN)/target
