"""What adaptkit gives on a GPU is what it gives on the CPU."""

import pytest
import torch

from benchmarks.cuda.case import Case
from benchmarks.cuda.place import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(torch.device("cuda", 0), tmp_path_factory.mktemp("cuda"))


@pytest.mark.cuda
def test_case(case: Case, place: Place) -> None:
    outcome = case.run(place)
    assert outcome.checks
    assert [check for check in outcome.checks if not check.passed] == []
