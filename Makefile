# What a person types: `make run` and `make test`. The rest is what these are made of.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
BIN := .venv/bin
SOURCES := src tests benchmarks drills notebook conftest.py
# What is not kept is compiled anew by each of the processes that the tests start: a second or three.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test check format lock bench fuzz image-test drills clean

run: .venv/.run  ## prepare the data, train if there is no model yet, and serve on http://localhost:$(PORT)
	$(BIN)/flight-delay up --host $(HOST) --port $(PORT)

test: .venv/.test check  ## check, and run all the tests
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: .venv/.test  ## lint, format, types, who imports whom
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/.test  ## put the code into its form
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

# All extras but `track`: MLflow is large, and holds back what it needs.
EXTRAS = $(addprefix --extra ,postgres traces train spark build notebook test check)

lock: .venv/.test  ## pin the newest allowed versions of everything, with hashes
	$(LOCK) --upgrade $(EXTRAS) -o requirements.txt
	$(LOCK) --extra postgres --extra train --extra build --constraint requirements.txt -o docker/requirements-train.txt
	$(LOCK) --extra postgres --constraint requirements.txt -o docker/requirements.txt

bench: .venv/.test  ## measure what the documentation quotes: half an hour, after `make run`; each line can be run alone
	$(BIN)/python benchmarks/serving.py
	$(BIN)/python benchmarks/shadow.py
	$(BIN)/python benchmarks/model.py
	$(BIN)/python benchmarks/etl.py
	$(BIN)/python benchmarks/compare.py

# atheris has no wheels but for Linux, so that only this needs it.
FUZZ_SECONDS ?= 60
FUZZED ?= predict query batch protocols outcomes upload model compressed point artifact

fuzz: .venv/.fuzz  ## send what nobody would to each reader of bytes, FUZZ_SECONDS each; after `make run`
	for name in $(FUZZED); do $(BIN)/python tests/fuzz/run.py $$name $(FUZZ_SECONDS) model || exit 1; done

image-test: .venv/.test  ## build the image with Docker, and hold it and the compose file to what the documents say
	$(BIN)/python -m pytest drills/test_image.py drills/test_compose.py

drills: .venv/.test  ## break one thing after the other on a real cluster, under load; writes docs/drills.md
	$(BIN)/python drills/run.py

clean:  ## remove what the commands made, but neither the model nor the history
	rm -rf .venv .bench .fuzz .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; this is $$($(PYTHON) --version). Try: make run PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.fuzz: .venv/.test
	$(BIN)/python -m pip install --disable-pip-version-check 'atheris>=3.0'
	@touch $@

.venv/.run: .venv/.python docker/requirements-train.txt pyproject.toml src/flight_delay/model/_kernel.c
	$(BIN)/python -m pip install --disable-pip-version-check -r docker/requirements-train.txt
	$(BIN)/python -m pip install --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

# uv takes half the time of pip, but knows nothing of how pip is set up to reach an index.
.venv/.test: .venv/.python requirements.txt pyproject.toml src/flight_delay/model/_kernel.c
	sed -n '/^uv==/,/# via/p' requirements.txt > .venv/uv.txt
	$(BIN)/python -m pip install --disable-pip-version-check -r .venv/uv.txt
	$(BIN)/uv pip install --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.txt || \
		$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch .venv/.run $@
