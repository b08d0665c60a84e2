import pytest

from adaptkit.evaluation.results import TransferResults
from tests.unit.evaluation.invented import invented_results


@pytest.fixture
def results() -> TransferResults:
    return invented_results()
