# make demo   see the tool work: a lab endpoint that fails as 0x904/0x7 does, and its check
# make test   all that CI runs: lint, types, import rules, tests
# make help   the rest

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.ONESHELL:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

.PHONY: help demo test packages lint format types imports pytest fuzz index scenarios docs bench wheel lock clean

help:
	@sed -n '/^[a-z]*:.*## /{s/:.*## /\t/;p}' $(MAKEFILE_LIST) | expand -t 12

# ---- the environment. A stamp says that its step is done; a changed lock does it again.

$(VENV)/python.stamp:
	@for python in $${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3 python; do
	  if "$$python" -c "$(FITS)" >/dev/null 2>&1; then found=$$python; break; fi
	done
	if [ -z "$${found:-}" ]; then
	  echo "error: no Python 3.11 or newer with venv and pip was found" >&2
	  echo "hint: install python3 and python3-venv, or name one: make PYTHON=/path/to/python3.12 …" >&2
	  exit 1
	fi
	echo "making $(VENV) with $$($$found --version)"
	"$$found" -m venv --clear $(VENV)
	touch $@

# The package is installed as a link to src, so that it never has to be installed again.
$(VENV)/run.stamp: $(VENV)/python.stamp requirements/run.txt requirements/build.txt pyproject.toml
	@echo "installing what rdpdoctor needs"
	$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp requirements/test.txt
	@echo "installing what its tests need"
	$(PIP) install --require-hashes -r requirements/test.txt
	touch $@

$(VENV)/fuzz.stamp: $(VENV)/test.stamp requirements/fuzz.txt
	@echo "installing what fuzzing needs"
	$(PIP) install --require-hashes --only-binary :all: -r requirements/fuzz.txt
	touch $@

# ---- what people call

demo: $(VENV)/run.stamp ## a lab endpoint that fails as 0x904/0x7 does, checked on loopback
	@$(BIN)/rdpdoctor demo

test: packages lint types imports pytest ## all that CI runs

packages: ## the Debian packages of the tests with real servers, where this is root and apt exists
	@missing=$$(for name in $$(cat tests/real/packages.txt); do
	  dpkg-query -W -f='$${db:Status-Status}' "$$name" 2>/dev/null | grep -qx installed || echo "$$name"
	done)
	[ -n "$$missing" ] || exit 0
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	  echo "installing Debian packages:" $$missing
	  export DEBIAN_FRONTEND=noninteractive
	  apt-get -qq update
	  apt-get -qq install -y --no-install-recommends $$missing >/dev/null
	else
	  echo "not root, or no apt-get: tests that need one of these will skip:" $$missing
	fi

lint: $(VENV)/test.stamp ## ruff
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/test.stamp ## mend what ruff can mend
	@$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/test.stamp ## mypy, strict
	@$(BIN)/mypy

imports: $(VENV)/test.stamp ## the import rules of ARCHITECTURE.md
	@$(BIN)/lint-imports

pytest: $(VENV)/test.stamp ## the tests; make pytest ARGS='-k tls' for some
	@$(BIN)/python -m pytest -q -ra $(ARGS)

SECONDS := 30
fuzz: $(VENV)/fuzz.stamp ## every reader against wrong files (Linux on x86-64); make fuzz SECONDS=300 ARGS='pcap evtx'
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(ARGS)

index: $(VENV)/run.stamp ## the knowledge, checked and indexed anew, and its page
	@$(BIN)/python -m rdpdoctor.knowledge
	$(BIN)/python docs/knowledge.py

docs: $(VENV)/run.stamp ## docs/knowledge.md: all that is known, on one page
	@$(BIN)/python docs/knowledge.py

scenarios: $(VENV)/test.stamp ## the whole scenario suite, twice; writes docs/scenarios.md
	@$(BIN)/python -m tests.suite

bench: $(VENV)/run.stamp ## speed against other tools, as ratios of one run
	@$(BIN)/python -m bench $(ARGS)

wheel: $(VENV)/run.stamp ## dist/*.whl, for pipx install
	@rm -rf dist
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	ls dist/*.whl

# Hashes of every file of each version, so that one lock serves every system. The last step proves it: whatever
# has no wheel for one of them fails here, not on somebody's machine.
LOCK := pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
SYSTEMS := windows x86_64-apple-darwin aarch64-apple-darwin x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu
# Where people only run it.
MORE := x86_64-unknown-linux-musl aarch64-unknown-linux-musl
lock: $(VENV)/python.stamp ## requirements/*.txt anew
	@[ -x $(VENV)/lock/bin/uv ] || { $(BIN)/python -m venv $(VENV)/lock && $(VENV)/lock/bin/pip -q install uv; }
	uv=$(VENV)/lock/bin/uv
	$$uv $(LOCK) pyproject.toml -o requirements/run.txt
	$$uv $(LOCK) --group build -c requirements/run.txt -o requirements/build.txt
	$$uv $(LOCK) --group test -c requirements/run.txt -c requirements/build.txt -o requirements/test.txt
	$$uv $(LOCK) --group fuzz -o requirements/fuzz.txt
	for system in $(SYSTEMS) $(MORE); do for python in 3.11 3.12 3.13; do for name in run build test; do
	  [[ $$name != test || " $(SYSTEMS) " == *" $$system "* ]] || continue
	  $$uv --no-config pip install --quiet --dry-run --target $(VENV)/none --require-hashes --only-binary :all: \
	    --python-platform $$system --python-version $$python -r requirements/$$name.txt
	done; done; done
	echo "every locked version has a wheel for: $(SYSTEMS), and without its tests: $(MORE)"

clean: ## what was made here
	@rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
