# Two commands are enough on a fresh machine with Python 3.11 or newer: `make serve` and `make test`.
#
#   make serve ARGS="--port 5000 --scenario flaky-network"      everything in ARGS goes to `cnx-mock serve`
#   make test ARGS="-k pagination -x"                           … to pytest; without ARGS the coverage gate holds
#   make test ARGS="-m 'not slow'"                              the quick tests, to run while you work
#   make serve PYTHON=python3.13                                another Python than the one found
#
# A checkout installs the versions of constraints.txt, so that it does today what it did when it was committed. People
# who install the package get the newest versions that pyproject.toml allows: `make test-latest` tests those.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
LATEST := .venv-latest
CONSTRAINTS := constraints.txt
ARGS ?=
PYTHON ?=

# Hundreds of processes import the same modules: their byte code is kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help serve test retest judge test-long test-latest lint check docs bench bench-peers soak soak-page fuzz build upgrade clean FORCE
.NOTPARALLEL:

help:
	@echo 'make serve    make the environment, install, serve        ARGS="--scenario flaky-network"'
	@echo 'make test     make the environment, install, run the tests   ARGS="-k pagination"'
	@echo "              the quick ones alone                       ARGS=\"-m 'not slow'\""
	@echo 'make retest   the tests that failed last, once more, one after the other'
	@echo 'make test-long  the same, with more rounds of the tests that use chance'
	@echo 'make judge    the tests in which the tools of others have the last word (needs Node, Go and Java)'
	@echo 'make lint     ruff (format and lint) and mypy, strict'
	@echo 'make check    lint, test and judge: all that must hold before a commit'
	@echo 'make docs     the reference from the code, and the documentation as a site, in site/'
	@echo 'make bench    how fast it is, beside what it is like (needs wrk)   ARGS="--quick --only list,start"'
	@echo 'make bench-peers  the same, beside other mock servers from npm and pip (needs Node and Java)'
	@echo 'make soak     a server under clients that misbehave, four minutes   ARGS="--seconds 60"'
	@echo 'make soak-page  the live page beside much traffic, two minutes (needs chromium and wrk)'
	@echo 'make fuzz     bytes of all kinds for everything that reads          ARGS="yaml --seed 7"'
	@echo 'make build    the sdist and the wheel, in dist/'
	@echo 'make upgrade  the newest versions of everything into $(CONSTRAINTS)'
	@echo 'make test-latest  the tests with the newest versions, in $(LATEST)   ARGS="-k pagination"'
	@echo 'make clean    remove the environment and everything that tools left behind'

serve: $(VENV)/installed
	@exec $(BIN)/cnx-mock serve $(ARGS)

# tests/workers.py shares the tests among processes; tests/conftest.py has put the long files first. A choice by marker is
# large, and is shared likewise, unless it names its own number. tests/measuring.py finds what the tests reach; the report
# and the gate are coverage.py's.
#
# Tests wait about as long as they compute, so four workers are useful on two cores.
FOUND := .cache/measured/found
PARALLEL := -p tests.workers --workers 4
test: $(VENV)/installed-test
ifeq ($(strip $(ARGS)),)
	@rm -rf $(FOUND)
	@$(BIN)/python -m pytest -p tests.measuring $(PARALLEL) -m 'not judge'
	@$(BIN)/python -m tests.measuring
	@$(BIN)/coverage report
else
	@$(BIN)/python -m pytest $(if $(filter -m,$(ARGS)),$(if $(filter -n% --workers% --pdb --trace -s,$(ARGS)),,$(PARALLEL))) $(ARGS)
endif

# What failed in the last run, once more, one test after the other. A `make test` that failed has not come to its coverage gate.
retest: $(VENV)/installed-test
	@$(BIN)/python -m pytest $(if $(wildcard $(FOUND)),-p tests.measuring) -v -n 0 --last-failed --last-failed-no-failures none
	@[ ! -d $(FOUND) ] || { $(BIN)/python -m tests.measuring && $(BIN)/coverage report; }

