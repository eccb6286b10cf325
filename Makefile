# Needs make and Python 3.11 to 3.13, and makes its own .venv. `make` alone lists the targets.
SHELL := /bin/sh
VENV := .venv
READY := $(VENV)/.ready
QUORUM := $(VENV)/bin/quorum
# Another interpreter: make up PYTHON=/path/to/python3.12
PYTHON ?=

.DEFAULT_GOAL := help
.PHONY: help venv up down status test lint format types unit integration browser machines churn load bench \
	bench-scale bench-nodes docs image image-lock image-test manifests
# Options, for example: make load LOAD="--users 200 --seconds 300"
LOAD ?=
BENCH ?=
SCALE ?=
NODES ?=
# The image: its name, another base, and where its source is
IMAGE ?= quorum
BASE ?=
SOURCE ?=
IMAGE_TEST ?=

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

venv: $(READY) ## Make .venv with the pinned dependencies

up: $(READY) ## Start everything, or what is not running yet
	@$(QUORUM) up

down: ## Stop everything that `make up` started
	@if [ -x $(QUORUM) ]; then $(QUORUM) down; else echo "nothing to stop: there is no $(VENV)"; fi

status: $(READY) ## Show what is running
	@$(QUORUM) status

test: $(READY) ## Lint, types, imports, and every test
	@.ci/test

lint: $(READY) ## Lint, format and the import contract
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check --quiet . && $(VENV)/bin/lint-imports

format: $(READY) ## Format the code
	@$(VENV)/bin/ruff check --fix --quiet . ; $(VENV)/bin/ruff format .

types: $(READY) ## Check types
	@$(VENV)/bin/mypy

unit: $(READY) ## The quick tests that need no server, under a minute
	@$(VENV)/bin/pytest -q -n 2 -m "not slow" tests/unit

integration: $(READY) ## The tests on a real PostgreSQL and Redis
	@$(VENV)/bin/pytest -q tests/integration

browser: $(READY) ## The API reference and the console in a browser; skipped where there is no Chromium
	@$(VENV)/bin/pytest -q tests/browser

machines: $(READY) ## Three machines out of Linux namespaces: faults, roll-outs; needs root
	@$(VENV)/bin/pytest -q tests/machines

churn: $(READY) ## Ten minutes in which a machine a minute leaves and joins under load; needs root
	@QUORUM_CHURN_MINUTES=10 $(VENV)/bin/pytest -q -s tests/machines/test_churn.py

load: $(READY) ## One minute of load against a running Quorum, with a report
	@$(VENV)/bin/python -m loadtests.load $(LOAD)

bench: $(READY) ## Quorum beside apps that do the same work; see docs/benchmarks.md
	@$(VENV)/bin/python -m loadtests.bench $(BENCH)

bench-scale: $(READY) ## How cost grows with replicas, variants, customers and their history
	@$(VENV)/bin/python -m loadtests.bench.scale $(SCALE)

bench-nodes: $(READY) ## Processor time of a decision at one, two and three nodes; needs root
	@$(VENV)/bin/python -m loadtests.bench.nodes $(NODES)

docs: $(READY) ## Write the generated parts of docs/: features.md, reasons.md, scaling.md, house.svg, plans/*.svg
	@$(VENV)/bin/python -m features.catalogue >docs/features.md.new
	@mv docs/features.md.new docs/features.md
	@$(VENV)/bin/python -m features.reason_pages >docs/reasons.md.new
	@mv docs/reasons.md.new docs/reasons.md
	@$(VENV)/bin/python -m loadtests.capacity page <docs/scaling.md >docs/scaling.md.new
	@mv docs/scaling.md.new docs/scaling.md
	@$(VENV)/bin/python -m docs.house >docs/house.svg.new
	@mv docs/house.svg.new docs/house.svg
	@$(VENV)/bin/python -m docs.plan_pictures

image: ## Build the image, with docker or else buildah; IMAGE, BASE and SOURCE are options
	@if command -v docker >/dev/null; then build="docker build"; \
	elif command -v buildah >/dev/null; then build="buildah build --layers --format docker"; \
	else echo "error: neither docker nor buildah is installed" >&2; exit 1; fi; \
	$$build --tag $(IMAGE) $(if $(BASE),--build-arg BASE=$(BASE)) \
		--build-arg VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) \
		--build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) \
		--build-arg SOURCE=$(SOURCE) .

image-lock: $(READY) ## Write the image's locks anew from pyproject.toml and constraints.txt
	@$(VENV)/bin/python -m deploy.image.lock

image-test: $(READY) ## Build the image and run it for real: root, buildah, runc, 8 GB, ten minutes
	@deploy/image/packages
	@$(VENV)/bin/python -m deploy.image.image_test $(IMAGE_TEST)

manifests: $(READY) $(VENV)/deploy/.ready ## Write the Helm chart, and check all of deploy/kubernetes strictly
	@$(VENV)/bin/python deploy/kubernetes/sync.py
	@$(VENV)/bin/python deploy/helm/generate.py $(VENV)/deploy/kubectl
	@$(VENV)/bin/pytest -q tests/unit/deploy

$(VENV)/deploy/.ready: deploy/tools.py constraints.txt
	@echo "Installing kubectl, Helm and the schemas of Kubernetes into $(VENV)" >&2
	@$(VENV)/bin/python deploy/tools.py
	@touch $@

# The stamp is as new as the files that were installed from. A run that was cut off leaves no stamp,
# and the next one uses what it had installed.
$(READY): pyproject.toml constraints.txt cluster/install/quorum.pth
	@of='import sys; print(sys.base_prefix, sys.version)'; \
	if ! $(VENV)/bin/python -m pip --version >/dev/null 2>&1 || { [ -n "$(PYTHON)" ] \
		&& [ "$$($(VENV)/bin/python -c "$$of")" != "$$("$(PYTHON)" -c "$$of" 2>&1)" ]; }; then \
		python=$$(cluster/install/interpreter.sh "$(PYTHON)") || exit 1; \
		if ! said=$$("$$python" -m venv --clear $(VENV) 2>&1); then \
			echo "error: $$python cannot make $(VENV); it said: $$(printf '%s' "$$said" | tail -n 1)" >&2; \
			exit 1; \
		fi; \
		echo "$(VENV) is made with $$("$$python" --version) ($$python)" >&2; \
	fi; \
	echo "Installing the pinned dependencies into $(VENV): some minutes the first time" >&2; \
	if ! $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
		-c constraints.txt -e '.[dev]' >$(VENV)/install.log 2>&1; then \
		echo "error: pip failed: $$(grep -i error $(VENV)/install.log | tail -n 1) — see $(VENV)/install.log" >&2; \
		exit 1; \
	fi
	@cp cluster/install/quorum.pth "$$($(VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/quorum.pth"
	@touch $@
