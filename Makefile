# make run    the main job: 256 histories of the baseline, with a summary and a chart, in out/baseline
# make test   format, lint, types, tests
# make mutants    plant faults one at a time and say which test notices each; not part of `make test`
# make bench  timings of the parts that decide how long a run takes
# make soak   the promises kept at scale, for a bounded time; the record is in docs/trust.md
# make docs   the documentation, in build/docs/html; any warning is an error
# make notebooks   the tutorials executed anew, in place
# make help   the commands of the program

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PINNED := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test check format lint types tests mutants bench soak docs notebooks help clean
.DEFAULT_GOAL := help

run: $(VENV)/.run
	$(BIN)/computemarket run baseline --runs 256 --seed 1 --out out/baseline

test: lint types tests

check: test

# Two stages of one environment: what running needs, and what developing adds.
$(VENV)/.run: pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) -m venv $(VENV)
	$(PINNED) hatchling
	$(PINNED) --no-build-isolation --editable .
	touch $@

$(VENV)/.test: $(VENV)/.run
	$(PINNED) --no-build-isolation --editable '.[test,dev]'
	touch $@

$(VENV)/.docs: $(VENV)/.run
	$(PINNED) --no-build-isolation --editable '.[docs]'
	touch $@

format: $(VENV)/.test
	$(BIN)/ruff format --quiet
	$(BIN)/ruff check --quiet --fix

lint: $(VENV)/.test
	$(BIN)/ruff format --check
	$(BIN)/ruff check

# Both read typings/, where committed links lay the namespace out as the wheel does; pyproject.toml tells them so.
types: $(VENV)/.test
	$(BIN)/mypy
	$(BIN)/basedpyright --level error

tests: $(VENV)/.test
	$(BIN)/pytest --numprocesses 2 --dist loadfile

mutants: $(VENV)/.test
	$(BIN)/python -m tests.mutants.run

bench: $(VENV)/.test
	$(BIN)/pytest benchmarks -o python_files=bench_*.py --capture=no --benchmark-only --benchmark-columns=median,iqr,rounds --benchmark-sort=name

# Resumed where it stopped; SECONDS=600 tries each promise for ten minutes, or as often as wanted.
SECONDS ?= 120
soak: $(VENV)/.test
	$(BIN)/python benchmarks/soak.py --seconds $(SECONDS) --record

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html -d build/docs/doctrees docs build/docs/html
	@echo build/docs/html/index.html

notebooks: $(VENV)/.test
	for notebook in notebooks/*.ipynb; do $(BIN)/jupyter execute --inplace "$$notebook" || exit 1; done

help: $(VENV)/.run
	$(BIN)/computemarket --help

clean:
	rm -rf $(VENV) build dist out .mypy_cache .pytest_cache .ruff_cache
