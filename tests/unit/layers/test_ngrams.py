"""N-grams of letters: which there are, where they are counted, and what they add."""

from math import sqrt
from pathlib import Path

import pytest
import torch
from torch import Tensor

import adaptkit
from adaptkit.errors import ArchitectureMismatch, ConfigError, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers import NgramsLayer, TextRead, reading
from adaptkit.layers.ngrams import ngrams_of
from adaptkit.methods import LoraConfig, Ngrams, NgramsConfig
from adaptkit.model import AdaptedModel
from tests.adapters import random_adapter
from tests.pieces import OWN_PIECES
from tests.tiny import tiny_model, unigram_model

N_ROWS = 4096
CONFIG = AdapterConfig(method=NgramsConfig(n_rows=N_ROWS, rank=8))
TEXTS = ["Habari ya asubuhi", "go", "The goat sleeps in the shade."]


@pytest.fixture
def model() -> AdaptedModel:
    return tiny_model()


def letters_of(*texts: str) -> Tensor:
    longest = max(map(len, texts))
    return torch.tensor([[*map(ord, text), *[0] * (longest - len(text))] for text in texts])


def expected(text: str, shortest: int, longest: int) -> list[str]:
    grams = (text[i : i + n] for n in range(shortest, longest + 1) for i in range(len(text) - n + 1))
    return [gram for gram in grams if " " not in gram[1:-1] and gram.strip()]


@pytest.mark.parametrize(("shortest", "longest"), [(3, 5), (1, 2), (2, 2), (1, 8)])
def test_ngrams_are_those_within_a_word_and_the_spaces_around_it(shortest: int, longest: int) -> None:
    texts = [" a goat  sleeps ", " na "]
    places, weights = ngrams_of(letters_of(*texts), shortest=shortest, longest=longest, n_rows=2**20)
    for row, text in enumerate(texts):
        grams = expected(text, shortest, longest)
        assert int((weights[row] > 0).sum()) == len(grams)
        assert len(set(places[row][weights[row] > 0].tolist())) == len(set(grams))
        assert weights[row].max().item() == pytest.approx(1 / sqrt(len(grams)))


def test_an_ngram_has_one_row_wherever_it_stands() -> None:
    options = {"shortest": 4, "longest": 4, "n_rows": N_ROWS}
    places, weights = ngrams_of(letters_of("xgoat", "goaty"), **options)
    assert places[0, 1] == places[1, 0]
    assert weights.gt(0).all()
    assert not ngrams_of(letters_of("goa"), **options)[1].any()


def test_tokens_are_spelled_as_the_text_is_read(model: AdaptedModel) -> None:
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    rows = TextRead(ids, mask, model.backbone.spelling).spelled()
    assert [" ".join("".join(map(chr, row[row > 0])).split()) for row in rows] == [text.lower() for text in TEXTS]
    beyond = torch.tensor([[model.backbone.shape.vocabulary_size + 7]])
    assert model.backbone.spelling(beyond)[0, 0].tolist() == [ord(" ")] + [0] * 15


@pytest.mark.parametrize("family", ["bert", "modernbert", "xlm-roberta-xl", "deberta-v2"])
def test_each_text_moves_by_what_its_ngrams_say(family: str) -> None:
    model = tiny_model(family)
    adapter = random_adapter(model, CONFIG)
    model.attach(adapter)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    layer = next(module for module in model.adapters.modules() if isinstance(module, NgramsLayer))
    change = layer.change(TextRead(ids, mask, model.backbone.spelling))
    torch.testing.assert_close(model.encode(TEXTS, stack=adapter), model.encode(TEXTS) + change, atol=1e-5, rtol=1e-4)
    assert all(torch.pdist(change) > 0)


