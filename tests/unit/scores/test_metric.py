import numpy as np
import pytest

from adaptkit.errors import ConfigError
from adaptkit.scores import Accuracy, AnswerF1, EntityF1, ExactMatch, MacroF1, Metric
from tests.scoring import score_of

# A metric with two examples, the second of them wrong.
TEXTS = (["a", "b"], ["a", "a"])
SENTENCES = ([["B-X"], ["O"]], [["B-X"], ["B-X"]])
QUESTIONS = (["a1", "b1"], [("a1",), ("a1",)])
CASES = [
    pytest.param(Accuracy(), *TEXTS, id="accuracy"),
    pytest.param(MacroF1(("a", "b")), *TEXTS, id="macro F1"),
    pytest.param(EntityF1(), *SENTENCES, id="entity F1"),
    pytest.param(ExactMatch(), *QUESTIONS, id="exact match"),
    pytest.param(AnswerF1(), *QUESTIONS, id="answer F1"),
]


@pytest.mark.parametrize(("metric", "predicted", "gold"), CASES)
def test_many_draws_are_scored_at_once(
    metric: Metric[object, object], predicted: list[object], gold: list[object]
) -> None:
    statistics = metric.statistics(predicted, gold)
    draws = np.array([[[0, 0], [1, 1]], [[0, 1], [1, 0]], [[0, 1], [0, 0]]])
    scores = metric.score(statistics[draws].sum(axis=2))
    one_by_one = [
        [score_of(metric, [predicted[i] for i in draw], [gold[i] for i in draw]) for draw in row] for row in draws
    ]
    assert scores.shape == (3, 2)
    assert scores.tolist() == one_by_one
    assert scores[0].tolist() == [100, 0]


@pytest.mark.parametrize(("metric", "predicted", "gold"), CASES)
def test_every_gold_answer_needs_its_prediction(
    metric: Metric[object, object], predicted: list[object], gold: list[object]
) -> None:
    with pytest.raises(ConfigError, match="1 predictions and 2 gold"):
        score_of(metric, predicted[:1], gold)
    with pytest.raises(ConfigError, match="0 predictions and 0 gold"):
        score_of(metric, [], [])


def test_reports_can_tell_metrics_apart() -> None:
    assert len({Accuracy().name, MacroF1(("a",)).name, EntityF1().name, ExactMatch().name, AnswerF1().name}) == 5
