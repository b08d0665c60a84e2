# Everything runs in .venv; `make test` and `make demo` set up all they need.
PYTHON ?= python3
BIN := .venv/bin
TORCH := torch==2.13.0

.PHONY: install demo test check fix bench clean

.venv/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

install: .venv/installed

demo: install  ## train, save, reload and test a Swahili adapter on the embedded backbone
	$(BIN)/adaptkit demo

test: install  ## the whole everyday suite
	$(BIN)/python -m pytest

check: install  ## what must hold before a commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

fix: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install  ## MLM training against transformers + peft; appends to benchmarks/results/
	$(BIN)/python -m benchmarks.run mlm_training

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
