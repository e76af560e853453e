# Everything runs in .venv, which is made with the exact versions of constraints.txt.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test lint types layers bench fuzz crash samples recording-times ram-study study bpf clean

run: $(STAMP)
	$(BIN)/cswap run --out out/density --force

test: $(STAMP)
	$(BIN)/pytest -n 2

lint: $(STAMP)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

bench: $(STAMP)
	set -e; for file in benchmarks/*.py; do $(BIN)/python $$file; done

# Mutated inputs at every door, CASES at each; what is answered wrongly goes to out/fuzz. BOUNDSCHECK=1 checks every index.
CASES ?= 100000
FIRST ?= 0
fuzz: $(STAMP)
	$(BIN)/python tests/fuzz/fuzz.py --cases $(CASES) --first $(FIRST) $(DOORS:%=--door %) $(if $(BOUNDSCHECK),--bounds-check)

# Commands killed at random moments; those that add devices only as root.
KILLS ?= 200
crash: $(STAMP)
	$(BIN)/python tests/crash/crash.py --kills $(KILLS)

# Records the programs of workloads/samples/programs anew, and makes the samples and workloads/recordings of them; needs root.
samples: $(STAMP)
	$(BIN)/python workloads/samples/programs/make.py $(NAMES)

# Takes the codec times of the samples again, and of workloads/recordings by them; let nothing else run meanwhile.
recording-times: $(STAMP)
	$(BIN)/python workloads/samples/programs/times.py $(NAMES)

# Records the same programs in memories of several sizes, as far as out/ram-study lacks them, and makes results/ram; needs root.
ram-study: $(STAMP)
	$(BIN)/python results/ram/make.py $(NAMES)

# The answers to the thread of February 2012: sweeps into out/study, then results/2012-thread; goes on where it was interrupted.
study: $(STAMP)
	$(BIN)/python results/2012-thread/make.py

# The recorder's programs for the kernel; needs clang, llvm and libbpf's headers (Debian: clang llvm libbpf-dev).
BPF := workloads/recorder/bpf/
bpf:
	clang -g -O2 -target bpf -mcpu=v3 -Wall -Werror -ffile-prefix-map=$(CURDIR)=. -I/usr/include/$(shell uname -m)-linux-gnu \
		-DSOURCE_DIGEST='"$(shell cat $(sort $(wildcard $(BPF)*.[ch])) | sha256sum | cut -c1-64)"' \
		-c $(BPF)swap.bpf.c -o $(BPF)swap.bpf.o
	llvm-strip -g $(BPF)swap.bpf.o

clean:
	rm -rf $(VENV) build dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "cswap needs Python 3.11 or later; give one: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