def test_each_row_reads_its_own_text(model: AdaptedModel) -> None:
    """In groups of a batch, where rows of one text share blocks, in a bound network, and with one adapter in two."""
    one = random_adapter(model, CONFIG)
    task = random_adapter(model, AdapterConfig(method=LoraConfig(rank=2, blocks=(1,))), kind="task", name="topics")
    below = random_adapter(model, AdapterConfig(method=LoraConfig(rank=2)), name="rw", seed=2)
    for adapter in (one, task, below):
        model.attach(adapter)
    stacks = [f"{below.id} > {one.id}", f"{one.id} > {task.id}", one.id, None, f"{below.id} > {one.id} > {task.id}"]
    texts = [TEXTS[0], TEXTS[0], TEXTS[0], TEXTS[2], TEXTS[1]]
    together = model.encode(texts, stacks=stacks)
    for row, (text, stack) in enumerate(zip(texts, stacks, strict=True)):
        torch.testing.assert_close(together[row], model.encode([text], stack=stack)[0], atol=1e-5, rtol=1e-4)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with torch.no_grad(), model.active(stacks[0]):
        assert torch.equal(model.bound(stacks[0])(ids, mask), model(ids, mask))


def test_a_task_that_hides_the_top_block_leaves_it(model: AdaptedModel) -> None:
    one = random_adapter(model, CONFIG)
    top = AdapterConfig(method=LoraConfig(rank=2), hides_top_block=True)
    model.attach(one)
    model.attach(random_adapter(model, top, kind="task", name="topics"))
    alone = model.encode(TEXTS, stack="task/topics")
    assert not torch.allclose(model.encode(TEXTS, stack="language/sw > task/topics"), alone, atol=1e-3)


@pytest.mark.parametrize("family", ["llama", "t5", "albert"])
def test_backbones_without_a_place_for_it_are_refused(family: str) -> None:
    with pytest.raises(ArchitectureMismatch, match=r"network\.output, where this backbone has no site"):
        tiny_model(family).attach_layers("language/sw", CONFIG)


def test_what_is_asked_of_the_network_alone_is_refused(model: AdaptedModel) -> None:
    model.attach(random_adapter(model, CONFIG))
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with model.active("language/sw"), pytest.raises(ConfigError, match="let the model read it"):
        model.network(ids, mask)
    layer = next(module for module in model.adapters.modules() if isinstance(module, NgramsLayer))
    with reading(TextRead(ids[:1], mask[:1], model.backbone.spelling)), pytest.raises(ConfigError, match="not told"):
        layer(None, torch.zeros(3, 4, 5))


@pytest.mark.parametrize("stack", ["language/dz > language/sw", "language/sw > language/dz"])
def test_pieces_whose_letters_it_does_not_know_are_refused_in_every_stack(stack: str) -> None:
    model = unigram_model()
    model.attach(random_adapter(model, OWN_PIECES, name="dz"))
    model.attach(random_adapter(model, CONFIG))
    refused = r"language/dz has text read by 16 pieces of its own, whose letters language/sw \(method 'ngrams'\)"
    with pytest.raises(ConfigError, match=refused):
        model.encode(TEXTS, stack=stack)
    assert model.encode(TEXTS, stack="language/sw").isfinite().all()


def test_it_cannot_become_something_else(model: AdaptedModel, tmp_path: Path) -> None:
    adapter = random_adapter(model, CONFIG)
    model.attach(adapter)
    with pytest.raises(ConfigError, match="cannot be folded"):
        adaptkit.merge(model, "language/sw")
    with pytest.raises(NotConvertible):
        adaptkit.export_peft(adapter, tmp_path / "peft")
    with pytest.raises(NotConvertible, match="letters of the text"):
        adaptkit.export_onnx(model, "language/sw", tmp_path / "onnx")


def test_options_and_sizes_that_cannot_be_right() -> None:
    with pytest.raises(ConfigError, match="from shortest to longest letters"):
        NgramsConfig(shortest=4, longest=3)
    with pytest.raises(ConfigError, match="from shortest to longest letters"):
        Ngrams(shortest_ngram=6)
    with pytest.raises(ConfigError, match="ngram_rows"):
        Ngrams(ngram_rows=0)
    with pytest.raises(ConfigError, match="n_rows: between"):
        NgramsConfig(n_rows=2**21)
