"""The logistic regression that a head starts as: that of scikit-learn, and what the head then answers."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression as Reference
from torch import Tensor

from adaptkit.heads.batch import Batch
from adaptkit.layers.heads import SentenceHead, TokenHead
from adaptkit.task_types import IGNORED
from adaptkit.training.logistic_start import LogisticRegression, LogisticStart, ToSteps, logistic_regression

N, WIDTH, N_LABELS = 90, 12, 3
WEIGHTS = torch.tensor([0.5, 1.0, 3.0])


def labelled() -> tuple[Tensor, Tensor]:
    """Vectors that share a large number, as those of a backbone do, and labels that they do not quite tell apart."""
    drawn = torch.Generator().manual_seed(0)
    labels = torch.arange(N) % N_LABELS
    vectors = torch.randn(N, WIDTH, generator=drawn) + 0.4 * torch.randn(N_LABELS, WIDTH, generator=drawn)[labels]
    vectors[:, 4] += 25
    return vectors, labels


def probabilities(found: LogisticRegression, vectors: Tensor) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = torch.softmax(found.logits(vectors), dim=1).numpy()
    return shares


@pytest.mark.parametrize("class_weights", [None, WEIGHTS], ids=["all alike", "weighed"])
def test_it_is_that_of_sklearn(class_weights: Tensor | None) -> None:
    vectors, labels = labelled()
    found = logistic_regression(vectors, labels, n_labels=N_LABELS, class_weights=class_weights)
    weighed = None if class_weights is None else dict(enumerate(class_weights.tolist()))
    reference = Reference(C=1.0, class_weight=weighed, tol=1e-9, max_iter=10_000)
    reference.fit(vectors.double().numpy(), labels.numpy())
    # Ours ends where no slope of the mean loss is above 1e-6; the penalty of 1 / N makes that 1e-4 of a weight at most.
    assert found.weight.numpy() == pytest.approx(reference.coef_, abs=1e-4)
    expected = reference.predict_proba(vectors.double().numpy())
    assert probabilities(found, vectors) == pytest.approx(expected, abs=1e-4)
    assert 0.6 < (expected.argmax(axis=1) == labels.numpy()).mean() < 1


def test_of_several_labels_each_is_that_of_sklearn_by_itself() -> None:
    vectors, labels = labelled()
    # A text has the label of its group and, where a number is above 0, another one; some have none.
    several = torch.stack([labels == 0, labels != 0, vectors[:, 1] > 0], dim=1).float()
    several[:20] = 0
    found = logistic_regression(vectors, several, n_labels=N_LABELS)
    x = vectors.double().numpy()
    references = [Reference(C=1.0, tol=1e-9, max_iter=10_000).fit(x, several[:, n].numpy()) for n in range(N_LABELS)]
    expected = np.concatenate([each.coef_ for each in references])
    assert found.weight.numpy() == pytest.approx(expected, abs=1e-4)
    answered = torch.sigmoid(found.logits(vectors)).numpy()
    for number, each in enumerate(references):
        assert answered[:, number] == pytest.approx(each.predict_proba(x)[:, 1], abs=1e-4)


# tanh moves numbers by 3e-5 of themselves, and by a twelfth at most where steps follow; logits are some units apart.
@pytest.mark.parametrize(("when", "off"), [("instead", 1e-3), ("after", 1e-3), ("before", 0.05)])
def test_a_head_that_starts_there_answers_the_same(when: ToSteps, off: float) -> None:
    vectors, labels = labelled()
    head = SentenceHead(hidden_width=WIDTH, n_outputs=N_LABELS, dropout=0.1)
    start = LogisticStart(head, [], when)
    ids = torch.zeros(N, 2, dtype=torch.long)
    mask = torch.tensor([1, 0]).expand(N, 2)
    # In 16 bits, with something where there is no token.
    states = torch.stack([vectors, torch.full_like(vectors, 7.0)], dim=1).bfloat16()
    halves = [slice(N // 2), slice(N // 2, N)]
    read = [
        (states[rows], Batch(ids=ids[rows], mask=mask[rows], labels=labels[rows], class_weights=WEIGHTS))
        for rows in halves
    ]
    found = start.fitted(read)
    rounded = vectors.bfloat16().float()
    alone = logistic_regression(rounded, labels, n_labels=N_LABELS, class_weights=WEIGHTS)
    torch.testing.assert_close(found.weight, alone.weight)
    start.begin(found)
    answered = torch.softmax(head.eval()(states, mask), dim=1).detach().numpy()
    assert answered == pytest.approx(probabilities(found, rounded), abs=off)
    assert (float(head.dense.weight.detach().max()) > 0.01) is (when == "before")


def test_a_head_of_words_answers_the_same_and_what_has_no_tag_counts_for_nothing() -> None:
    vectors, labels = labelled()
    head = TokenHead(hidden_width=WIDTH, n_outputs=N_LABELS, dropout=0.1)
    start = LogisticStart(head, [], "before")
    # Thirty sentences of three words, and behind each word a piece of it that has no tag.
    pieces = torch.full_like(vectors, 7.0)
    states = torch.stack([vectors, pieces], dim=1).reshape(30, 6, WIDTH)
    tags = torch.stack([labels, torch.full_like(labels, IGNORED)], dim=1).reshape(30, 6)
    mask = torch.ones(30, 6, dtype=torch.long)
    batches = [Batch(ids=mask[rows], mask=mask[rows], labels=tags[rows]) for rows in (slice(20), slice(20, 30))]
    found = start.fitted(zip((states[:20], states[20:]), batches, strict=True))
    alone = logistic_regression(vectors, labels, n_labels=N_LABELS)
    torch.testing.assert_close(found.weight, alone.weight)
    start.begin(found)
    answered = head.eval()(states, mask)[:, ::2].flatten(0, 1)
    # The bias takes up a number of 25 times its weight, in float32.
    torch.testing.assert_close(answered.double(), found.logits(vectors), atol=1e-4, rtol=1e-5)


def test_rounds_are_few_where_steps_follow() -> None:
    vectors, labels = labelled()
    read = [(vectors[:, None], Batch(ids=labels[:, None], mask=torch.ones(N, 1), labels=labels))]
    head = SentenceHead(hidden_width=WIDTH, n_outputs=N_LABELS, dropout=0.1)
    whole = LogisticStart(head, []).fitted(read)
    fewer = LogisticStart(head, [], "before").fitted(read)
    few = logistic_regression(vectors, labels, n_labels=N_LABELS, most_rounds=3)
    torch.testing.assert_close(fewer.weight, whole.weight, atol=1e-3, rtol=0)
    assert float((few.weight - whole.weight).abs().max()) > 1e-2


@pytest.mark.parametrize("when", ["instead", "before", "after"])
def test_texts_that_are_all_the_same_have_a_head_of_numbers(when: ToSteps) -> None:
    vectors = torch.full((4, WIDTH), 900.0)
    start = LogisticStart(SentenceHead(hidden_width=WIDTH, n_outputs=N_LABELS, dropout=0.1), [], when)
    start.begin(logistic_regression(vectors, torch.tensor([0, 0, 1, 1]), n_labels=N_LABELS))
    answered = torch.softmax(start.head.eval()(vectors[:, None], torch.ones(4, 1)), dim=1)
    assert answered[0].tolist() == pytest.approx([0.5, 0.5, 0.0], abs=1e-3)


def test_one_vector_and_a_label_without_examples_have_a_regression() -> None:
    vectors = torch.zeros(2, WIDTH)
    found = logistic_regression(vectors, torch.tensor([0, 1]), n_labels=N_LABELS)
    assert probabilities(found, vectors)[0] == pytest.approx([0.5, 0.5, 0.0], abs=1e-4)
    start = LogisticStart(SentenceHead(hidden_width=WIDTH, n_outputs=N_LABELS, dropout=0.1), [])
    start.begin(found)
    assert all(torch.isfinite(weight).all() for weight in start.head.parameters())
