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

# Packages are compiled when they are first imported, and kept then: most never are, and to compile all takes a minute. What
# jobs and functions import is imported once when it is installed: they cannot write there. The parts do not wait for each other.
unexport PYTHONDONTWRITEBYTECODE
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=4
endif

UV := .venv/bin/uv
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

define venv # directory, further options of venv
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}. Choose another with: make PYTHON=python3.12 ...")'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python has no venv module here. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(2) $(1)
endef

# uv does pip's work in a tenth of the time. It knows nothing of pip's own settings: where packages come from a mirror that
# only pip was told of, pip does it. Either insists on the hashes.
define packages # directory, requirements file
	@$(UV) pip install --quiet --python $(1)/bin/python --require-hashes -r $(2) || { \
	  echo "uv could not; pip tries with its own settings ..."; \
	  .venv/bin/python -m pip --python $(1)/bin/python install --quiet --require-hashes -r $(2); }
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
	@# where nothing is compiled yet, one process does it, not four; what fails here fails in the next line, and is told there
	@test -d tests/__pycache__ || python -m pytest --collect-only -qq > /dev/null || true
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
	@zizmor --offline --quiet --no-progress --format plain .github > /dev/null || zizmor --offline --no-progress .github
	@check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@check-jsonschema --quiet --builtin-schema vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	@check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml

benchmark: $(INSTALLED) ## times and ratios, each against a baseline measured in the same run
	@python -m tests.benchmarks

localcloud-stop: ## stop the embedded AWS; everything in it is gone
	@test ! -x .localcloud/venv/bin/localcloud || .localcloud/venv/bin/localcloud stop

lock: $(TOOLS) ## compile the *.in files into pinned, hashed lock files
	@for f in requirements requirements-install requirements-dev localcloud/requirements localcloud/functions/requirements localcloud/runners/requirements localcloud/runners/pytorch operations/jupyter; do \
	  uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet $$f.in -o $$f.txt; done

clean: localcloud-stop ## remove everything that was installed or generated
	@rm -rf .venv .localcloud node_modules cdk.out .cdk.out .jupyter reports

$(UV): requirements-install.txt
	@echo "Making .venv, and installing uv into it, which installs everything else ..."
	$(call venv,.venv)
	@.venv/bin/python -m pip install --quiet --no-compile --require-hashes -r $<
	@touch $@

$(PRODUCT): requirements.txt pyproject.toml $(UV)
	@echo "Installing the project's packages into .venv ..."
	$(call packages,.venv,$<)
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(TOOLS): requirements-dev.txt $(PRODUCT)
	@echo "Installing the test tools into .venv ..."
	$(call packages,.venv,$<)
	@touch $@

$(CDK): package-lock.json $(PRODUCT)
	@echo "Installing the CDK command line and Graphviz into node_modules ..."
	@npm ci --no-audit --no-fund --silent
	@touch $@

$(LOCALCLOUD): localcloud/requirements.txt localcloud/pyproject.toml $(UV)
	@echo "Installing localcloud, the embedded AWS ..."
	$(call venv,.localcloud/venv,--without-pip)
	$(call packages,.localcloud/venv,$<)
	@.venv/bin/python -m pip --python .localcloud/venv/bin/python install --quiet --no-deps --no-build-isolation -e localcloud
	@touch $@

$(FUNCTIONS): localcloud/functions/requirements.txt localcloud/functions/package-lock.json $(PRODUCT)
	@echo "Installing the runtimes of localcloud's functions ..."
	$(call venv,.localcloud/functions,--without-pip)
	$(call packages,.localcloud/functions,$<)
	@.localcloud/functions/bin/python -c 'import boto3; boto3.client("s3", region_name="us-east-1")'
	@cp localcloud/functions/package.json localcloud/functions/package-lock.json .localcloud/functions/
	@npm ci --prefix .localcloud/functions --no-audit --no-fund --silent
	@touch $@

$(RUNNERS): localcloud/runners/requirements.txt $(UV)
	@echo "Installing the runners of localcloud's jobs and endpoints ..."
	$(call venv,.localcloud/runners/classic)
	$(call packages,.localcloud/runners/classic,$<)
	@.localcloud/runners/classic/bin/python -c 'import boto3, pandas, scipy.stats, xgboost; from sklearn import cluster, compose, datasets, ensemble, impute, linear_model, metrics, model_selection, pipeline, preprocessing'
	@touch $@
