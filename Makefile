# `make report` and `make test` are all that a new user needs; `make help` lists the rest.

# The first of these that is Python 3.11 to 3.14, with venv and pip, makes the environment.
# torch 2.13.0 is not built for later ones.
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
# How many processes share the tests: as many as processors, but each costs four seconds of imports, so at most four.
JOBS ?= logical

BIN := .venv/bin
STUDYLIB := $(BIN)/python -m studylib
READY := .venv/ready
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))

.PHONY: help env report test run compare verify share publish pdf screenshot bench lab clean
.DEFAULT_GOAL := help

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: env  ## run all case studies; pages in reports/, the first is reports/index.html (SUITE=benchmark, quick, smoke)
	$(STUDYLIB) report $(if $(SUITE),--suite '$(SUITE)')

test: env  ## run the tests (JOBS=1: in one process)
	$(BIN)/python -m pytest -q --numprocesses=$(JOBS) --maxprocesses=4

run: env  ## run one study: STUDY=vision [PARAMS=params/vision/smoke.yaml] [SET="seeds=3 training.epochs=5"]
	$(STUDYLIB) run $(STUDY) $(if $(PARAMS),--params '$(PARAMS)') $(foreach setting,$(SET),--set '$(setting)')

compare: env  ## compare two records: A=reports/vision/default.json B=reports/vision/wide.json
	$(STUDYLIB) compare $(A) $(B)

verify: env  ## compute a sample of each record's fits again and compare their numbers
	$(STUDYLIB) verify

share: env  ## pack pages, records and notebooks into reports/studylib-reports.zip, with a README for its reader
	$(STUDYLIB) share

publish: env  ## put the default pages and records into reports/published/, to be committed: 2 MB at most
	$(STUDYLIB) publish

pdf: env  ## print every page under reports/ to a PDF beside it, with Chromium (CHROMIUM=/path: another browser)
	$(STUDYLIB) pdf

screenshot: env  ## take the picture of README from reports/vision/default.html, with Chromium
	$(BIN)/python -m benchmarks._screenshot

bench: env  ## time this project beside its peers, on the same work, and show it in reports/benchmarks.html
	$(BIN)/python -m benchmarks

lab: env  ## open the notebooks in JupyterLab
	$(BIN)/python -m jupyter lab notebooks

clean:  ## remove what is made again: environment, store of fits, caches (records and pages stay)
	rm -rf .venv .studylib .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	find studylib tests benchmarks notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

env: $(READY)  ## make .venv with the versions of constraints.txt; does nothing when it is up to date

# An environment that was ready once is brought up to date; one that was never finished is made anew.
# The build backend is installed first, from constraints.txt too, so that the build needs no isolation.
$(READY): pyproject.toml constraints.txt
	@python=$$(for python in $(PYTHON); do \
	    $$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done); \
	if [ -z "$$python" ]; then \
	    echo "No Python from 3.11 to 3.14 with venv and pip found as: $(PYTHON)." >&2; \
	    echo "Install one (on Debian and Ubuntu: apt install python3 python3-venv)," >&2; \
	    echo "or name one that is elsewhere: make $(or $(MAKECMDGOALS),env) PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	fi; \
	if [ -e $@ ]; then rm $@; else rm -rf .venv; $$python -m venv .venv; fi
	$(BIN)/python -m pip install --constraint constraints.txt setuptools
	$(BIN)/python -m pip install --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@