# The tests that try what chance gives them try as much as possible.
test-long: $(VENV)/installed-test
	@LONG_TESTS=1 $(BIN)/python -m pytest $(PARALLEL) $(if $(ARGS),$(ARGS),-m 'not judge')

# Other people's tools have the last word on the document and on the server: linters, generators of clients, schemathesis.
# They say the same until an operation changes, and take as long as everything else, so they have a target of their own.
judge: $(VENV)/installed-test
	@$(BIN)/python -m pytest $(PARALLEL) -m judge $(ARGS)

# Not made again and again by a stamp: what is newest is known to the index alone.
test-latest: $(VENV)/made
	@$(call make_latest,test)
	@$(LATEST)/bin/python -m pytest $(PARALLEL) $(ARGS)

# Made with the oldest Python that is supported, so that every version exists for all of them.
upgrade: $(VENV)/made
	@$(BIN)/python -c "$$is_oldest"
	@$(call make_latest,dev)
	@{ echo "# What \`make\` installs in a checkout: \`make upgrade\` writes it. The package itself leaves versions open."; \
	  $(LATEST)/bin/python -m pip --disable-pip-version-check freeze --exclude-editable | LC_ALL=C sort -f; } > $(LATEST)/$(CONSTRAINTS)
	@! grep -n ' @ ' $(LATEST)/$(CONSTRAINTS) || { echo "these are files, not versions: $(CONSTRAINTS) stays as it is"; exit 1; }
	@mv $(LATEST)/$(CONSTRAINTS) $(CONSTRAINTS)
	@echo "wrote $(CONSTRAINTS): now make check"

lint: $(VENV)/installed-lint
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

check: lint test judge

# Strict: a link or an anchor that leads nowhere fails. Whoever reads the site needs no network for it.
docs: $(VENV)/installed-docs
	@$(BIN)/python -m tests.docs.generate
	@$(BIN)/zensical build --strict --clean
	@! grep -rlE '<(script|link|img|iframe)[^>]*(src|href)="?(https?:)?//' site --include='*.html' \
	  || { echo "these pages load something from another host"; exit 1; }

bench: $(VENV)/installed-test
	@$(BIN)/python -m tests.bench.bench $(ARGS)

# Into .bench-peers, which git ignores. What cannot be installed is named, and left out.
bench-peers: $(VENV)/installed-test
	@$(BIN)/python -m tests.bench.peers
	@$(BIN)/python -m tests.bench.bench --peers $(ARGS)

soak: $(VENV)/installed
	@$(BIN)/python tests/soak/soak.py $(ARGS)

soak-page: $(VENV)/installed-test
	@$(BIN)/python -m tests.soak.live_page $(ARGS)

# atheris does not install everywhere, and is needed by nothing else.
fuzz: $(VENV)/installed-test
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(PIP) install atheris 2>/dev/null || true
	@$(BIN)/python -m tests.fuzz.fuzz $(ARGS)

build: $(VENV)/installed-test
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist .

clean:
	@rm -rf $(VENV) $(LATEST) .bench-peers bench.json build dist site .cache .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache
	@find cnx_mock tests -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the environment
#
# $(VENV)/made             holds the folder that it was made in: a moved checkout gets a new one
# $(VENV)/asked            holds the PYTHON= that it was made with
# $(VENV)/busy             is there while something is installed: if an interrupted run left it, we start afresh
# $(VENV)/installed…       stamps: younger than pyproject.toml and constraints.txt, or it is installed again

ifneq ($(wildcard $(VENV)/busy),)
$(VENV)/made: FORCE
else ifeq ($(wildcard $(BIN)/python),)
$(VENV)/made: FORCE
else ifneq ("$(CURDIR)","$(shell cat $(VENV)/made 2>/dev/null)")
$(VENV)/made: FORCE
else ifneq ($(PYTHON),)
ifneq ("$(PYTHON)","$(shell cat $(VENV)/asked 2>/dev/null)")
$(VENV)/made: FORCE
endif
endif

