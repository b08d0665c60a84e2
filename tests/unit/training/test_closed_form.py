"""Weights in closed form: the same as by the textbook, and in training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import adaptkit
from adaptkit.data.tokens import TokenStore
from adaptkit.errors import ConfigError, DivergedTraining, TrainingInterrupted
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.training.bags import Bags
from adaptkit.training.closed_form import bytes_to_solve, solved
from adaptkit.training.closed_run import ClosedRun
from adaptkit.training.frozen_vectors import frozen_vectors
from tests.adapters import random_adapter
from tests.pieces import OWN_PIECES
from tests.runs import ctrl_c_in
from tests.tiny import tiny_model, unigram_model

N_TEXTS, N_ROWS, WIDTH = 30, 50, 6
PAIRS = adaptkit.sample_pairs("sw")[:120]
SMALL = adaptkit.Ngrams(ngram_rows=512, ngram_width=16)
QUIET = adaptkit.Run(progress=False)


@pytest.fixture
def bags() -> Bags:
    generator = torch.Generator().manual_seed(1)
    places = torch.randint(0, N_ROWS, (N_TEXTS, 12), generator=generator)
    weights = (torch.rand(N_TEXTS, 12, generator=generator) - 0.3).clamp(min=0)
    return Bags.of([(places[:10], weights[:10]), (places[10:], weights[10:])], N_ROWS)


def dense(bags: Bags) -> NDArray[np.float64]:
    matrix = np.zeros((N_TEXTS, N_ROWS))
    np.add.at(matrix, (bags.texts.numpy(), bags.places.numpy()), bags.weights.numpy())
    return matrix


def lacking() -> Tensor:
    return torch.randn(N_TEXTS, WIDTH, generator=torch.Generator().manual_seed(2))


def test_products_are_those_of_the_matrix(bags: Bags) -> None:
    matrix = dense(bags)
    table = torch.randn(N_ROWS, 3)
    np.testing.assert_allclose(bags.times(table), matrix @ table.numpy(), atol=1e-5)
    np.testing.assert_allclose(bags.turned_times(lacking()), matrix.T @ lacking().numpy(), atol=1e-5)
    np.testing.assert_allclose(bags.gram(), matrix @ matrix.T, atol=1e-5)
    with_text = (matrix > 0).sum(axis=0)
    expected = np.where(with_text >= 3, np.log((1 + N_TEXTS) / (1 + with_text)) + 1, 0)
    np.testing.assert_allclose(bags.rareness(3), expected, atol=1e-5)


@pytest.mark.parametrize("penalty", [0.1, 2.0])
def test_the_solution_is_ridge_regression(bags: Bags, penalty: float) -> None:
    found = solved(bags, lacking(), rank=8, penalty=penalty, least_texts=2)
    weighted = dense(bags) * bags.rareness(2).numpy()
    weighted /= np.sqrt((weighted**2).sum(axis=1).mean())
    target = lacking().numpy() - lacking().numpy().mean(axis=0)
    primal = np.linalg.solve(weighted.T @ weighted + penalty * np.eye(N_ROWS), weighted.T @ target)
    given = bags.times(found.rows) @ found.turned.T + found.shift
    np.testing.assert_allclose(given, weighted @ primal + lacking().numpy().mean(axis=0), atol=1e-4)


def test_of_a_small_rank_it_is_the_best_for_the_texts(bags: Bags) -> None:
    whole = solved(bags, lacking(), rank=WIDTH, penalty=0.5, least_texts=1)
    fitted = (bags.times(whole.rows) @ whole.turned.T).numpy()
    small = solved(bags, lacking(), rank=2, penalty=0.5, least_texts=1)
    left, values, right = np.linalg.svd(fitted)
    best = left[:, :2] * values[:2] @ right[:2]
    np.testing.assert_allclose(bags.times(small.rows) @ small.turned.T, best, atol=1e-4)
    assert small.rows.shape == (N_ROWS, 2)


def test_a_penalty_that_is_too_small_is_told() -> None:
    alike = Bags.of([(torch.zeros(5, 1, dtype=torch.long), torch.ones(5, 1))], N_ROWS)
    with pytest.raises(DivergedTraining, match="penalty"):
        solved(alike, torch.randn(5, WIDTH), rank=2, penalty=1e-12, least_texts=5)


def trained(**asked: object) -> Adapter:
    return adaptkit.train_adapter(**{"lang": "sw", "method": SMALL, "backbone": tiny_model(), "run": QUIET} | asked)  # type: ignore[arg-type]


def test_held_out_sentences_come_nearer_to_their_translations(tmp_path: Path) -> None:
    adapter = trained(parallel=PAIRS, output=tmp_path / "sw")
    facts = adapter.training
    assert facts is not None
    assert facts.heldout_loss_after is not None
    assert facts.heldout_loss_before is not None
    assert facts.heldout_loss_after < 0.95 * facts.heldout_loss_before
    assert (facts.objective, facts.stopped_because) == ("ridge", "found in closed form")
    assert adapter.id == "language/sw-ngrams"
    assert adapter.language == "sw"
    assert {tensor.dtype for tensor in adapter.tensors.values()} == {torch.float16}
    assert adaptkit.load_adapter(tmp_path / "sw").tensors_sha256 == adapter.tensors_sha256
    assert "An ngrams adapter of " in (tmp_path / "sw" / "README.md").read_text(encoding="utf-8")
    assert trained(parallel=PAIRS).tensors_sha256 == adapter.tensors_sha256


def test_it_is_fitted_to_what_the_adapter_below_leaves() -> None:
    below = adaptkit.train_adapter(
        lang="sw", parallel=PAIRS, backbone=tiny_model(), run=adaptkit.Run(max_steps=3, progress=False)
    )
    model = tiny_model()
    adapter = trained(parallel=PAIRS, on=[below], backbone=model)
    assert adapter.below == (below.id,)
    model.attach(below)
    model.attach(adapter)
    ours, theirs = ([pair[side] for pair in PAIRS] for side in (1, 0))
    targets = model.encode(theirs)
    far, near = ((model.encode(ours, stack=stack) - targets).norm(dim=1).mean() for stack in (below, adapter))
    assert near < 0.95 * far


def test_it_is_not_fitted_above_pieces_whose_letters_it_does_not_know() -> None:
    model = unigram_model()
    below = random_adapter(model, OWN_PIECES)
    with pytest.raises(ConfigError, match="language/sw has text read by 16 pieces, whose letters method 'ngrams'"):
        trained(parallel=PAIRS, on=[below], backbone=model)


def test_so_many_pairs_are_fitted_on_at_most() -> None:
    few = trained(parallel=PAIRS, objective=adaptkit.Ridge(most_pairs=40))
    assert few.training is not None
    assert few.training.steps == 2
    assert few.tensors_sha256 != trained(parallel=PAIRS).tensors_sha256


def test_of_a_large_text_no_more_translations_are_encoded_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []

    def vectors_of(model: AdaptedModel, store: TokenStore, **options: Any) -> Tensor:  # noqa: ANN401 - handed on
        encoded.append(len(store))
        return frozen_vectors(model, store, **options)

    monkeypatch.setattr("adaptkit.recipes.text.frozen_vectors", vectors_of)
    estimate = adaptkit.estimate_adapter(
        lang="sw",
        parallel=adaptkit.sample_pairs("sw"),
        method=SMALL,
        objective=adaptkit.Ridge(most_pairs=150),
        backbone=tiny_model(),
    )
    # 16 of them are held out.
    assert encoded == [166]
    assert "text: 166 of its sentences are taken by chance, so that there are 150 to train on" in estimate.plan
    assert estimate.n_steps == 5


def test_a_run_that_is_interrupted_claims_no_checkpoint(tmp_path: Path) -> None:
    output = tmp_path / "sw-ngrams"
    with (
        ctrl_c_in(ClosedRun, "_read", call=2),
        pytest.raises(
            TrainingInterrupted, match=r"stopped at step 2 of .* is in memory alone\. There is no checkpoint\.$"
        ),
    ):
        trained(parallel=PAIRS, output=output)
    assert list(tmp_path.iterdir()) == [tmp_path / "sw-ngrams.training_log.jsonl"]


def test_a_penalty_that_leaves_nothing_is_told() -> None:
    with pytest.raises(
        ConfigError, match=r"by penalty=1000000000000\.0, weights are so small that 16 bits do not hold them"
    ):
        trained(parallel=PAIRS, objective=adaptkit.Ridge(penalty=1e12))


def test_nothing_in_so_many_texts_is_told() -> None:
    with pytest.raises(ConfigError, match="nothing is in least_texts=500 of the 108 texts"):
        trained(parallel=PAIRS, objective=adaptkit.Ridge(least_texts=500))


def test_memory_is_that_of_solving_beside_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptkit.training.closed_run.resident_bytes", lambda: 2**50)
    estimate = adaptkit.estimate_adapter(lang="sw", parallel=PAIRS, method=SMALL, backbone=tiny_model())
    products = 4 * 108 * 108
    dense = 4 * 108 * (512 + 108)
    assert estimate.peak_memory_bytes == 2**50 + products + dense
    # Of many texts, what is largest is the factor.
    assert bytes_to_solve(8000, 512) == 2 * 4 * 8000 * 8000


def test_its_cost_is_said_first() -> None:
    estimate = adaptkit.estimate_adapter(lang="sw", parallel=PAIRS, method="ngrams", backbone=tiny_model())
    assert estimate.n_steps == 4
    assert "found in closed form from 8,000 pairs at most" in str(estimate)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"text": [pair[1] for pair in PAIRS]}, "needs sentences with their translations"),
        (
            {"parallel": PAIRS, "method": "lora", "objective": "ridge"},
            "an adapter of method 'ngrams' is, and method 'lora'",
        ),
        ({"parallel": PAIRS, "invertible": True}, "invertible does not go with objective 'ridge'"),
        ({"parallel": PAIRS, "new_pieces": 100}, "new_pieces does not go with objective 'ridge'"),
        ({"parallel": PAIRS, "objective": adaptkit.Distill(), "lexicon": "x.tsv"}, "lexicon"),
    ],
)
def test_what_does_not_go_together_is_refused(asked: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        trained(**asked)
