# make plugin   the Elasticsearch plugin's zips, for 8.19.21 and 9.5.3; ES="9.2.8 …" for others,
#               PLATFORM=linux-aarch64 for nodes on that
# make dist     wheel, sdist and the plugin's zips in dist/, with their SHA-256
# make demo     the whole road: environment, export, Elasticsearch, ingest, search, evaluation
# make test     every test
# make check    format, lint, types, layering
# make setup    the environment alone, in .venv

VENV    := .venv
PYTHON  := $(VENV)/bin/python
UV      := $(VENV)/bin/uv
STAMP   := $(VENV)/.installed
BASE_PYTHON ?= python3

# Python keeps what it compiled: otherwise each start compiles torch and transformers again, for 20 s
unexport PYTHONDONTWRITEBYTECODE

.PHONY: plugin dist demo test check setup format lock docs clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p; /^$$/q' Makefile

setup: $(STAMP)

# pip brings uv, uv brings the rest, each file checked against its hash in requirements.lock
$(STAMP): requirements.lock pyproject.toml
	@command -v $(BASE_PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: install python3"; exit 1; }
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(BASE_PYTHON) --version) is too old: Python 3.11 or newer is needed (name one with BASE_PYTHON=...)"; exit 1; }
	@test -x $(UV) || { echo "Making the environment in $(VENV)"; $(BASE_PYTHON) -m venv $(VENV) && $(PYTHON) -m pip install --quiet uv; }
	$(UV) pip install --python $(PYTHON) --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(PYTHON) --no-deps --editable .
	@touch $@

# each zip is for one exact Elasticsearch and one platform; all are built from the same sources
PLUGIN := plugin/elasticsearch
PLUGIN_SOURCES := $(shell find $(PLUGIN)/src $(PLUGIN)/pom.xml $(PLUGIN)/.mvn -type f) plugin/densehook/chunk/breaks.txt
PLATFORMS := linux-x86_64 linux-aarch64
ES := 8.19.21 9.5.3
PLATFORM := linux-x86_64

# below target/: es8 and es9 for the pom's own two versions, es9.2.8 for another, and the platform
folder = $(if $(filter 8.19.21,$1),es8,$(if $(filter 9.5.3,$1),es9,es$1))
FOLDERS := $(foreach p,$(PLATFORM),$(foreach v,$(ES),$(call folder,$v)$(filter-out -linux-x86_64,-$p)))
plugin: $(FOLDERS:%=$(PLUGIN)/target/%/.built)

# and back again: es9.2.8-linux-aarch64 is profile es9, version 9.2.8 (none for the pom's own), platform
plain = $(patsubst %-linux-aarch64,%,$1)
profile = $(firstword $(subst ., ,$(plain)))
version = $(patsubst es%,%,$(filter-out es8 es9,$(plain)))
platform = $(if $(filter $1,$(plain)),linux-x86_64,linux-aarch64)

$(PLUGIN)/target/%/.built: $(PLUGIN_SOURCES) $(STAMP)
	$(if $(filter-out $(PLATFORMS),$(PLATFORM)),$(error PLATFORM=$(PLATFORM) is not supported; it is one of $(PLATFORMS)))
	@$(if $(call version,$*),$(PYTHON) $(PLUGIN)/src/build/compat.py $(call version,$*) >/dev/null)
	@command -v mvn >/dev/null || { echo "Maven is needed: apt-get install maven"; exit 1; }
	@java=$$($(PYTHON) -m densehook.java 21 javac) && cd $(PLUGIN) && echo "Building the plugin ($*)" && \
	  JAVA_HOME="$$java" mvn --batch-mode --quiet package -P$(call profile,$*) -Dfolder=$* \
	  $(addprefix -Delasticsearch.version=,$(call version,$*)) -Dplatform=$(call platform,$*) -Dpython=$(abspath $(PYTHON))
	@ls $(PLUGIN)/target/$*/*.zip
	@touch $@

# wheel and sdist are the same whenever they are made, by the date their files bear; so are the zips
dist: setup plugin
	rm -rf dist
	SOURCE_DATE_EPOCH=1767225600 $(UV) build --quiet --python $(PYTHON) --out-dir dist
	cp $(FOLDERS:%=$(PLUGIN)/target/%/*.zip) dist/
	rm -f dist/.gitignore
	cd dist && sha256sum * >SHA256SUMS && cat SHA256SUMS

demo: setup plugin
	@$(VENV)/bin/densehook demo

test: setup plugin
	$(PYTHON) -m pytest --numprocesses=2 --dist=loadscope tests

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
