# make report STUDY=data/my_study   renders the reports of a study;   STUDY=my.xlsx   of a file;   make help   lists the rest.
# Everything runs in .venv, which is made from requirements.lock and made anew only when that file changes; what tests need
# comes on top. The newest Python that the lock serves is taken; another: make PYTHON=python3.11
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
  $$python -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' > /dev/null 2>&1 && echo $$python && break; done)
STUDY  ?= data/rair_dtc
PLAN   ?= plans/example.yml
JOBS   ?= 2
FORMAT ?= html
FUZZ   ?= 2000
MUTANTS ?= 300
FUZZ_SEED ?= $(shell date +%s)
# in the order of tests/conftest.py
SHARED := --dist loadfile --no-loadscope-reorder
BIN    := .venv/bin
READY  := .venv/.ready
TOOLS  := .venv/.tools

# =1.2 in environment.yml is any 1.2.x
pinned = sed -nE -e 's/^ *- ([a-z0-9._-]+)=([0-9][0-9.]*)$$/\1==\2.*/p' -e 's/^ *- ([a-z0-9._-]+==.*)$$/\1/p' $(1)
# what is said in which language (pyproject.toml: where); tests read this line
EXTRACT = pybabel --quiet extract -F pyproject.toml -k _ -k N_ -k Nn_:1,2 -k ngettext:1,2 --no-location --sort-output --omit-header
COMPILE = $(BIN)/uv pip compile - --quiet --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: help report batch check quick test slow fuzz siege lint types lab explore lock words notebooks pictures golden mutants screenshots cohort reference bench bench-statistics clean
.DEFAULT_GOAL := help

help:       ## list the targets
	@sed -nE 's/^([a-z-]+): .*## (.*)/make \1\t\2/p' Makefile

report: $(READY)  ## render the reports of STUDY into outputs/; those that are there already only with AGAIN=1
	$(BIN)/python -m lib report --study $(STUDY) --jobs $(JOBS) --format $(FORMAT) $(if $(AGAIN),--again)

batch: $(READY)  ## render every report that PLAN names, and an index of them; what is there already stays
	$(BIN)/python -m lib batch $(PLAN) --resume --jobs $(JOBS)

check: $(READY)  ## check the tables of STUDY and list every data query, nothing else
	$(BIN)/python -m lib check --study $(STUDY)

quick: $(TOOLS)  ## the tests that take no notebook, no browser and no patience
	$(BIN)/python -m pytest -n $(JOBS) $(SHARED) -m "not notebook and not browser and not thorough"

test: $(TOOLS)  ## all tests: statistics against R, intake, runner, notebooks
	$(BIN)/python -m pytest -n $(JOBS) $(SHARED) --durations=30

slow: $(TOOLS)  ## measure on an idle machine for which tests make quick has no patience, and list them in tests/slow.txt
	: > tests/slow.txt
	MEASURE_SLOW=1 $(BIN)/python -m pytest -n $(JOBS) $(SHARED) -m "not notebook and not browser and not thorough"

fuzz: $(TOOLS)  ## other inputs than make test draws, and many random studies (FUZZ=2000 how many, FUZZ_SEED= which)
	@echo "seed $(FUZZ_SEED)"
	FUZZ=$(FUZZ) $(BIN)/python -m pytest -n $(JOBS) $(SHARED) -m hypothesis --hypothesis-seed=$(FUZZ_SEED)
	FUZZ=$(FUZZ) FUZZ_SEED=$(FUZZ_SEED) $(BIN)/python -m pytest tests/whole/test_random_studies.py

siege: $(TOOLS)  ## a kill at every step that changes a file, hostile command lines by the thousand, half an hour of fifty visitors (SIEGE_SECONDS=), every page and picture of every study
	SIEGE=1 FUZZ=$(FUZZ) $(BIN)/python -m pytest tests/whole/test_kills.py tests/commands/test_gate.py tests/explore/test_siege.py -s --hypothesis-seed=$(FUZZ_SEED)
	SIEGE=1 $(BIN)/python -m pytest $$(grep -rlE 'words_alone|each_week' tests --include='test_*.py')

