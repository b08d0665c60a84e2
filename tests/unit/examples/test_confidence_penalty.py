"""A regulariser in one file outside the package goes wherever those of the package go."""

import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

import adaptkit
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.regularisers import Weighed
from adaptkit.requests import request_of
from tests.examples import imported
from tests.tiny import tiny_model
from tests.unit.heads.examples import similar, topics

NAME = "confidence_penalty"
RUN = adaptkit.Run(max_steps=40, batch_size=8, learning_rate=5e-3, progress=False)


@pytest.fixture(scope="module")
def module() -> Iterator[ModuleType]:
    with imported(NAME) as found:
        yield found


def test_its_penalty_is_the_negative_entropy(module: ModuleType) -> None:
    made = module.ConfidencePenaltyTraining(module.ConfidencePenalty(weight=0.5), None)
    outputs = torch.tensor([[0.75, 0.25], [0.5, 0.5]]).log()
    batch = Batch(torch.zeros(2, 1), torch.ones(2, 1), labels=torch.tensor([0, 1]))
    by_hand = (0.75 * math.log(0.75) + 0.25 * math.log(0.25) - math.log(2)) / 2
    assert float(made(torch.empty(0), outputs, batch)) == pytest.approx(0.5 * by_hand)


def test_it_trains_and_stands_on_the_card(module: ModuleType, tmp_path: Path) -> None:
    def surest(*regularisers: Weighed) -> float:
        model = tiny_model()
        adapter = adaptkit.train_adapter(
            task="t",
            data=topics(),
            backbone=model,
            run=RUN,
            regularisers=regularisers,
            output=tmp_path / str(len(regularisers)),
        )
        model.attach(adapter)
        found = model.predict(topics().examples[:8], stack="task/t")
        return float(max(max(each.probabilities.values()) for each in found))

    assert surest(module.ConfidencePenalty(weight=2.0)) < surest() - 0.05
    card = (tmp_path / "1" / "README.md").read_text(encoding="utf-8")
    assert "Method: confidence penalty: Pereyra et al. 2017, arXiv:1701.06548." in card
    facts = adaptkit.load_adapter(tmp_path / "1").training
    assert facts is not None
    assert facts.settings[NAME] == 2.0


def test_a_shell_has_its_weight_by_its_name(module: ModuleType) -> None:
    request = request_of({"task": "t", "data": ["a.tsv"], NAME: 0.3})
    assert isinstance(request, adaptkit.TaskRequest)
    assert request.regularisers == (module.ConfidencePenalty(weight=0.3),)


@pytest.mark.usefixtures("module")
def test_it_is_refused_where_it_means_nothing() -> None:
    with pytest.raises(
        ConfigError, match="confidence_penalty goes with task types where each target is one of several"
    ):
        adaptkit.train_adapter(task="t", data=similar(), backbone=tiny_model(), run=RUN, regularisers=NAME)
