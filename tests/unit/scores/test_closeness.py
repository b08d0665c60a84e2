import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error

from adaptkit.errors import ConfigError
from adaptkit.scores import Closeness
from tests.scoring import score_of


def test_it_is_the_rest_of_the_mean_absolute_error() -> None:
    random = np.random.default_rng(0)
    predicted, gold = random.random(40).tolist(), random.random(40).tolist()
    assert score_of(Closeness(), predicted, gold) == pytest.approx(100 * (1 - mean_absolute_error(gold, predicted)))
    assert score_of(Closeness(), gold, gold) == 100
    assert score_of(Closeness(), [1.0, 0.0], [0.0, 1.0]) == 0


def test_every_gold_score_needs_its_prediction() -> None:
    with pytest.raises(ConfigError, match="1 predictions and 2 gold"):
        score_of(Closeness(), [0.1], [0.1, 0.2])