# Prints `python=…`, or one line that says what is missing. `$(error)` then is the only line that make prints.
define find_python
asked='$(PYTHON)'; old=; bare=; \
for p in $${asked:-python3 python3.14 python3.13 python3.12 python3.11 python}; do \
  v=$$("$$p" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
  if ! "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then old="$${old:-$$p is $$v}"; continue; fi; \
  if ! "$$p" -c 'import ensurepip, venv' 2>/dev/null; then bare="$${bare:-$$v}"; continue; fi; \
  echo "python=$$p"; exit; \
done; \
if [ -n "$$bare" ]; then echo "Python $$bare is here without its venv module: install it (Debian, Ubuntu: apt-get install python$$bare-venv)"; \
elif [ -n "$$old" ]; then echo "cnx-mock needs Python 3.11 or newer, and $$old: install a newer one, or name it: make PYTHON=/path/to/python3"; \
elif [ -n "$$asked" ]; then echo "cnx-mock needs Python 3.11 or newer, and PYTHON=$$asked does not run"; \
else echo "cnx-mock needs Python 3.11 or newer, and none was found: install it (Debian, Ubuntu: apt-get install python3 python3-venv)"; fi
endef
found_or_stop = $(if $(findstring python=,$(1)),$(subst python=,,$(1)),$(error $(1)))

$(VENV)/made:
	@python='$(call found_or_stop,$(shell $(find_python)))' && echo "Making $(VENV) with $$python …" && rm -rf $(VENV) \
	  && "$$python" -m venv $(VENV) && printf '%s' '$(PYTHON)' > $(VENV)/asked && printf '%s' '$(CURDIR)' > $@

$(VENV)/installed: $(VENV)/made pyproject.toml $(CONSTRAINTS)
	@echo 'Installing cnx-mock …'
	@touch $(VENV)/busy
	@$(PIP) install --constraint $(CONSTRAINTS) --editable .
	@rm $(VENV)/busy && touch $@

# The pip of a stock Python 3.11 cannot install a dependency group, so a few lines of Python unfold it.
define unfold
import sys, tomllib
groups = tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]
def unfold(name):
    for item in groups[name]:
        yield from unfold(item["include-group"]) if isinstance(item, dict) else [item]
print(*dict.fromkeys(unfold(sys.argv[1])), sep="\n")
endef
export unfold

$(VENV)/installed-test $(VENV)/installed-lint $(VENV)/installed-docs: $(VENV)/installed-%: $(VENV)/installed
	@echo 'Installing what $* needs …'
	@touch $(VENV)/busy
	@$(BIN)/python -c "$$unfold" $* > $(VENV)/$*.txt
	@$(PIP) install --constraint $(CONSTRAINTS) --requirement $(VENV)/$*.txt
	@rm $(VENV)/busy && touch $@

# make_latest GROUP: a new environment with the newest versions of the package's and the group's requirements.
define make_latest
echo 'Making $(LATEST) with the newest versions …' && rm -rf $(LATEST) && $(BIN)/python -m venv $(LATEST) \
  && $(BIN)/python -c "$$unfold" $(1) > $(LATEST)/$(1).txt \
  && $(LATEST)/bin/python -m pip --quiet --disable-pip-version-check install --editable . --requirement $(LATEST)/$(1).txt
endef

define is_oldest
import re, sys, tomllib
oldest = re.search(r"[0-9.]+", tomllib.load(open("pyproject.toml", "rb"))["project"]["requires-python"])[0]
if "%d.%d" % sys.version_info[:2] != oldest:
    sys.exit(f"constraints.txt must hold for Python {oldest} too: make upgrade PYTHON=python{oldest}")
endef
export is_oldest
