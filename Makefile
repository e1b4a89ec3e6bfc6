# Two commands matter: `make deploy` and `make test`. `make` alone lists the rest.
ENV ?= local
PYTHON ?= python3
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# Node 24 comes from the PyPI wheel in .venv, the CDK CLI and Graphviz from package-lock.json: nothing of the machine is used.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The project's packages are compiled when they are first imported, and kept then: most never are, and to compile all takes
# a minute. The parts do not wait for each other.
unexport PYTHONDONTWRITEBYTECODE
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=4
endif

PRODUCT := .venv/.installed
TOOLS := .venv/.tools-installed
CDK := node_modules/.installed
LOCALCLOUD := .localcloud/venv/.installed
FUNCTIONS := .localcloud/functions/.installed
RUNNERS := .localcloud/runners/classic/.installed
INSTALLED := $(PRODUCT) $(CDK) $(LOCALCLOUD) $(FUNCTIONS) $(RUNNERS)

# Files of tests run side by side, each file in one process: what it started is its own. They wait more than they work,
# so four are right for two cores, too.
SIDE_BY_SIDE := --numprocesses 4 --dist loadfile --no-loadscope-reorder

define venv # directory, requirements file, further options of pip
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}. Choose another with: make PYTHON=python3.12 ...")'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python has no venv module here. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	@$(1)/bin/python -m pip install --quiet $(3) --require-hashes -r $(2)
endef

.PHONY: help install doctor deploy destroy status audit evaluate test suite matrix unit check benchmark localcloud-stop lock clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18
	@echo; echo "Another environment: make deploy ENV=classroom (files in environments/)"

install: $(INSTALLED) ## install everything into .venv, .localcloud and node_modules

deploy: $(INSTALLED) ## install, start localcloud, deploy, end with a prediction
	@sandcastle deploy --environment $(ENV)

destroy: $(INSTALLED) ## destroy the environment and prove that nothing is left
	@sandcastle destroy --environment $(ENV)

doctor: $(INSTALLED) ## look for what would stop a deployment, before it begins
	@sandcastle doctor --environment $(ENV)

status: $(INSTALLED) ## what is deployed and in which state
	@sandcastle status --environment $(ENV)

audit: $(INSTALLED) ## list what belongs to the environment and what it costs
	@sandcastle audit --environment $(ENV)

evaluate: $(INSTALLED) ## run the test split of mnist-linear and bank through their endpoints
	@sandcastle evaluate mnist-linear --environment $(ENV)
	@sandcastle evaluate bank --environment $(ENV)

test: $(INSTALLED) $(TOOLS) ## linters, types, unit tests, templates, lifecycle on localcloud
	@$(MAKE) --no-print-directory check suite  # side by side

suite: $(INSTALLED) $(TOOLS)
	@rm -rf .localcloud/usage
	@python -m pytest $(SIDE_BY_SIDE) -m "not exhaustive"
	@python -m tests.least_privilege --check

matrix: $(INSTALLED) $(TOOLS) ## every life of an environment: destroyed from all situations, under all faults
	@rm -rf .localcloud/usage
	@python -m pytest $(SIDE_BY_SIDE) -m "lifecycle or exhaustive"
	@python -m tests.least_privilege --matrix

unit: $(INSTALLED) $(TOOLS) ## only the fast tests
	@python -m pytest $(SIDE_BY_SIDE) -m "not lifecycle"

check: $(INSTALLED) $(TOOLS) ## ruff, mypy, and the workflows of GitHub and GitLab
	@ruff check .
	@ruff format --check .
	@mypy
	@zizmor --offline --quiet --no-progress .github
	@check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@check-jsonschema --quiet --builtin-schema vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	@check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml

benchmark: $(INSTALLED) ## times and ratios, each against a baseline measured in the same run
	@python -m tests.benchmarks

localcloud-stop: ## stop the embedded AWS; everything in it is gone
	@test ! -x .localcloud/venv/bin/localcloud || .localcloud/venv/bin/localcloud stop

lock: $(TOOLS) ## compile the *.in files into pinned, hashed lock files
	@for f in requirements requirements-dev localcloud/requirements localcloud/functions/requirements localcloud/runners/requirements localcloud/runners/pytorch operations/jupyter; do \
	  uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet $$f.in -o $$f.txt; done

clean: localcloud-stop ## remove everything that was installed or generated
	@rm -rf .venv .localcloud node_modules cdk.out .cdk.out .jupyter reports

$(PRODUCT): requirements.txt pyproject.toml
	@echo "Installing the project's packages into .venv (a minute or so) ..."
	$(call venv,.venv,requirements.txt,--no-compile)
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(TOOLS): requirements-dev.txt $(PRODUCT)
	@echo "Installing the test tools into .venv ..."
	@.venv/bin/python -m pip install --quiet --no-compile --require-hashes -r requirements-dev.txt
	@touch $@

$(CDK): package-lock.json $(PRODUCT)
	@echo "Installing the CDK command line and Graphviz into node_modules ..."
	@npm ci --no-audit --no-fund --silent
	@touch $@

$(LOCALCLOUD): localcloud/requirements.txt localcloud/pyproject.toml
	@echo "Installing localcloud, the embedded AWS ..."
	$(call venv,.localcloud/venv,localcloud/requirements.txt)
	@.localcloud/venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e localcloud
	@touch $@

$(FUNCTIONS): localcloud/functions/requirements.txt localcloud/functions/package-lock.json $(PRODUCT)
	@echo "Installing the runtimes of localcloud's functions ..."
	$(call venv,.localcloud/functions,$<)
	@cp localcloud/functions/package.json localcloud/functions/package-lock.json .localcloud/functions/
	@npm ci --prefix .localcloud/functions --no-audit --no-fund --silent
	@touch $@

$(RUNNERS): localcloud/runners/requirements.txt
	@echo "Installing the runners of localcloud's jobs and endpoints ..."
	$(call venv,.localcloud/runners/classic,$<)
	@touch $@
