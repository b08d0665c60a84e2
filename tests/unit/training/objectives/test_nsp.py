"""Rows of two sentences: neighbours in their document, or from two, and what they cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from adaptkit.data.sample import sample_sentences
from adaptkit.data.sentence import Sentence
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.objectives import Nsp
from adaptkit.task_types import IGNORED
from adaptkit.training.objectives.nsp import NEIGHBOURS, STRANGERS, NextSentenceTraining, Pairing, paired
from tests.calls import estimate_adapter, train_adapter
from tests.runs import train_and_interrupt
from tests.texts import tokenized
from tests.tiny import tiny_model

LINES = [sentence.texts["sw"] for sentence in sample_sentences()]


def documents(*sizes: int) -> list[Sentence]:
    """So many sentences in each document."""
    numbers = [document for document, size in enumerate(sizes) for _ in range(size)]
    return [Sentence(line, document=number) for line, number in zip(LINES, numbers, strict=False)]


def labels(rows: Sequence[Pairing]) -> list[int]:
    return [row.label for row in rows]


@pytest.mark.parametrize("sizes", [(4, 4, 4), (2,) * 20, (3, 5, 7, 1, 1, 9), (30, 4), (20, 2, 2, 2)])
def test_each_sentence_stands_in_one_row_beside_its_next_or_a_stranger(sizes: tuple[int, ...]) -> None:
    sentences = documents(*sizes)
    place = {sentence.text: number for number, sentence in enumerate(sentences)}
    rows = paired(sentences, seed=1)
    assert sorted(place[text] for row in rows for text in (row.first, row.second) if text) == list(range(sum(sizes)))
    for row in rows:
        if row.second is None:
            assert row.label == IGNORED
            continue
        one, other = place[row.first], place[row.second]
        if row.label == NEIGHBOURS:
            assert (other - one, sentences[other].document) == (1, sentences[one].document)
        else:
            assert sentences[other].document != sentences[one].document
    assert labels(rows).count(STRANGERS) <= sum(size // 2 for size in sizes) // 2


def test_half_of_the_rows_are_strangers() -> None:
    found = labels(paired(documents(*(2,) * 40), seed=0))
    assert (found.count(NEIGHBOURS), found.count(STRANGERS)) == (20, 20)
    assert paired(documents(*(2,) * 40), seed=0) != paired(documents(*(2,) * 40), seed=1)


@pytest.mark.parametrize("sizes", [(60,), (1,) * 60, (59, 1)])
def test_text_without_documents_is_refused(sizes: tuple[int, ...]) -> None:
    model = tiny_model()
    training = NextSentenceTraining(Nsp(), model, list[str]().append)
    with pytest.raises(ConfigError, match=r"needs text in documents of several sentences.* An empty line ends"):
        training.data(tokenized(documents(*sizes), model))


def test_the_loss_is_that_of_masked_tokens_and_of_next_sentences() -> None:
    model, notes = tiny_model(), list[str]()
    options = Nsp(anchor=0.0, next_weight=0.5)
    training = NextSentenceTraining(options, model, notes.append)
    sentences = documents(*(3,) * 24)
    data = training.data(tokenized(sentences, model, notes.append))
    assert notes == ["12 pairs of neighbouring sentences, 12 of sentences from two documents, 24 sentences alone"]
    assert data.row_labels is not None
    layers = model.attach_layers("language/sw", AdapterConfig(method=LoraConfig(rank=2)))
    loss = training.loss(layers, data, torch.float32)
    batch = loss.prepare(data.batch([0, 1, 2, 3, 40], model.backbone))
    assert batch.row_labels is not None
    with model.active("language/sw"):
        hidden = model(batch.ids, batch.mask)
    measures = loss.measures(hidden, batch)
    torch.testing.assert_close(measures["loss"], measures["token_loss"] + 0.5 * measures["next_loss"])
    scores = loss.tell(torch.tanh(loss.transform(hidden[:4, 0])))
    by_hand = torch.nn.functional.cross_entropy(scores, batch.row_labels[:4])
    torch.testing.assert_close(measures["next_loss"], by_hand)
    loss(hidden, batch).backward()
    assert all(weight.grad is not None for weight in loss.parameters())


def test_sentences_alone_cost_nothing_but_their_masked_tokens() -> None:
    model = tiny_model()
    training = NextSentenceTraining(Nsp(), model, list[str]().append)
    data = training.data(tokenized(documents(*(3,) * 24), model))
    layers = model.attach_layers("language/sw", AdapterConfig(method=LoraConfig(rank=2)))
    loss = training.loss(layers, data, torch.float32)
    batch = loss.prepare(data.batch([30, 40], model.backbone))
    measures = loss.measures(model(batch.ids, batch.mask), batch)
    assert measures["next_loss"] == 0
    assert batch.targets is not None
    assert measures["loss"] > measures["token_loss"]  # the anchors


BLOCKS = ["\n".join(LINES[start : start + 4]) for start in range(0, 120, 4)]
ASKED: dict[str, Any] = {"lang": "sw", "objective": "nsp", "max_steps": 15, "batch_size": 8}


def test_documents_of_a_file_and_of_items_train_the_same_adapter(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("\n\n".join(BLOCKS), encoding="utf-8")
    sources = (tmp_path / "text.txt", BLOCKS)
    of_file, of_items = (train_adapter(**ASKED, text=source, backbone=tiny_model()) for source in sources)
    assert of_file.weights_sha256 == of_items.weights_sha256
    assert of_file.training is not None
    assert of_file.training.heldout_loss_after < of_file.training.heldout_loss_before
    assert of_file.training.settings["next_weight"] == 1.0
    assert "next-sentence prediction: Devlin et al. 2019" in of_file.render_card()


def test_an_interrupted_run_is_resumed_to_the_same_adapter(tmp_path: Path) -> None:
    whole = train_adapter(**ASKED, text=BLOCKS, backbone=tiny_model())
    train_and_interrupt(after=11, **ASKED, text=BLOCKS, backbone=tiny_model(), output=tmp_path / "sw")
    resumed = train_adapter(**ASKED, text=BLOCKS, backbone=tiny_model(), output=tmp_path / "sw", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256


def test_an_estimate_counts_the_sentences_and_not_the_rows() -> None:
    assert estimate_adapter(**ASKED, text=BLOCKS, backbone=tiny_model()).n_sentences == 120


def test_lines_without_documents_are_refused() -> None:
    with pytest.raises(ConfigError, match="needs text in documents of several sentences"):
        train_adapter(**ASKED, text=LINES, backbone=tiny_model())
