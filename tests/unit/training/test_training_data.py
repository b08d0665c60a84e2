import dataclasses

import numpy as np
import pytest
import torch

from adaptkit.data.tokens import TokenStore
from adaptkit.errors import EmptyCorpus
from adaptkit.training import TrainingData
from tests.tiny import tiny_backbone


def data(n_sentences: int = 100, *, seed: int = 0) -> TrainingData:
    rows = [[number] * (1 + number % 9) for number in range(n_sentences)]
    return TrainingData(TokenStore(rows), torch.arange(4.0 * n_sentences).reshape(n_sentences, 4), seed)


def test_heldout_rows_are_never_trained_on() -> None:
    chosen = data()
    for epoch in range(3):
        trained = sorted(row for batch in chosen.batches(8, epoch) for row in batch)
        assert trained == sorted(set(range(100)) - set(chosen.heldout))
    assert sorted(row for batch in chosen.heldout_batches(4) for row in batch) == chosen.heldout


@pytest.mark.parametrize("n_sentences", [20, 100, 1_000, 50_000])
def test_at_most_a_tenth_is_held_out(n_sentences: int) -> None:
    assert 1 <= len(data(n_sentences).heldout) <= min(512, n_sentences // 10)


def test_batches_depend_on_seed_and_epoch_only() -> None:
    assert data().batches(8, 0) == data().batches(8, 0)
    assert data().batches(8, 0) != data().batches(8, 1)
    assert data().heldout != data(seed=1).heldout


def test_a_batch_holds_its_sentences_and_their_targets() -> None:
    batch = data().batch([3, 8], tiny_backbone())
    assert batch.ids[0, :4].tolist() == [3] * 4
    assert batch.mask.sum(dim=1).tolist() == [4, 9]
    assert batch.targets is not None
    assert batch.targets[:, 0].tolist() == [12.0, 32.0]


def test_identity_changes_with_sentences_and_targets() -> None:
    chosen = data()
    assert chosen.sha256 == data().sha256
    assert chosen.targets is not None
    others = [
        dataclasses.replace(chosen, targets=None),
        dataclasses.replace(chosen, targets=chosen.targets + 1),
        dataclasses.replace(chosen, sentences=TokenStore([[1]] * 100)),
    ]
    assert len({chosen.sha256, *(other.sha256 for other in others)}) == 4


def test_second_texts_bring_their_targets_and_rows_their_anchors() -> None:
    lengths = np.zeros(100, np.int32)
    lengths[[3, 8]] = 2
    targets = torch.arange(102.0)[:, None]
    anchors = torch.arange(100.0)
    chosen = TrainingData(data().sentences, targets, 0, first_lengths=lengths, anchors=anchors)
    batch = chosen.batch([8, 5, 3], tiny_backbone())
    assert batch.targets is not None
    assert batch.targets[:, 0].tolist() == [8.0, 5.0, 3.0, 101.0, 100.0]
    assert batch.first_lengths is not None
    assert batch.first_lengths.tolist() == [2, 0, 2]
    assert batch.anchors is not None
    assert batch.anchors.tolist() == [8.0, 5.0, 3.0]
    others = [dataclasses.replace(chosen, first_lengths=None), dataclasses.replace(chosen, anchors=anchors + 1)]
    assert len({chosen.sha256, *(other.sha256 for other in others)}) == 3


def test_rows_bring_which_of_their_tokens_are_anchored() -> None:
    sentences = data().sentences
    marks = TokenStore([[place % 2 for place in range(len(sentences[row]))] for row in range(len(sentences))])
    chosen = dataclasses.replace(data(), anchored_tokens=marks)
    rows = [int(sentences.lengths.argmin()), int(sentences.lengths.argmax())]
    batch = chosen.batch(rows, tiny_backbone())
    assert batch.anchored_tokens is not None
    expected = torch.arange(batch.mask.shape[1]) % 2 * batch.mask
    assert batch.anchored_tokens.tolist() == expected.tolist()
    assert chosen.sha256 != data().sha256


def test_rows_bring_their_labels() -> None:
    chosen = dataclasses.replace(data(), row_labels=torch.arange(100))
    batch = chosen.batch([8, 5, 3], tiny_backbone())
    assert batch.row_labels is not None
    assert batch.row_labels.tolist() == [8, 5, 3]
    assert chosen.sha256 != data().sha256 != dataclasses.replace(chosen, row_labels=torch.zeros(100)).sha256


def test_too_little_text_is_refused() -> None:
    with pytest.raises(EmptyCorpus, match="19 usable sentences; training needs at least 20"):
        data(19)
    assert len(data(20).heldout) == 2
    assert np.intersect1d(data(20).training, data(20).heldout).size == 0
