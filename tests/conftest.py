"""Shared fixtures. No test may reach a network: the hub is switched off before anything imports it."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["ADAPTKIT_KEEP_PROOFS"] = "0"  # what one test has proven is not to spare another one's

from pathlib import Path

import pytest

from adaptkit import load_model
from adaptkit.model import AdaptedModel
from tests.decoder import embedded_decoder
from tests.tiny import tiny_model

DATA = Path(os.environ.get("ADAPTKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture
def model() -> AdaptedModel:
    """A tiny random BERT."""
    return tiny_model()


@pytest.fixture(scope="session")
def embedded_model() -> AdaptedModel:
    """The real embedded backbone, loaded once; every test leaves it without adapters."""
    return load_model()


@pytest.fixture(scope="session")
def decoder_model() -> AdaptedModel:
    """The real embedded decoder, SmolLM2-135M, loaded once; every test leaves it without adapters."""
    return load_model(embedded_decoder())


@pytest.fixture
def data_folder() -> Path:
    """The folder of research data; the test is skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"no research data at {DATA}; name its folder in ADAPTKIT_DATA")
    return DATA
