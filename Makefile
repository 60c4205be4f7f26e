# Every target builds what it needs by itself and can be run again after it was interrupted. `make help` lists them.
# Built things live outside the repository, in $PREWARM_CACHE (default ~/.cache/prewarm), by version.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
# One target at a time, also under MAKEFLAGS=-j: several install packages, build into one cache or use one cluster.
.NOTPARALLEL:
.PHONY: help demo demo-down test test-unit test-component test-cluster lint generate manifests lock images cluster-up cluster-down bench forecasting venv programs prometheus chromium

PYTHON ?= python3
export PYTHON
export PREWARM_CACHE ?= $(HOME)/.cache/prewarm
# src layouts and dev tools; never the repository's root, where operator/ would shadow the standard library.
export PYTHONPATH := $(CURDIR)/operator/src:$(CURDIR)/agent_image/src:$(CURDIR)/dev/cluster:$(CURDIR)/dev/demo:$(CURDIR)/dev/chart
export PYTHONUNBUFFERED := 1

VENV := $(PREWARM_CACHE)/venv/$(shell cat requirements/dev.txt dev/make/venv | sha256sum | cut -c1-12)-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
BIN := $(VENV)/bin
# What bench/forecast.py compares with is large and shipped nowhere: an environment of its own.
FORECASTING := $(PREWARM_CACHE)/venv/$(shell cat requirements/forecasting.txt dev/make/venv | sha256sum | cut -c1-12)-$(lastword $(subst -, ,$(VENV)))
STEP := dev/make/step
DEVCLUSTER := $(PYTHON) -m devcluster
BEGAN := $(shell date +%s)
# Two processes at once: these tests mostly wait. A file stays whole, for its tests share what they started.
TWO_BY_FILE := --numprocesses 2 --dist loadfile

help: ## list the targets
	@echo "Targets:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Built things live in $(PREWARM_CACHE). PREWARM_KUBECONFIG=file uses another cluster (see README)."

demo: cluster-up images venv $(if $(filter 1,$(ACT)),,prometheus) ## install Prewarm and watch it: make demo, or one act with make demo ACT=1
	@$(BIN)/python -m prewarm_demo run --began $(BEGAN) $(if $(ACT),--act $(ACT))

# A cluster that is not ours stays; what the demo put into it goes.
demo-down: $(if $(PREWARM_KUBECONFIG),venv) ## take demo and dev cluster off the machine
	@$(if $(PREWARM_KUBECONFIG),$(BIN)/python -m prewarm_demo down,$(STEP) "taking the dev cluster off the machine" $(DEVCLUSTER) down)

test: lint test-unit test-component test-cluster ## everything that CI runs

lint: venv ## formatting, lints, types, layers
	@$(STEP) "formatting" $(BIN)/ruff format --check --quiet .
	@$(STEP) "lints" $(BIN)/ruff check --quiet .
	@$(STEP) "types" $(BIN)/mypy
	@$(STEP) "layers" $(BIN)/lint-imports --no-cache --config pyproject.toml

test-unit: venv ## tests without I/O
	@$(STEP) "unit tests" $(BIN)/pytest -q tests/unit --timeout 20 $(TWO_BY_FILE)

test-component: venv programs prometheus chromium ## tests on a real API server and real HTTP, without pods
	@$(STEP) "component tests" dev/make/pytest $(BIN)/pytest -q tests/component tests/chart --timeout 180 $(TWO_BY_FILE)

test-cluster: venv cluster-up images ## tests on a real Kubernetes with real pods
	@$(STEP) "images of tests" $(DEVCLUSTER) images prewarm-operator-another prewarm-example-python prewarm-example-foreign
	@$(STEP) "cluster tests" dev/make/pytest $(BIN)/pytest -q tests/cluster --timeout 600

programs:
	@$(STEP) "programs of the dev cluster" $(DEVCLUSTER) build

prometheus:
	@[ -x $(PREWARM_CACHE)/bin/prometheus -a -x $(PREWARM_CACHE)/bin/promtool ] || \
		$(STEP) "Prometheus" dev/make/prometheus $(PREWARM_CACHE)/bin

chromium:
	@command -v chromium >/dev/null || $(STEP) "chromium" dev/make/chromium

cluster-up: ## start the dev cluster (seconds, once its programs are built)
	@$(STEP) "dev cluster" $(DEVCLUSTER) up

cluster-down: ## stop the dev cluster and leave the host as it was
	@$(STEP) "stopping the dev cluster" $(DEVCLUSTER) down

images: cluster-up ## build the images and load them into the dev cluster
	@$(STEP) "images" $(DEVCLUSTER) images

# Benchmarks that need pods; the others start what they need by themselves.
ON_CLUSTER := ramp spread
# Benchmarks of arithmetic alone.
OFFLINE := forecast scaling
bench: venv $(if $(filter $(OFFLINE),$(NAME)),,programs) $(if $(filter-out $(ON_CLUSTER),$(NAME)),,images) $(if $(filter-out forecast,$(NAME)),,forecasting) ## run all benchmarks, or one with make bench NAME=x; numbers go to build/bench/x.json
	@for file in $(if $(NAME),bench/$(NAME).py,$(sort $(wildcard bench/[a-z]*.py))); do \
		python=$(BIN)/python; [ $$file != bench/forecast.py ] || python=$(FORECASTING)/bin/python; \
		TRACES=$(TRACES) $(STEP) "benchmark $$file" $$python $$file || exit 1; \
	done

forecasting:
	@[ -e $(FORECASTING)/complete ] || \
		$(STEP) "Python packages of bench/forecast.py" flock $(PREWARM_CACHE)/venv.lock dev/make/venv $(FORECASTING) requirements/forecasting.txt

generate: venv ## write CRDs, and the chart's values with their schema, from the models
	@$(BIN)/python -m prewarm_operator.api
	@$(BIN)/python -m prewarm_chart generate

manifests: venv programs ## write build/manifests/prewarm.yaml, for kubectl apply without Helm
	@$(STEP) "manifests" $(BIN)/python -m prewarm_chart manifests build/manifests/prewarm.yaml

lock: venv ## resolve requirements/*.in anew
	@for name in dev agent operator build forecasting; do \
		$(STEP) "requirements/$$name.txt" $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
			--no-header $$([ $$name = dev ] || echo "-c requirements/dev.txt") requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

# Another `make` may be at it: one builds, the other waits and finds it complete.
venv:
	@[ -e $(VENV)/complete ] || { mkdir -p $(PREWARM_CACHE) && \
		$(STEP) "Python packages" flock $(PREWARM_CACHE)/venv.lock dev/make/venv $(VENV) requirements/dev.txt; }
