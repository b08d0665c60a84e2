"""Terms of distillation on what texts of a batch are to each other, beside the plain formulas."""

import math

import pytest
import torch
from torch import Tensor

from adaptkit.heads.batch import Batch
from adaptkit.training.objectives import DistillObjective
from adaptkit.training.objectives.batch_terms import BatchTerms, contrast, distances_apart, similarities_apart
from tests.tolerance import rounded

N, WIDTH, TEMPERATURE = 5, 4, 0.5
VECTORS, TARGETS = torch.randn(2, N, WIDTH, generator=torch.Generator().manual_seed(0))


def cosine(one: Tensor, other: Tensor) -> float:
    return float(one @ other / (one.norm() * other.norm()))


def over_others(texts: Tensor, row: int) -> list[float]:
    weights = {
        other: math.exp(cosine(texts[row], texts[other]) / TEMPERATURE) for other in range(len(texts)) if other != row
    }
    return [weight / sum(weights.values()) for weight in weights.values()]


def test_similarities_are_the_plain_formula() -> None:
    expected = 0.0
    for row in range(N):
        ours, theirs = over_others(VECTORS, row), over_others(TARGETS, row)
        expected += sum(q * math.log(q / p) for p, q in zip(ours, theirs, strict=True)) / N
    assert float(similarities_apart(VECTORS, TARGETS, TEMPERATURE)) == rounded(expected)


def test_distances_are_the_plain_formula() -> None:
    # Three texts on a line: at 0, 1 and 3 (mean distance 2), to lie at 0, 1 and 9 (mean distance 6).
    vectors, targets = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.0], [1.0], [9.0]])
    ways = [1 / 2 - 1 / 6, 3 / 2 - 9 / 6, 2 / 2 - 8 / 6]
    assert float(distances_apart(vectors, targets, 1.0)) == rounded(sum(0.5 * way**2 for way in ways) / 3)


def test_relations_of_texts_that_lie_as_their_targets_cost_nothing() -> None:
    turn, _ = torch.linalg.qr(torch.randn(WIDTH, WIDTH))
    assert float(similarities_apart(3 * TARGETS @ turn, TARGETS, TEMPERATURE)) == pytest.approx(0, abs=1e-5)
    assert float(distances_apart(3 * TARGETS @ turn + 1, TARGETS, 1.0)) == pytest.approx(0, abs=1e-5)


def test_the_contrast_is_the_plain_formula() -> None:
    expected = 0.0
    for row in range(N):
        logits = [cosine(VECTORS[row], target) / TEMPERATURE for target in TARGETS]
        expected += (math.log(sum(map(math.exp, logits))) - logits[row]) / N
    assert float(contrast(VECTORS, TARGETS, TEMPERATURE)) == rounded(expected)


def test_a_target_that_is_the_same_is_none_of_the_others() -> None:
    twice = torch.cat([TARGETS[:3], TARGETS[:1]])
    vectors = VECTORS[:4]
    logits = torch.tensor([[cosine(vector, target) / TEMPERATURE for target in twice] for vector in vectors])
    logits[0, 3] = logits[3, 0] = -math.inf
    expected = (logits.logsumexp(dim=1) - logits.diagonal()).mean()
    assert float(contrast(vectors, twice, TEMPERATURE)) == rounded(float(expected))
    assert float(contrast(VECTORS, TARGETS[:1].expand(N, WIDTH), TEMPERATURE)) == 0


@pytest.mark.parametrize("term", [similarities_apart, distances_apart, contrast])
def test_few_texts_and_the_same_ones_have_gradients(term: object) -> None:
    assert callable(term)
    for rows in ([0], [0, 1], [0, 0, 0], [0, 1, 1, 2]):
        vectors = VECTORS[rows].clone().requires_grad_()
        lost = term(vectors, TARGETS[rows], TEMPERATURE)
        torch.autograd.backward(lost)
        assert vectors.grad is not None
        assert bool(lost.isfinite())
        assert bool(vectors.grad.isfinite().all())


def test_distillation_adds_what_is_asked_for_with_its_weight() -> None:
    mask, centre = torch.ones(N, 1, dtype=torch.long), torch.randn(2, WIDTH)
    # Two depths: the terms are of the last.
    hidden, targets = torch.randn(N, 1, 2 * WIDTH), torch.randn(N, 2 * WIDTH)
    batch = Batch(ids=mask, mask=mask, targets=targets)

    def loss(**terms: float) -> float:
        asked = BatchTerms(relation="distances", temperature=TEMPERATURE, **terms)
        return float(DistillObjective(centre=centre, variance=torch.ones(2), blocks=(0, 1), terms=asked)(hidden, batch))

    vectors, goals = hidden[:, 0, WIDTH:] - centre[1], targets[:, WIDTH:] - centre[1]
    related, told = distances_apart(vectors, goals, TEMPERATURE), contrast(vectors, goals, TEMPERATURE)
    expected = loss() + 2 * float(related) + 0.25 * float(told)
    assert loss(relation_weight=2.0, contrast_weight=0.25) == rounded(expected)
