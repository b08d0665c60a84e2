"""The cases of `make cuda` as tests: all of them on a GPU, and one that says why there are none elsewhere."""

import pytest
import torch

from benchmarks.cuda.cases import all_cases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each case, where there is a GPU."""
    if "case" in metafunc.fixturenames:
        absent = pytest.param(None, marks=pytest.mark.skip(reason="torch sees no CUDA device here"), id="all")
        there = [pytest.param(case, id=name) for name, case in all_cases().items()]
        metafunc.parametrize("case", there if torch.cuda.is_available() else [absent])
