# make            set up .venv and run the default study on all cores -> results/post/report.html
# make test       set up .venv with the development tools and run every test (those of the report need Chromium)
# make cluster      add what submits jobs to a cluster (README.md, "On a cluster")
# make test-cluster run the tests of the cluster on a Slurm of one node on this machine (as root, on Debian)
# make prune      list the runs in results/ that no study refers to; REMOVE=yes removes them
# make lint       formatting and static checks of the workflow and the code
# make benchmark  time the training, the methods and whole studies -> benchmarks/results/
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all

.PHONY: all run test cluster test-cluster lint prune benchmark lock clean
.DEFAULT_GOAL := run

all: run

run: $(VENV)/.installed
	$(BIN)/snakemake --cores $(CORES)

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto --maxprocesses 4 tests

cluster: $(VENV)/.installed-cluster

test-cluster: $(VENV)/.installed-dev $(VENV)/.installed-cluster
	sh tests/cluster/install.sh
	REGATLAS_TEST_CLUSTER=$${REGATLAS_TEST_CLUSTER:-yes} $(BIN)/python -m pytest tests/cluster

prune: $(VENV)/.installed
	$(BIN)/python scripts/prune.py $(if $(CONFIGFILES),--configfile $(CONFIGFILES)) $(if $(filter yes,$(REMOVE)),--remove)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check workflow
	$(BIN)/snakemake --lint

# make benchmark BENCHMARK=--help shows the options. What is not installed is skipped: benchmarks/README.md.
benchmark: $(VENV)/.installed
	$(BIN)/python -m benchmarks $(BENCHMARK)

# Exact versions with hashes; nothing else is taken. A new requirements file makes the environment anew.
$(VENV)/.installed: requirements.txt
	$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info[:2] <= (3, 13) or sys.exit("Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is %d.%d: make PYTHON=python3.11" % sys.version_info[:2])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.txt
	touch $@

$(VENV)/.installed-cluster: requirements-cluster.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps --requirement requirements-cluster.txt
	touch $@

# Recompute the pins from pyproject.toml (needs uv).
LOCK = uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
       --generate-hashes --no-annotate --no-header
lock:
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) --group dev --constraint requirements.txt pyproject.toml -o requirements-dev.txt
	$(LOCK) --no-deps --group cluster -o requirements-cluster.txt
	uv pip compile --quiet --no-deps --no-annotate --no-header --group benchmarks -o requirements-benchmarks.txt

clean:
	rm -rf $(VENV) .snakemake