lint: $(TOOLS) types  ## style of code and docstrings; imports point down; types
	$(BIN)/ruff check lib tests data notebooks
	find lib -name '*.py' | xargs $(BIN)/numpydoc lint
	$(BIN)/lint-imports --no-cache

types: $(TOOLS)  ## types of lib; strict for study, dataset, analyse and report (pyproject.toml)
	$(BIN)/mypy

lab: $(READY)  ## open the notebooks in JupyterLab, as copies in outputs/lab
	$(BIN)/python -m lib lab

explore: $(READY)  ## serve the interactive page for a ward computer on 127.0.0.1
	$(BIN)/python -m lib explore

lock: $(TOOLS)  ## derive requirements.lock and tests/requirements.lock (exact pins, hashes) from the two environment.yml
	$(call pinned,environment.yml) | $(COMPILE) -o requirements.lock
	$(call pinned,tests/environment.yml) | $(COMPILE) -c requirements.lock -o tests/requirements.lock

words: $(TOOLS)  ## bring lib/languages/*.po up to what the code says; then translate what is empty or marked fuzzy there
	$(BIN)/$(EXTRACT) -o .venv/messages.pot .
	for file in lib/languages/*.po; do $(BIN)/pybabel --quiet update --omit-header --ignore-obsolete -w 150 -i .venv/messages.pot -o $$file -l $$(basename $$file .po); done

notebooks: $(TOOLS)  ## run the notebooks with the shipped study and keep what they show
	$(BIN)/python tests/refresh_notebooks.py

screenshots: $(TOOLS)  ## take the README's pictures of the interactive page
	$(BIN)/python tests/make_screenshots.py

pictures: $(TOOLS)  ## draw the baselines of the picture tests anew: look at what changed, then commit
	REFRESH_PICTURES=1 $(BIN)/python -m pytest tests/show/plots/test_pictures.py

golden: $(TOOLS)  ## write the texts that the golden tests compare anew: read what changed, then commit
	REFRESH_GOLDEN=1 SIEGE=1 $(BIN)/python -m pytest tests/whole/test_golden.py tests/publish tests/languages -k as_it_was_read

mutants: $(TOOLS)  ## plant errors in a copy of the code, one at a time; print which no test finds (MUTANTS=300 drawn ones, or SAMPLE=30 of all)
	$(BIN)/python tests/mutants/run.py $(if $(SAMPLE),--sample $(SAMPLE),--drawn $(MUTANTS))

cohort: $(READY)  ## make the synthetic cohort anew from its seed
	$(BIN)/python data/rair_dtc/make_cohort.py

reference: $(TOOLS)  ## run R on the reference data and compare with the committed values
	$(BIN)/python tests/reference/compare.py

bench: $(TOOLS)  ## speed and memory against papermill, R Markdown and other survival engines (two hours); into docs/benchmarks.md
	$(BIN)/python tests/bench/bench.py

bench-statistics: $(TOOLS)  ## type-I error and coverage at the cohort's size, by simulation; table into data/README.md
	$(BIN)/python tests/bench_statistics.py

clean:      ## remove what was made here and can be made again: environment and reports; what you wrote or edited stays
	@$(PYTHON) -m lib.run.clean

# This folder is a package too: pyproject.toml names what it adds to papermill.
$(READY): .venv/.synced pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

$(TOOLS): $(READY) tests/requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r tests/requirements.lock
	touch $@

# uv installs in seconds and compiles the bytecode; its own pin and hash come from the lock.
.venv/.synced: requirements.lock
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 was found: install one from python.org (on Debian also python3-venv), or name it: make PYTHON=/path/to/python" >&2; exit 2; }
	$(PYTHON) -m venv --clear .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r .venv/uv.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	touch $@
